using System.Security.Cryptography;
using System.Text;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Checkpoints;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>Opens a slot that holds an identity, follows the chain to its head, and enrols a new device there.</summary>
internal static class VaultJoin
{
    public static async Task<RecoveredVault> RunAsync(
        IObjectStore store, JoinSecret secret, string deviceName, LogPin? atLeast, TimeProvider time, IRandomSource random, CancellationToken cancellationToken)
    {
        VaultMaker.CheckName(deviceName);
        byte[] vaultBytes = await store.GetProvableAsync(VaultNames.Vault, VaultSetup.SmallBytesMax, cancellationToken)
            ?? throw new VaultException(VaultErrorKind.NoVault, "There is no vault in this store.");
        VaultHeader header = VaultHeader.Decode(vaultBytes);
        SlotPayload payload = await OpenSlotAsync(store, secret, header, cancellationToken);
        using SigningKey identity = payload.Identity!;
        var keys = new VaultKeys(
            header,
            payload.GenesisHash,
            payload.MasterKeys,
            1,
            deviceName,
            SigningKey.Create(VaultMaker.DrawDevice(random)),
            VaultMaker.Draw(random),
            payload.AccountSecret!);
        try
        {
            IReadOnlyList<LogPin> pins = [payload.LeastHead, .. atLeast is null ? Array.Empty<LogPin>() : [atLeast]];
            VaultLog log = new(store, keys, random, identity);
            VaultState before = await FollowAsync(log, store, keys, VaultState.BeforeGenesis(keys), pins, identity.Device, cancellationToken);
            RefuseWriter(before, secret);
            VaultState head = before.SingleWriter is not null && secret is JoinSecret.PairingCode { Text: var code }
                ? await PairingRequest.AskAsync(log, store, keys, before, identity.Device, code, pins, time, random, cancellationToken)
                : await EnrolAsync(log, store, keys, before, identity, pins, time, cancellationToken);
            if (secret is JoinSecret.PairingCode)
            {
                await RemoveUsedSlotsAsync(store, head, cancellationToken);
            }

            return new RecoveredVault(keys, head);
        }
        catch
        {
            keys.Dispose();
            throw;
        }
    }

    /// <summary>A slot whose name follows from its secret, so that it is found without a listing; to others it is random.</summary>
    internal static ObjectName SlotName(SlotKind kind, SecretBytes secret, VaultHeader header)
    {
        string label = kind switch
        {
            SlotKind.Recovery => Labels.RecoverySlotName,
            SlotKind.Pairing => Labels.PairingSlotName,
            SlotKind.PairingRequest => Labels.PairingRequestName,
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
        Span<byte> id = stackalloc byte[16];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret.Span, id, header.VaultId.AsSpan(), Encoding.ASCII.GetBytes(label));
        return VaultNames.Slot(id);
    }

    internal static async Task<VaultState> FollowAsync(
        VaultLog log, IObjectStore store, VaultKeys keys, VaultState state, IReadOnlyList<LogPin> pins, DeviceId? self, CancellationToken cancellationToken)
    {
        while (true)
        {
            // What comes after may be sealed under a key that it was not told.
            if (self is { } id && state.FindMember(id) is { Active: false })
            {
                return state;
            }

            switch (await log.ReadChainAsync(state, cancellationToken))
            {
                case ReadResult.Next next:
                    state = next.State;
                    foreach (LogPin pin in pins.Where(pin => pin.Seq == state.Seq && pin.Hash != state.Head))
                    {
                        throw new VaultIntegrityException(VaultNames.Commit(state.Gen, pin.Seq).Value, IntegrityKind.Chain, "is another commit than a device has seen there");
                    }

                    break;
                case ReadResult.FloorJump jump:
                    state = (await CheckpointReader.OpenAsync(store, keys, jump.Floor, state, cancellationToken)).State;
                    break;
                default:
                    long least = pins.Max(pin => pin.Seq);
                    return state.Seq >= least
                        ? state
                        : throw new VaultIntegrityException(VaultNames.Commit(state.Gen, least).Value, IntegrityKind.RolledBack, "is gone, though a device has seen it");
            }
        }
    }

    private static async Task<SlotPayload> OpenSlotAsync(IObjectStore store, JoinSecret secret, VaultHeader header, CancellationToken cancellationToken)
    {
        switch (secret)
        {
            case JoinSecret.RecoveryKey { Text: var text }:
                using (SecretBytes key = SecretText.Recovery.Parse(text))
                {
                    return await OpenNamedAsync(store, SlotKind.Recovery, key, header, "This recovery key does not open this vault.", cancellationToken);
                }

            case JoinSecret.PairingCode { Text: var text }:
                using (SecretBytes code = SecretText.Pairing.Parse(text))
                {
                    return await OpenNamedAsync(store, SlotKind.Pairing, code, header, "This pairing code is for another vault, was used, or was withdrawn: 'drive device add' on an enrolled machine shows a new one.", cancellationToken);
                }

            case JoinSecret.Passphrase passphrase:
                return await PassphraseSlot.FindAsync(store, passphrase, header, cancellationToken);
            default:
                throw new ArgumentOutOfRangeException(nameof(secret));
        }
    }

    internal static async Task<SlotPayload> OpenNamedAsync(
        IObjectStore store, SlotKind kind, SecretBytes secret, VaultHeader header, string refusal, CancellationToken cancellationToken)
    {
        ObjectName name = SlotName(kind, secret, header);
        byte[] slot = await store.GetProvableAsync(name, Slot.BytesMax, cancellationToken) ?? throw new VaultException(VaultErrorKind.WrongSecret, refusal);
        return SlotPayload.RequireIdentity(SlotPayload.Open(slot, kind, header, [], secret.Span, name.Value), name.Value);
    }

    /// <summary>To the head, then the commit; where another device took the slot, once more from there.</summary>
    private static async Task<VaultState> EnrolAsync(
        VaultLog log, IObjectStore store, VaultKeys keys, VaultState state, SigningKey identity, IReadOnlyList<LogPin> pins, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            VaultMember author = state.FindMember(identity.Device)
                ?? throw new VaultException(VaultErrorKind.WrongSecret, "This key was shown and never put in force: use the one from before.");
            if (!author.Active)
            {
                throw author.Kind == MemberKind.Pairing ? UsedCode() : new VaultException(
                    VaultErrorKind.WrongSecret, $"This {author.Name} was replaced by another: use the newer one.");
            }

            keys.DeviceNumber = state.NextDeviceNumber;
            var member = new VaultMember
            {
                Id = keys.DeviceId,
                Kind = MemberKind.Device,
                Number = keys.DeviceNumber,
                Name = keys.DeviceName,
                SigningPublicKey = keys.Signer.PublicKey,
            };
            List<MemberChange> changes = [new Enrol(member), new Announce(keys.DeviceId, keys.Signer.Wrapping.PublicKey)];
            if (author.Kind == MemberKind.Pairing)
            {
                changes.Add(new Revoke(identity.Device));
            }

            if (state.SingleWriter is not null)
            {
                changes.Add(new Appoint(keys.DeviceId));
            }

            Attempt attempt = log.Prepare(state, new CommitDraft { Members = changes, Time = VaultMaker.Nanoseconds(time) });
            if (await log.SubmitAsync(state, attempt, cancellationToken) is AppendOutcome.Committed committed)
            {
                return committed.Next;
            }

            VaultState next = await FollowAsync(log, store, keys, state, pins, identity.Device, cancellationToken);
            state = next.Seq > state.Seq
                ? next
                : throw new VaultIntegrityException(attempt.Name.Value, IntegrityKind.RolledBack, "is shown to one question and hidden from the next");
        }
    }

    internal static VaultException UsedCode() =>
        new(VaultErrorKind.WrongSecret, "This pairing code was used already, or was withdrawn: 'drive device add' on an enrolled machine shows a new one.");

    private static void RefuseWriter(VaultState state, JoinSecret secret)
    {
        if (state.SingleWriter is { } id && secret is not JoinSecret.PairingCode && !secret.TakesOver)
        {
            throw new VaultException(
                VaultErrorKind.NotReady,
                $"Only '{state.FindMember(id)!.Name}' writes to this vault, and lets devices in: run 'drive device add' there, and join with its code. If that machine is lost: --take-over makes this one the writer; what the other had not sent is then not in the vault.");
        }

        if (state.SingleWriter is null && secret.RequiresSingleWriter)
        {
            throw new VaultException(VaultErrorKind.NotReady, "This store does not keep names that are taken, and several devices write to this vault: it must lie in another store.");
        }
    }

    private static async Task RemoveUsedSlotsAsync(IObjectStore store, VaultState head, CancellationToken cancellationToken)
    {
        try
        {
            await VaultSetup.RemovePairingSlotsAsync(store, head, cancellationToken);
        }
        catch (StoreException)
        {
            // An append-only token, for one: the device is in all the same.
        }
    }
}
