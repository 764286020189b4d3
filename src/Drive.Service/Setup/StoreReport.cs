namespace Drive.Service.Setup;

/// <summary>What <c>drive store check</c> found.</summary>
public sealed record StoreReport
{
    /// <summary>The store, with all that was found out about it.</summary>
    public required string Store { get; init; }

    /// <summary>"A", "B" or "C".</summary>
    public required string Class { get; init; }

    /// <summary>Whether it can hold a vault's packs while the log is kept in another store; in class C that is all it can.</summary>
    public required bool HoldsPacks { get; init; }

    /// <summary>Races that were run.</summary>
    public required int Rounds { get; init; }

    /// <summary>What it did wrong; also in class A and B a listing may be.</summary>
    public required IReadOnlyList<string> Findings { get; init; }
}
