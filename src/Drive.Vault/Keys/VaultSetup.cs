using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>What a store holds, as far as can be told without any secret.</summary>
public enum VaultPresence
{
    /// <summary>No vault.</summary>
    None,

    /// <summary>A vault of a format that this program knows.</summary>
    Present,

    /// <summary>A vault whose making was interrupted: it has no first commit, so it never held anything.</summary>
    Interrupted,

    /// <summary>A vault of a later format.</summary>
    NewerFormat,
}

/// <summary>What <see cref="VaultSetup.ProbeAsync"/> saw.</summary>
/// <param name="Presence">What is there.</param>
/// <param name="VaultId">Whose, where it can be read.</param>
public sealed record VaultInfo(VaultPresence Presence, Bytes32? VaultId);

/// <summary>A head that another device has shown: a store that has less is rolled back.</summary>
public sealed record LogPin(long Seq, Bytes32 Hash);

/// <summary>How to make a vault.</summary>
public sealed record CreateVaultOptions
{
    public required string DeviceName { get; init; }

    /// <summary>UTF-8, in the normal form that the caller always uses. Null: no passphrase slot.</summary>
    public byte[]? Passphrase { get; init; }

    /// <summary>Whether the passphrase opens the vault on a new device without the account key: then it must be a strong one.</summary>
    public bool PassphraseAlone { get; init; }

    /// <summary>Rounds for the passphrase; see <see cref="PassphraseCost.Calibrate"/>.</summary>
    public int PassphraseIterations { get; init; } = PassphraseCost.IterationsMin;

    /// <summary>Remove what an interrupted making left, where there is no first commit, and start afresh.</summary>
    public bool ReplaceInterrupted { get; init; }

    /// <summary>Only one device's commits count, this one's first: for a store that does not keep names that are taken.</summary>
    public bool SingleWriter { get; init; }

    public uint RootMode { get; init; } = 0x1ED;

    public uint RootUid { get; init; }

    public uint RootGid { get; init; }
}

/// <summary>A vault that was made.</summary>
/// <param name="Keys">This device's keys: persist them before anything is written to the vault.</param>
/// <param name="RecoveryKey">To be written down by its owner; it is nowhere else.</param>
/// <param name="State">After the first commit.</param>
/// <param name="Genesis">The first commit: it opens the root's row.</param>
public sealed record CreatedVault(VaultKeys Keys, string RecoveryKey, VaultState State, CommitContent Genesis);

/// <summary>A vault that was opened on a new device.</summary>
/// <param name="Keys">The new device's keys.</param>
/// <param name="Head">
/// After the commit that enrolled this device. Its tree is not here: replay from <see cref="VaultState.BeforeGenesis"/>, or start from
/// <see cref="VaultState.LastCheckpoint"/>; reaching this head proves that nothing was left out.
/// </param>
public sealed record RecoveredVault(VaultKeys Keys, VaultState Head);

/// <summary>Making a vault, opening it on a new device, changing its passphrase.</summary>
public static partial class VaultSetup
{
    /// <summary>What the store holds. Reads two or three small objects.</summary>
    public static async Task<VaultInfo> ProbeAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        byte[]? bytes = await store.GetProvableAsync(VaultNames.Vault, SmallBytesMax, cancellationToken);
        if (bytes is null)
        {
            return new VaultInfo(VaultPresence.None, null);
        }

        VaultHeader header;
        try
        {
            header = VaultHeader.Decode(bytes);
        }
        catch (VaultException e) when (e.Kind == VaultErrorKind.NewerFormat)
        {
            return new VaultInfo(VaultPresence.NewerFormat, null);
        }

        bool begun = await store.GetLengthAsync(VaultNames.Commit(1, 1), cancellationToken) is not null
            || await store.GetLengthAsync(VaultNames.Floor(1), cancellationToken) is not null;
        return new VaultInfo(begun ? VaultPresence.Present : VaultPresence.Interrupted, header.VaultId);
    }

    /// <summary>
    /// Makes a vault in a store without one. The object <c>vault</c> comes first, so of two that try one wins; the first commit comes last,
    /// and before it nothing counts. Interrupted in between, the vault probes as <see cref="VaultPresence.Interrupted"/> and is refused until
    /// <see cref="CreateVaultOptions.ReplaceInterrupted"/> is asked for.
    /// </summary>
    public static async Task<CreatedVault> CreateAsync(
        IObjectStore store, CreateVaultOptions options, TimeProvider time, IRandomSource random, CancellationToken cancellationToken)
    {
        await RefuseOrClearAsync(store, options, cancellationToken);
        using var maker = new VaultMaker(options, time, random);
        try
        {
            return await maker.PutAsync(store, cancellationToken);
        }
        catch
        {
            maker.Abandon();
            throw;
        }
    }

    /// <summary>
    /// Opens the vault with its recovery key and enrols this device by a commit. The chain is followed from the first commit, or from the last
    /// floor, to the head. <paramref name="atLeast"/>, where another device can tell it, makes a rolled-back store known.
    /// A failure after the commit leaves a member that nobody uses; run it again.
    /// </summary>
    public static Task<RecoveredVault> RecoverAsync(
        IObjectStore store, string recoveryKey, string deviceName, LogPin? atLeast, TimeProvider time, IRandomSource random, CancellationToken cancellationToken) =>
        JoinAsync(store, new JoinSecret.RecoveryKey(recoveryKey), deviceName, atLeast, time, random, cancellationToken);

    /// <summary>
    /// The same with any of the secrets that let a device in. <see cref="VaultErrorKind.WrongSecret"/> where it opens nothing, was used or was replaced;
    /// <see cref="VaultErrorKind.NeedsAccountKey"/> where a passphrase is not enough.
    /// </summary>
    public static Task<RecoveredVault> JoinAsync(
        IObjectStore store, JoinSecret secret, string deviceName, LogPin? atLeast, TimeProvider time, IRandomSource random, CancellationToken cancellationToken) =>
        VaultJoin.RunAsync(store, secret, deviceName, atLeast, time, random, cancellationToken);

    internal const int SmallBytesMax = 64 * 1024;
}
