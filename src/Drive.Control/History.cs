namespace Drive.Control;

/// <summary>A state of the past.</summary>
/// <param name="Seq">The commit; "@" and this number names the state everywhere.</param>
/// <param name="Time">When it was made, by the clock of its device; null where that is not known.</param>
/// <param name="Device">Who made it; null where that is not known.</param>
public sealed record StateInfo(long Seq, DateTimeOffset? Time, string? Device);

/// <summary>A version of a path.</summary>
public sealed record VersionInfo
{
    /// <summary>The commit that brought it; null while it is not in the store.</summary>
    public required StateInfo? Since { get; init; }

    /// <summary>A commit that shows it, for --at @N; null where none does.</summary>
    public required long? State { get; init; }

    /// <summary>"file", "folder", "link" or "other".</summary>
    public required string Kind { get; init; }

    /// <summary>Bytes of a file, else 0.</summary>
    public required long Size { get; init; }

    /// <summary>Its modification time.</summary>
    public required DateTimeOffset Modified { get; init; }

    /// <summary>How it ended: "none" (it is there), "changed", "replaced", "moved" or "deleted".</summary>
    public required string End { get; init; }

    /// <summary>The commit that ended it; null while it is there, or that is not in the store.</summary>
    public required StateInfo? Ended { get; init; }
}

/// <summary>What a path was, oldest first, as <c>drive history --json</c> prints it.</summary>
public sealed record PathVersions(string Path, IReadOnlyList<VersionInfo> Versions);

/// <summary>Which state: see <c>--at</c>.</summary>
public sealed record StateRequest(string When);

/// <summary>Brings something back, or sets it back.</summary>
/// <param name="Path">On the drive, below its mount point.</param>
/// <param name="At">Which state; null: the last before it was deleted.</param>
/// <param name="To">A directory on the drive; null: where it was.</param>
/// <param name="Overwrite">Replace what is there.</param>
public sealed record RestoreRequest(string Path, string? At, string? To, bool Overwrite);

/// <summary>Copies something of the past to a folder of this machine, which is not on the drive.</summary>
/// <param name="Path">On the drive, below its mount point.</param>
/// <param name="At">Which state; null: the last before it was deleted.</param>
/// <param name="Folder">The absolute path of a folder.</param>
/// <param name="Device">Which folder it is for who asks (stat(2), with the next): a daemon that sees another one there, in a container or with a /tmp of its own, must not write.</param>
/// <param name="Inode">See <paramref name="Device"/>.</param>
/// <param name="Overwrite">Replace what is there.</param>
public sealed record CopyRequest(string Path, string? At, string Folder, ulong Device, ulong Inode, bool Overwrite);

/// <summary>What a restore or a rewind did.</summary>
/// <param name="From">The state that was brought back.</param>
/// <param name="Files">Files and links that were made or set back.</param>
/// <param name="Folders">Folders that were.</param>
/// <param name="Bytes">Their content.</param>
/// <param name="Removed">Names that were taken away (a rewind).</param>
/// <param name="Before">What was there, to undo a rewind with.</param>
public sealed record RestoreReply(StateInfo From, long Files, long Folders, long Bytes, long Removed, StateInfo? Before);

/// <summary>Which states to compare, and what of them; null for the second is now.</summary>
public sealed record CompareRequest(string From, string? To, string Path);

/// <summary>A path that differs.</summary>
/// <param name="Kind">"added", "removed", "changed", "attributes" or "moved".</param>
/// <param name="Path">Below the path that was compared; empty for itself.</param>
/// <param name="From">Where it was before a move.</param>
/// <param name="Before">Bytes before.</param>
/// <param name="After">Bytes after.</param>
/// <param name="Folder">Whether it is a folder.</param>
public sealed record ChangeInfo(string Kind, string Path, string? From, long Before, long After, bool Folder);

/// <summary>What differs between two states, as <c>drive diff --json</c> prints it.</summary>
public sealed record CompareReply(StateInfo From, StateInfo? To, IReadOnlyList<ChangeInfo> Changes);

/// <summary>A named state.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Seq">The commit.</param>
/// <param name="Time">When it was named, by the clock of the device that did.</param>
public sealed record SnapshotInfo(string Name, long Seq, DateTimeOffset Time);

/// <summary>All named states, as <c>drive snapshot list --json</c> prints them.</summary>
public sealed record SnapshotList(IReadOnlyList<SnapshotInfo> Snapshots);

/// <summary>A name for a state; null for one with the time.</summary>
public sealed record SnapshotRequest(string? Name);

/// <summary>Shows a state in a directory, or ends that.</summary>
/// <param name="When">Which state; null to end it.</param>
/// <param name="Mountpoint">The directory.</param>
/// <param name="AllowOther">Let other users in.</param>
public sealed record PastMountRequest(string? When, string Mountpoint, bool AllowOther);
