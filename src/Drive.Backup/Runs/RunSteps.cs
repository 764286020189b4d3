using Drive.Backup.Remembering;
using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Runs;

/// <summary>A folder that a run is in: on this machine, and in the vault.</summary>
internal sealed record RunFolder
{
    public required byte[] Path { get; init; }

    public required byte[] Name { get; init; }

    /// <summary>The folder around it; null for the set's own in the vault.</summary>
    public required RunFolder? Parent { get; init; }

    public required SourceNode Source { get; init; }

    /// <summary>What the vault had at this name when the run came here; null: nothing, or no directory.</summary>
    public VaultEntry? Entry { get; init; }

    /// <summary>The directory in the vault; none before the step that makes it.</summary>
    public NodeId Node { get; set; }

    /// <summary>What the vault has in it and the run has not met here. In the end it goes.</summary>
    public Dictionary<byte[], VaultEntry> Left { get; init; } = [];

    /// <summary>Whether only what leads to the set's paths is looked at in it.</summary>
    public bool IsAncestor { get; init; }

    /// <summary>Of the set's path above it.</summary>
    public ulong RootDevice { get; init; }

    /// <summary>Relative to the set's path.</summary>
    public string Relative { get; init; } = "";

    public IPathRules? Rules { get; set; }

    /// <summary>Whether a step changes what is in it, and with that its times.</summary>
    public bool IsTouched { get; set; }
}

/// <summary>What is to be done in the vault, and remembered, in this order.</summary>
internal abstract record RunStep;

/// <summary>Nothing to do: as the last run left it, or gone.</summary>
internal sealed record RememberStep(IndexRecord Record) : RunStep;

/// <summary>A directory that is not there yet.</summary>
internal sealed record MakeFolderStep(RunFolder Folder) : RunStep;

/// <summary>All that a directory is itself, after what is in it.</summary>
internal sealed record SettleFolderStep(RunFolder Folder, IReadOnlyList<(byte[] Name, byte[] Value)> Xattrs) : RunStep;

/// <summary>A regular file.</summary>
/// <param name="Folder">Where.</param>
/// <param name="Name">Its name.</param>
/// <param name="Content">What was read.</param>
/// <param name="Xattrs">Its extended attributes.</param>
/// <param name="Fate">What became of it.</param>
internal sealed record PutFileStep(RunFolder Folder, byte[] Name, FileContent Content, IReadOnlyList<(byte[] Name, byte[] Value)> Xattrs, FileFate Fate) : RunStep;

/// <summary>A link, fifo, socket or device.</summary>
internal sealed record PutOtherStep(RunFolder Folder, byte[] Name, SourceNode Source, byte[]? Target, IReadOnlyList<(byte[] Name, byte[] Value)> Xattrs) : RunStep;

/// <summary>A name that is not on this machine any more.</summary>
internal sealed record RemoveStep(RunFolder Folder, byte[] Name) : RunStep;

/// <summary>Some steps whose content goes into the vault together. A crash loses one of these at most.</summary>
internal sealed class RunBatch
{
    /// <summary>What is read between two commits. Arbitrary.</summary>
    public const long BytesMax = 64 << 20;

    /// <summary>Changes between two commits: as many as the engine takes into one.</summary>
    public const int ChangesMax = 10_000;

    /// <summary>Steps that are held in memory: some hundred bytes each.</summary>
    public const int StepsMax = 20_000;

    public List<RunStep> Steps { get; } = [];

    public IImportBatch? Import { get; set; }

    public long ReadBytes { get; set; }

    public int Changes { get; private set; }

    public bool IsFull => ReadBytes >= BytesMax || Changes >= ChangesMax || Steps.Count >= StepsMax;

    public void Add(RunStep step)
    {
        Steps.Add(step);
        Changes += step is RememberStep ? 0 : 1;
    }
}
