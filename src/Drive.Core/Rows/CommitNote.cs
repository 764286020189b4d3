namespace Drive.Core.Rows;

/// <summary>A pack that the log names.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="Length">Bytes of the whole object.</param>
public sealed record PackRow(PackId Pack, long Length);

/// <summary>What the local database keeps of a commit besides its rows.</summary>
/// <param name="Moment">Its seq, and when it was made.</param>
public sealed record CommitNote(MomentRow Moment)
{
    /// <summary>The packs that it names.</summary>
    public IReadOnlyList<PackRow> Packs { get; init; } = [];

    /// <summary>Packs that it condemns: where their blocks lie is only for reading from then on.</summary>
    public IReadOnlyList<PackId> Condemned { get; init; } = [];

    /// <summary>Packs that it sweeps.</summary>
    public IReadOnlyList<PackId> Swept { get; init; } = [];

    /// <summary>Whether this device sweeps them, and so deletes them.</summary>
    public bool IsSweptHere { get; init; }
}
