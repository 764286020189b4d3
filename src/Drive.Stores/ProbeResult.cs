namespace Drive.Stores;

/// <summary>What a store is good for.</summary>
public enum StoreClass
{
    /// <summary>A put by itself keeps a name that is taken.</summary>
    A,

    /// <summary>Another step of the store does, with more requests.</summary>
    B,

    /// <summary>It does not: two machines could both believe that they made the same commit.</summary>
    C,
}

/// <summary>What a store did wrong. All but the listing make it class C: listings are hints.</summary>
public enum ProbeFinding
{
    /// <summary>A name that is taken is given again.</summary>
    IgnoresTheCondition,

    /// <summary>Of several that want a name at once more than one gets it.</summary>
    LetsSeveralWin,

    /// <summary>An object has other bytes than those of the writer that was told that it made it.</summary>
    KeepsALosersBytes,

    /// <summary>A name is said to be taken, and has no object.</summary>
    TakenByNobody,

    /// <summary>An object that was made is absent.</summary>
    Forgets,

    /// <summary>An object is shorter than it was put.</summary>
    CutsBodies,

    /// <summary>An object's length is told wrong.</summary>
    WrongLength,

    /// <summary>A part of an object is another part than was asked for.</summary>
    WrongRange,

    /// <summary>A read shows what was before the last change, or something else each time.</summary>
    StaleReads,

    /// <summary>A listing leaves out what is there, or shows what is not.</summary>
    ListsWrongly,
}

/// <summary>What a store is looked at for.</summary>
public enum ProbeUse
{
    /// <summary>All of a vault: names are raced for.</summary>
    Vault,

    /// <summary>Packs and checkpoints, whose names are random, or a vault with a single writer, which wants each name once: what is put must be there at once, whole, and be given back as it was asked for.</summary>
    Packs,
}

/// <summary>How much of a look.</summary>
/// <param name="Rounds">Races for a name.</param>
/// <param name="Writers">How many want each.</param>
/// <param name="Reads">How often the winner's bytes are read.</param>
/// <param name="LargeBytes">The length of the one large object, which as many as fit into 64 MiB also race for, four times.</param>
public sealed record ProbeSize(int Rounds, int Writers, int Reads, int LargeBytes)
{
    private const int LargeTogetherBytes = 64 << 20;
    private const int LargeRounds = 4;

    /// <summary>For <c>drive store check</c>: minutes, and about 600 MiB each way.</summary>
    public static ProbeSize Full { get; } = new(200, 64, 10, 8 << 20);

    /// <summary>For each mount: seconds, and a few MiB.</summary>
    public static ProbeSize Quick { get; } = new(3, 16, 2, 1 << 20);

    /// <summary>The length of a body and the number of writers in a round: nothing, 4 KiB, and where there are many rounds now and then a large one.</summary>
    public (int LengthBytes, int Writers) Of(int round) =>
        Rounds >= LargeRounds * 10 && round % (Rounds / LargeRounds) == Rounds / LargeRounds - 1 ? (LargeBytes, Math.Min(Writers, LargeTogetherBytes / LargeBytes))
        : (round % 2 * 4096, Writers);
}

/// <summary>What a look found.</summary>
/// <param name="Class">The store's class.</param>
/// <param name="Rounds">Races that were run; fewer than wanted when one of them failed.</param>
/// <param name="Findings">What it did wrong, each with one line.</param>
public sealed record ProbeResult(StoreClass Class, int Rounds, IReadOnlyDictionary<ProbeFinding, string> Findings)
{
    /// <summary>All findings in one line; empty when there are none.</summary>
    public string Reasons => string.Join("; ", Findings.OrderBy(static found => found.Key).Select(static found => found.Value));
}
