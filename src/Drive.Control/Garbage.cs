namespace Drive.Control;

/// <summary>A round of giving space in the store back.</summary>
/// <param name="DryRun">Only count.</param>
/// <param name="Lapse">The name of a device that is not to be waited for any more, or null.</param>
/// <param name="Keep">The vault's rule of what history keeps from now on, such as "24h,30d,12w,12m,3y", or null.</param>
public sealed record GarbageRequest(bool DryRun, string? Lapse, string? Keep);

/// <summary>A device whose word is waited for before packs are deleted.</summary>
/// <param name="Name">Its name.</param>
/// <param name="LastSeen">When it made its last commit, by its own clock; null where that is not known.</param>
public sealed record AwaitedDevice(string Name, DateTimeOffset? LastSeen);

/// <summary>What a round found and did, as <c>drive gc --json</c> prints it. Sizes are bytes of packs in the store.</summary>
public sealed record GarbageReply
{
    /// <summary>All packs that are in use.</summary>
    public required long PackBytes { get; init; }

    /// <summary>What the drive and its history need of them.</summary>
    public required long NeededBytes { get; init; }

    /// <summary>What all packs in the store take.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Packs that are needed and that the store does not have: damage.</summary>
    public required int MissingPacks { get; init; }

    /// <summary>Packs of which nothing is needed: given up by this round, or found by a dry run.</summary>
    public required FileAmount Unneeded { get; init; }

    /// <summary>Packs with much waste, and the waste in them.</summary>
    public required FileAmount Wasteful { get; init; }

    /// <summary>Packs from which what is needed was moved, and how much that was.</summary>
    public required FileAmount Moved { get; init; }

    /// <summary>Packs that were deleted.</summary>
    public required FileAmount Deleted { get; init; }

    /// <summary>Packs that were given up and wait to be deleted.</summary>
    public required int Waiting { get; init; }

    /// <summary>For these devices.</summary>
    public required IReadOnlyList<AwaitedDevice> WaitsFor { get; init; }

    /// <summary>Commits of the log that were deleted, or (in a dry run) would be: a checkpoint says what they said.</summary>
    public required long CutCommits { get; init; }

    /// <summary>The first commit that the log still has, the vault's very first left aside.</summary>
    public required long LogFrom { get; init; }

    /// <summary>The devices that the log waits for before more of it goes.</summary>
    public required IReadOnlyList<AwaitedDevice> LogWaitsFor { get; init; }

    /// <summary>What keeps the log from being cut, or null.</summary>
    public string? LogProblem { get; init; }

    /// <summary>The vault's rule of what history keeps.</summary>
    public required string Keep { get; init; }

    /// <summary>Why nothing was forgotten, or null.</summary>
    public string? Frozen { get; init; }

    /// <summary>Whether this machine does not know all of the history, so that another one has to give packs up.</summary>
    public bool IsPastUnknown { get; init; }

    /// <summary>What the store said when it refused to delete, or null.</summary>
    public string? Refused { get; init; }
}
