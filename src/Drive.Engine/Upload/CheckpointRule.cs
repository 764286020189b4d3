namespace Drive.Engine.Upload;

/// <summary>
/// When a device that commits writes a checkpoint. It is a trade: a device that joins reads the last checkpoint and the commits after it, one after another, and each
/// checkpoint costs the writer an upload of the whole tree's rows (about 150 bytes a file) and reading it back.
/// </summary>
public sealed record CheckpointRule
{
    /// <summary>
    /// After so many commits always: at 50 ms for each answer of a store, a new device replays them in under a minute. With a commit every few seconds of steady
    /// work it is one checkpoint in an hour or so.
    /// </summary>
    public int CommitsMax { get; init; } = 1000;

    /// <summary>Never after fewer: they are read in the time that a checkpoint's own requests take. Arbitrary.</summary>
    public int CommitsMin { get; init; } = 64;

    /// <summary>
    /// Between the two, when the commits came to this share of the last checkpoint's bytes: then the same rows were written again and again, and a
    /// checkpoint costs at most four times what the commits themselves did.
    /// </summary>
    public double ReplayShare { get; init; } = 0.25;

    /// <summary>Where there is none yet: from <see cref="CommitsMin"/> on when the commits came to so many bytes. Some 400,000 new files. Arbitrary.</summary>
    public long FirstBytes { get; init; } = 64L << 20;

    /// <summary>Whether one is due.</summary>
    /// <param name="commits">Commits since the last one.</param>
    /// <param name="replayBytes">Their bytes, as far as this device knows them.</param>
    /// <param name="checkpointBytes">Bytes of the last one; 0 when this device wrote none.</param>
    public bool IsDue(long commits, long replayBytes, long checkpointBytes) =>
        commits >= CommitsMax || (commits >= CommitsMin && replayBytes >= (checkpointBytes > 0 ? checkpointBytes * ReplayShare : FirstBytes));
}
