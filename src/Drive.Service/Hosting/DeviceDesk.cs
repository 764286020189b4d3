using System.Security.Cryptography;
using System.Text;
using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Engine;
using Drive.Service.Setup;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Service.Hosting;

/// <summary>Changes who belongs to a vault, over the volume that this process has open. It owns none of what it is given.</summary>
internal sealed class DeviceDesk(Volume volume, VaultKeys keys, IObjectStore store, string place, TimeProvider time, IRandomSource random) : IDevices
{
    /// <inheritdoc/>
    public Task<DeviceList> ListDevicesAsync(CancellationToken cancellationToken) => Task.FromResult(Show(volume.Head, keys));

    /// <inheritdoc/>
    public Task<PairingReply> PairAsync(CancellationToken cancellationToken) => TranslatedAsync(async () =>
    {
        using JoinIdentity offer = JoinIdentity.ForPairing(random);
        VaultState head = await volume.ChangeMembersAsync(_ => offer.Changes, cancellationToken);
        await offer.PutPairingSlotAsync(store, keys, head, random, cancellationToken);
        return new PairingReply(offer.Id.Value, offer.PairingCode!, head.SingleWriter is not null);
    });

    /// <inheritdoc/>
    public Task<DeviceList> AdmitAsync(PairingReply pairing, CancellationToken cancellationToken) => TranslatedAsync(async () =>
    {
        if (await PairingRequest.FindAsync(store, keys, pairing.Code, cancellationToken) is not { } request)
        {
            return Show(volume.Head, keys);
        }

        DeviceId code = new(pairing.Id);
        VaultState head = await volume.ChangeMembersAsync(state => state.FindMember(code) is { Active: true } ? request.Changes(state, code) : [], cancellationToken);
        await VaultSetup.RemovePairingSlotsAsync(store, head, cancellationToken);
        return Show(head, keys);
    });

    /// <inheritdoc/>
    public Task<DeviceList> HandOverAsync(DeviceRequest request, CancellationToken cancellationToken) => TranslatedAsync(async () =>
        Show(await volume.HandOverAsync(Find(volume.Head, request.Id).Id, cancellationToken), keys));

    /// <inheritdoc/>
    public Task<DeviceList> TakeOverAsync(DeviceRequest request, CancellationToken cancellationToken) => TranslatedAsync(async () =>
        volume.Head.SingleWriter is { } writer && writer.Value != request.Id
            ? throw new DriveException(DriveError.NotReady, "Another device became the writer meanwhile: 'drive device writer' shows which.")
            : Show(await volume.TakeOverAsync(cancellationToken), keys));

    /// <inheritdoc/>
    public Task<DeviceList> RevokeAsync(DeviceRequest request, CancellationToken cancellationToken) => TranslatedAsync(async () =>
    {
        VaultState head = await volume.ChangeMembersAsync(state => RevocationOf(state, request.Id), cancellationToken);
        if (head.FindMember(new DeviceId(request.Id)) is { Kind: MemberKind.Pairing })
        {
            await VaultSetup.RemovePairingSlotsAsync(store, head, cancellationToken);
        }

        return Show(head, keys);
    });

    /// <inheritdoc/>
    public Task<DeviceList> RenameAsync(DeviceRequest request, CancellationToken cancellationToken) => TranslatedAsync(async () =>
    {
        string name = request.Name is { } wanted && !string.IsNullOrWhiteSpace(wanted)
            ? wanted.Trim()
            : throw new DriveException(DriveError.Usage, "That name is empty: give one that people can tell devices apart by.");
        VaultState head = await volume.ChangeMembersAsync(state => [new Rename(Find(state, request.Id).Id, name)], cancellationToken);
        return Show(head, keys);
    });

    /// <inheritdoc/>
    public Task SetPassphraseAsync(PassphraseRequest request, CancellationToken cancellationToken) => TranslatedAsync(async () =>
    {
        using JoinIdentity identity = JoinIdentity.ForPassphrase(random);
        byte[] secret = Encoding.UTF8.GetBytes(request.Passphrase);
        try
        {
            VaultState head = await volume.ChangeMembersAsync(state => VaultSetup.PassphraseChanges(state, identity), cancellationToken);
            await VaultSetup.ChangePassphraseAsync(store, keys, head, identity, secret, request.Alone, PassphraseCost.Calibrate(time), random, cancellationToken);
            return Show(head, keys);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    });

    /// <inheritdoc/>
    public Task<RecoveryKeyMessage> OfferRecoveryKeyAsync(CancellationToken cancellationToken) => TranslatedAsync(async () =>
    {
        VaultState head = await volume.ChangeMembersAsync(
            state =>
            {
                // Refused here, before anybody writes a key down.
                keys.MakeRotation(state, [.. RecoveryKeyChange.OldOnes(state)], random);
                return [];
            },
            cancellationToken);
        return new RecoveryKeyMessage(await RecoveryKeyChange.PutAsync(store, keys, head, random, cancellationToken));
    });

    /// <inheritdoc/>
    public Task<DeviceList> TakeRecoveryKeyAsync(RecoveryKeyMessage written, CancellationToken cancellationToken) => TranslatedAsync(async () =>
    {
        using RecoveryKeyChange change = await RecoveryKeyChange.OpenAsync(store, keys, written.Key, cancellationToken);
        VaultState head = await volume.ChangeMembersAsync(state => change.Changes(state, keys, random), cancellationToken);
        await change.RemoveOldSlotsAsync(store, cancellationToken);
        return Show(head, keys);
    });

    /// <summary>A state's members for people.</summary>
    private static DeviceList Show(VaultState state, VaultKeys keys) => new(
        state.Seq,
        state.KeyEpoch,
        [.. state.Members.Select(member => new DeviceInfo
        {
            Id = member.Id.Value,
            Kind = member.Kind switch
            {
                MemberKind.Device => "device",
                MemberKind.Recovery => "recovery",
                MemberKind.Pairing => "pairing",
                _ => throw new System.Diagnostics.UnreachableException(),
            },
            Number = member.Number,
            Name = member.Name,
            Active = member.Active,
            IsThis = member.Id == keys.DeviceId,
            LastCommit = member.LastTime > 0 ? DateTimeOffset.UnixEpoch.AddTicks(member.LastTime / 100) : null,
            Fingerprint = Convert.ToHexStringLower(SHA256.HashData(member.SigningPublicKey).AsSpan(0, 8)),
        })],
        state.SingleWriter?.Value);

    /// <summary>Only a device costs a new master key: the slot of a withdrawn code is taken away.</summary>
    private IReadOnlyList<MemberChange> RevocationOf(VaultState state, string id)
    {
        VaultMember member = Find(state, id);
        if (member.Id == keys.DeviceId)
        {
            throw new DriveException(DriveError.Usage, "That is this machine: revoke it from another device of the vault.");
        }

        if (member.Kind == MemberKind.Recovery)
        {
            throw new DriveException(DriveError.Usage, $"The {member.Name} is no device: 'drive passwd' replaces a passphrase, 'drive recovery-key renew' the recovery key.");
        }

        Revoke revoke = new(member.Id);
        return member.Kind == MemberKind.Pairing ? [revoke] : [revoke, keys.MakeRotation(state, [revoke], random)];
    }

    private static VaultMember Find(VaultState state, string id) =>
        state.Members.FirstOrDefault(member => member.Id.Value == id && member.Active)
        ?? throw new DriveException(DriveError.NotFound, "It is no active member of the vault any more: 'drive device list' shows who is.");

    private Task<T> TranslatedAsync<T>(Func<Task<T>> work) => VaultErrors.TranslatedAsync(place, work);
}
