using Drive.Vault.Keys;

namespace Drive.Service.Setup;

/// <summary>How this machine becomes a device of a vault that is there.</summary>
public sealed record JoinRequest
{
    /// <summary>The vault's name on this machine.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is.</summary>
    public required string Store { get; init; }

    /// <summary>Where its log is, when that is another store.</summary>
    public string? LogStore { get; init; }

    /// <summary>What lets it in.</summary>
    public required JoinSecret Secret { get; init; }

    /// <summary>This machine's name in the vault; null for the system's.</summary>
    public string? DeviceName { get; init; }

    /// <summary>What seals this machine's keys; null for nothing.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Also when this machine knows the vault: it becomes another device, and what it was before is set aside.</summary>
    public bool IsAgain { get; init; }
}
