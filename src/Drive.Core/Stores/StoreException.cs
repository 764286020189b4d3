namespace Drive.Core.Stores;

/// <summary>Why a store failed.</summary>
public enum StoreErrorKind
{
    /// <summary>No answer, or none in time: the network, the disk or the folder is away. Says nothing about any object.</summary>
    Unreachable,

    /// <summary>The store asks to slow down.</summary>
    Throttled,

    /// <summary>The store refuses: credentials, permissions, read-only.</summary>
    Denied,

    /// <summary>The store refused who signs in. It is not asked again before the user has done something: servers lock out who guesses.</summary>
    SignInRefused,

    /// <summary>No room.</summary>
    Full,

    /// <summary>The object is larger than the caller allowed.</summary>
    TooLarge,

    /// <summary>The answer makes no sense: wrong length, wrong range, a page in place of an object.</summary>
    Malformed,

    /// <summary>Anything else.</summary>
    Failed,
}

/// <summary>A store's failure. Only the retry wrapper reads <see cref="IsTransient"/>; only the engine turns it into a file-system status.</summary>
public sealed class StoreException : Exception
{
    /// <summary>A failure with its kind and one line that says what to do.</summary>
    public StoreException(StoreErrorKind kind, bool isTransient, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Kind = kind;
        IsTransient = isTransient;
    }

    /// <summary>Why.</summary>
    public StoreErrorKind Kind { get; }

    /// <summary>Whether the same call may succeed later without anybody doing anything.</summary>
    public bool IsTransient { get; }
}
