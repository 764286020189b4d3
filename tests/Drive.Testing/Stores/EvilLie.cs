using Drive.Core.Stores;

namespace Drive.Testing.Stores;

/// <summary>An answer that an honest store would not give, or a put that goes another way than its answer says.</summary>
public enum EvilLie
{
    /// <summary>The truth, as far as <see cref="EvilStore"/> shows it.</summary>
    None,

    /// <summary>The call fails and did nothing.</summary>
    LoseRequest,

    /// <summary>The call is done, and fails all the same.</summary>
    LoseReply,

    /// <summary>A put is done twice, as a repeating network does it: the second one's "taken" is the answer.</summary>
    Duplicate,

    /// <summary>A put fails now and is done later, by <see cref="EvilStore.ReleaseLateAsync"/>: a request that slept on its way.</summary>
    Late,

    /// <summary>A put is done and answered, and comes once more by <see cref="EvilStore.ReleaseLateAsync"/>.</summary>
    LateDuplicate,

    /// <summary>A put says "made" and keeps nothing.</summary>
    KeepNothing,

    /// <summary>A put says "taken" and keeps nothing.</summary>
    SayTaken,

    /// <summary>What is there is called absent.</summary>
    SayAbsent,

    /// <summary>The object that was put before this one in the same folder, under this one's name.</summary>
    Stale,

    /// <summary>Bytes from one further on, the last of them made up.</summary>
    WrongRange,

    /// <summary>One byte less than there is.</summary>
    TooShort,

    /// <summary>One byte more than there is.</summary>
    TooLong,
}

/// <summary>Lies that a test can ask for.</summary>
public static class EvilLies
{
    /// <summary>Those that a put can meet.</summary>
    public static IReadOnlyList<EvilLie> OfPuts { get; } =
        [EvilLie.LoseRequest, EvilLie.LoseReply, EvilLie.Duplicate, EvilLie.Late, EvilLie.LateDuplicate, EvilLie.KeepNothing, EvilLie.SayTaken];

    /// <summary>Those that a read can meet.</summary>
    public static IReadOnlyList<EvilLie> OfReads { get; } =
        [EvilLie.LoseRequest, EvilLie.SayAbsent, EvilLie.Stale, EvilLie.WrongRange, EvilLie.TooShort, EvilLie.TooLong];

    internal static StoreException Lost(string what) => new(StoreErrorKind.Unreachable, isTransient: true, $"{what} (made up)");
}
