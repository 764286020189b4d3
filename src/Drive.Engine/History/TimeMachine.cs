using System.Globalization;
using System.Text;
using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata;
using Drive.Vault.Log;

namespace Drive.Engine.History;

/// <summary>A state of the past, for people.</summary>
/// <param name="Seq">The commit.</param>
/// <param name="Time">When it was made, by the clock of its device; null where that is not known.</param>
/// <param name="Device">Who made it; null where that is not known.</param>
public sealed record StateOfPast(long Seq, DateTimeOffset? Time, string? Device);

/// <summary>
/// What people do with the history of an open volume: ask what a path was, compare, bring back, set back, and name states. Refusals are <see cref="FsException"/> with one line that says what
/// to do next.
/// </summary>
public sealed class TimeMachine
{
    private readonly Volume _volume;
    private readonly MetadataStore _metadata;
    private readonly TimeProvider _time;
    private readonly Moments _moments;

    internal TimeMachine(Volume volume, MetadataStore metadata, TimeProvider time)
    {
        (_volume, _metadata, _time, _moments) = (volume, metadata, time, volume.Moments);
    }

    /// <summary>The state that was meant (see <see cref="MomentName"/>); a name of a snapshot, "latest", and "@" with the number of a commit will do too.</summary>
    public StateOfPast Find(string when) => _moments.FindOrAge(when) is { } found
        ? Describe(found.Seq)
        : throw new FsException(FsStatus.NotFound, $"History has nothing for '{when}': give a time such as 2026-11-20T14:00, 2h, or what 'drive snapshot list' and 'drive history PATH' show.");

    /// <summary>A commit.</summary>
    public StateOfPast Describe(long seq) => _moments.Describe(seq) is { } moment
        ? new StateOfPast(seq, Moments.TimeOf(moment), _volume.Head.FindMember(moment.Device)?.Name ?? moment.Device.Value)
        : new StateOfPast(seq, null, null);

    /// <summary>The tree as it was, read-only.</summary>
    public IVolume Open(StateOfPast state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return _volume.OpenPast(state.Seq);
    }

    /// <summary>What was at a path then, and the tree that it was in, read-only.</summary>
    public (IVolume Past, NodeAttributes Node) Open(StateOfPast state, string path)
    {
        IVolume past = Open(state);
        return (past, FindPath(past, path) ?? throw NotThen(path));
    }

    /// <summary>The versions of a path that history has, oldest first; what is not committed last. The path is text, parts between slashes.</summary>
    public IReadOnlyList<PathVersion> Versions(string path)
    {
        _volume.SaveAll();
        KeptHistory kept = _moments.Kept;
        return [.. PathHistory.Find(_metadata, Split(path)).Where(version => kept.Holds(version.From, version.To))];
    }

    /// <summary>A kept state that shows a version, the last of them; null for what is not committed.</summary>
    public long? StateOf(PathVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        KeptHistory kept = _moments.Kept;
        long last = Math.Min(version.To - 1, _moments.Head);
        if (last >= kept.Below)
        {
            return last >= version.From ? last : null;
        }

        long found = kept.Seqs.LastOrDefault(seq => seq <= last);
        return found >= version.From ? found : null;
    }

    /// <summary>What differs at a path and below it between two states; null for the second is now, what is not committed included.</summary>
    public IReadOnlyList<TreeChange> Compare(StateOfPast from, StateOfPast? to, string path, CancellationToken cancellationToken)
    {
        IVolume before = Open(from);
        IVolume after = to is null ? _volume : Open(to);
        NodeAttributes? was = FindPath(before, path);
        NodeAttributes? now = FindPath(after, path);
        return was is null && now is null
            ? throw new FsException(FsStatus.NotFound, $"'{path}' was not there at either time: 'drive history' says when it was.")
            : TreeComparison.Compare(before, was, after, now, cancellationToken);
    }

    /// <summary>
    /// Brings a path back as it was, where it was or, with <paramref name="to"/>, into that directory of the volume. What is there is only replaced with <paramref name="overwrite"/>; nothing is
    /// taken away.
    /// </summary>
    public RestoreCount Restore(StateOfPast from, string path, string? to, bool overwrite, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        RequireWritable();
        PastVolume past = _volume.Past(from.Seq);
        List<byte[]> parts = Split(path);
        NodeAttributes was = FindPath(past, path) ?? throw NotThen(path);
        TreeRestore restore = new(_volume, past, isRewind: false, cancellationToken);
        if (parts.Count == 0 && to is null)
        {
            return overwrite
                ? restore.RestoreInto(was, FindPath(_volume, "")!.Value)
                : throw new FsException(FsStatus.Exists, "That is the whole drive, which is there: add --overwrite, say --to DIR, or use 'drive rewind'.");
        }

        byte[] name = parts.Count > 0 ? parts[^1] : Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"drive@{from.Seq}"));
        NodeId parent = to is null ? MakeWay(past, parts) : FindDirectory(to);
        if (!overwrite && _volume.Lookup(parent, name, out _) == FsStatus.Ok)
        {
            throw new FsException(FsStatus.Exists, $"'{Encoding.UTF8.GetString(name)}' is there already: add --overwrite to replace it, or say --to DIR.");
        }

        RestoreCount count = restore.Restore(was, parent, name);
        Save();
        return count;
    }

    /// <summary>
    /// Sets a path and all below it back to what it was: what changed is set back, what went comes back, what came goes. What is there is in the store first, as the state that is returned, so that
    /// this can be undone; it waits for that.
    /// </summary>
    public async Task<(RestoreCount Count, StateOfPast Before)> RewindAsync(StateOfPast to, string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(to);
        await SendAllAsync("A rewind can be undone only when what is there now is in the store", cancellationToken);
        StateOfPast before = Describe(_moments.Head);
        PastVolume past = _volume.Past(to.Seq);
        NodeAttributes was = FindPath(past, path) ?? throw NotThen(path);
        List<byte[]> parts = Split(path);
        TreeRestore restore = new(_volume, past, isRewind: true, cancellationToken);
        RestoreCount count = parts.Count == 0 ? restore.RestoreInto(was, FindPath(_volume, "")!.Value) : restore.Restore(was, MakeWay(past, parts), parts[^1]);
        Save();
        return (count, before);
    }

    /// <summary>Gives the state of now a name, under which it is kept. Waits until all that is there is in the store.</summary>
    /// <param name="name">A name, or null for one with the time.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task<VaultSnapshot> NameAsync(string? name, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        name ??= "snapshot-" + MomentName.Format(now, _time.LocalTimeZone);
        if (!VaultSnapshot.IsName(name) || name.StartsWith('@') || name == MomentName.Latest || MomentName.TryParse(name, _time.LocalTimeZone, out _, out _) || MomentName.TryParseAge(name, out _))
        {
            throw new FsException(FsStatus.Invalid, $"'{name}' can't name a snapshot: it must be no time, not 'latest', begin with no '@', and do as a file's name.");
        }

        await SendAllAsync("A snapshot names what is in the store", cancellationToken);
        VaultState after = await _volume.ChangeHistoryAsync(
            state => state.History.FindSnapshot(name) is null
                ? [new NameSnapshot(name, state.Seq + 1, (now.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * 100)]
                : throw new FsException(FsStatus.Exists, $"There is a snapshot '{name}' already: 'drive snapshot list' shows them; take another name."),
            cancellationToken);
        return after.History.FindSnapshot(name) ?? throw new FsException(FsStatus.NotFound, $"Somebody deleted '{name}' at the same time.");
    }

    /// <summary>The named states, in the order in which they were named.</summary>
    public IReadOnlyList<VaultSnapshot> Snapshots => _moments.Snapshots;

    /// <summary>When a snapshot was named.</summary>
    public static DateTimeOffset TimeOf(VaultSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return Moments.TimeOf(snapshot.Time);
    }

    /// <summary>Takes a name away. The state is kept on only as long as retention does.</summary>
    public async Task DropAsync(string name, CancellationToken cancellationToken)
    {
        RequireStore("A name is taken away in the store");
        await _volume.ChangeHistoryAsync(
            state => state.History.FindSnapshot(name) is not null ? [new DropSnapshot(name)] : throw new FsException(FsStatus.NotFound, $"There is no snapshot '{name}': 'drive snapshot list' shows them."),
            cancellationToken);
    }

    /// <summary>A path in a volume; null when it is not there.</summary>
    internal static NodeAttributes? FindPath(IVolume volume, string path)
    {
        FsStatus status = volume.GetAttributes(NodeId.Root, out NodeAttributes found);
        foreach (byte[] part in Split(path))
        {
            status = status == FsStatus.Ok ? volume.Lookup(found.Node, part, out found) : status;
        }

        return status switch
        {
            FsStatus.Ok => found,
            FsStatus.Stale => throw new FsException(status, "History does not have this state any more: 'drive history PATH' shows what there is."),
            _ => null,
        };
    }

    private static List<byte[]> Split(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.UTF8.GetBytes)];
    }

    private static FsException NotThen(string path) => new(FsStatus.NotFound, $"'{path}' was not there then: 'drive history' says when it was.");

    private NodeId FindDirectory(string path) => FindPath(_volume, path) is { } found && FileMode.IsDirectory(found.Mode)
        ? found.Node
        : throw new FsException(FsStatus.NotFound, $"'{path}' is no directory: make it first.");

    /// <summary>The directory that a path lies in; those of its parents that are gone are made as they were.</summary>
    private NodeId MakeWay(PastVolume past, List<byte[]> parts)
    {
        NodeAttributes was = FindPath(past, "")!.Value;
        NodeId directory = NodeId.Root;
        ChangedByUs made = new(_volume);
        foreach (byte[] part in parts.SkipLast(1))
        {
            past.Lookup(was.Node, part, out was);
            FsStatus status = _volume.Lookup(directory, part, out NodeAttributes now);
            if (status == FsStatus.NotFound)
            {
                status = _volume.MakeDirectory(directory, part, was.Mode, new Caller(was.Uid, was.Gid), out now);
                made.Name(directory, part);
            }

            if (status != FsStatus.Ok || !FileMode.IsDirectory(now.Mode))
            {
                throw new FsException(FsStatus.NotDirectory, $"'{Encoding.UTF8.GetString(part)}' is no directory now: say --to DIR.");
            }

            directory = now.Node;
        }

        made.Tell();
        return directory;
    }

    private async Task SendAllAsync(string why, CancellationToken cancellationToken)
    {
        RequireStore(why);
        UploadProgress sent = await _volume.WaitUploadedAsync(null, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (!sent.Done)
        {
            throw new FsException(FsStatus.IoError, $"{why}, and that was not sent: {sent.LastError ?? "see 'drive status'."}");
        }
    }

    private void RequireStore(string why)
    {
        VolumeStatus status = _volume.GetStatus();
        if (status.Store != StoreCondition.Reachable)
        {
            throw new FsException(FsStatus.Unreachable, $"{why}, and the store does not answer: try again when 'drive status' says that it does.");
        }

        RequireWritable();
    }

    private void RequireWritable()
    {
        if (_volume.GetStatus().ReadOnlyReason is { } reason)
        {
            throw new FsException(FsStatus.ReadOnly, $"The drive is read-only here: {reason}");
        }
    }

    private void Save()
    {
        if (_volume.SaveAll() is var status && status != FsStatus.Ok)
        {
            throw new FsException(status, "It is restored, but this machine's disk did not take it: see 'drive status'.");
        }
    }
}
