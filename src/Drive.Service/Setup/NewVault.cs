namespace Drive.Service.Setup;

/// <summary>A vault to be made.</summary>
public sealed record NewVault
{
    /// <summary>Its name on this machine.</summary>
    public required string Name { get; init; }

    /// <summary>Where, as a person wrote it.</summary>
    public required string Store { get; init; }

    /// <summary>Where the log is to be, when that is another place.</summary>
    public string? LogStore { get; init; }

    /// <summary>Protects the keys and lets devices in; null for none.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Whether the passphrase opens the vault on a new machine without the account key.</summary>
    public bool IsAlone { get; init; }

    /// <summary>Whether only one device at a time writes to it: for a store that does not keep names that are taken.</summary>
    public bool SingleWriter { get; init; }
}
