using Drive.Core.Stores;

namespace Drive.Service.Settings;

/// <summary>Where this machine keeps its keys for a vault.</summary>
public enum KeyPlace
{
    /// <summary>A file of mode 0600 in the config directory.</summary>
    File,

    /// <summary>The desktop's keyring.</summary>
    Keyring,

    /// <summary>A file that a passphrase seals.</summary>
    Passphrase,
}

/// <summary>A vault that this machine knows.</summary>
public sealed record VaultEntry
{
    /// <summary>Its name here.</summary>
    public required string Name { get; init; }

    /// <summary>Where its store is: a path, or a URL without secrets.</summary>
    public required string Store { get; init; }

    /// <summary>Where the log and all but packs and checkpoints are, when that is another place.</summary>
    public string? LogStore { get; init; }

    /// <summary>Both, as a command takes them.</summary>
    public string Where => Together(Store, LogStore);

    /// <summary>The vault's identity: state and cache directories bear it.</summary>
    public required string VaultId { get; init; }

    /// <summary>Where the keys are.</summary>
    public required KeyPlace Keys { get; init; }

    /// <summary>Where it is mounted when nothing else is said.</summary>
    public string? Mountpoint { get; init; }

    /// <summary>Limit of the dirty log and block cache together, in bytes; null for the default.</summary>
    public long? CacheLimitBytes { get; init; }

    /// <summary>Limit of what goes to the store; null for none.</summary>
    public RateSchedule? LimitUp { get; init; }

    /// <summary>Limit of what comes from it; null for none.</summary>
    public RateSchedule? LimitDown { get; init; }

    /// <summary>How often the store is asked for what other devices did; null for the default.</summary>
    public TimeSpan? Poll { get; init; }

    /// <summary>A store, and perhaps another one for the log, as a command takes them.</summary>
    public static string Together(string store, string? logStore) => logStore is null ? store : $"{store} --log-store {logStore}";
}
