using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Vault;

namespace Drive.Security;

/// <summary>What a client's answer to a malicious store is worth.</summary>
public static class Verdict
{
    private static readonly string[] Places = ["vault", "slots/", "log/", "packs/", "checkpoints/", "floor/"];

    /// <summary>
    /// Null when the error is one that a client may give: a failed proof that names its object, a refusal that a person understands, or a store that failed. Else
    /// what is wrong with it.
    /// </summary>
    public static string? Complain(Exception error) => error switch
    {
        VaultIntegrityException integrity => NamesAnObject(integrity.ObjectName) ? null : $"an integrity error names '{integrity.ObjectName}': {integrity.Message}",

        // A damaged slot and a wrong key look alike on purpose, so the slot's refusal names no object.
        VaultException { Kind: VaultErrorKind.WrongSecret or VaultErrorKind.NoVault or VaultErrorKind.NewerFormat } => null,
        StoreException => null,
        _ => $"unhandled: {error}",
    };

    /// <summary>Whether a line for people names an object of the vault.</summary>
    public static bool NamesAnObject(string? text) => text is not null && Places.Any(place => text.Contains(place, StringComparison.Ordinal));

    /// <summary>Whether a status says that bytes or a store failed, and nothing else.</summary>
    public static bool IsRefusal(FsStatus status) => status is FsStatus.Corrupt or FsStatus.IoError or FsStatus.Unreachable;
}

/// <summary>What a trial came to.</summary>
public enum Outcome
{
    /// <summary>Exact bytes of a signed version that is not older than what the device had seen.</summary>
    Exact,

    /// <summary>The same, and some files were refused with a typed error.</summary>
    PartlyRefused,

    /// <summary>A typed error before any content.</summary>
    Refused,
}

/// <summary>A trial that went wrong, and how to see it again.</summary>
public sealed record Failure(int Seed, string What)
{
    public override string ToString() => $"seed {Seed}: {What}";
}
