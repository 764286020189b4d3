namespace Drive.Vault.Keys;

/// <summary>What a new device shows to be let in.</summary>
public abstract record JoinSecret
{
    private JoinSecret()
    {
    }

    /// <summary>
    /// Where the vault has a single writer: makes the new device the writer, although the one of now has not handed over. For a writer that is lost; not for a pairing code.
    /// </summary>
    public bool TakesOver { get; init; }

    /// <summary>Refuses a vault that several devices write to: its store does not keep names that are taken.</summary>
    public bool RequiresSingleWriter { get; init; }

    /// <summary>The recovery key, as it was written down.</summary>
    public sealed record RecoveryKey(string Text) : JoinSecret;

    /// <summary>A pairing code that another device shows.</summary>
    public sealed record PairingCode(string Text) : JoinSecret;

    /// <summary>The passphrase.</summary>
    /// <param name="Utf8">In the normal form that the caller always uses.</param>
    /// <param name="AccountKey">Null: only a slot that needs none is opened.</param>
    public sealed record Passphrase(byte[] Utf8, string? AccountKey) : JoinSecret;
}
