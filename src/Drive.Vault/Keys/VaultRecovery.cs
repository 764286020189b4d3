using System.Security.Cryptography;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Checkpoints;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>Opens the recovery slot, follows the chain to its head, and enrols a new device there.</summary>
internal static class VaultRecovery
{
    public static async Task<RecoveredVault> RunAsync(
        IObjectStore store, string recoveryKey, string deviceName, LogPin? atLeast, TimeProvider time, IRandomSource random, CancellationToken cancellationToken)
    {
        VaultMaker.CheckName(deviceName);
        using SecretBytes secret = RecoveryKey.Parse(recoveryKey);
        byte[] vaultBytes = await store.GetProvableAsync(VaultNames.Vault, VaultSetup.SmallBytesMax, cancellationToken)
            ?? throw new VaultException(VaultErrorKind.NoVault, "There is no vault in this store.");
        VaultHeader header = VaultHeader.Decode(vaultBytes);
        SlotPayload payload = await OpenSlotAsync(store, secret, header, cancellationToken);
        using SigningKey recovery = payload.Recovery!;
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
            VaultState head = await EnrolAsync(new VaultLog(store, keys, random, recovery), store, keys, [payload.LeastHead, .. atLeast is null ? Array.Empty<LogPin>() : [atLeast]], time, cancellationToken);
            return new RecoveredVault(keys, head);
        }
        catch
        {
            keys.Dispose();
            throw;
        }
    }

    private static async Task<SlotPayload> OpenSlotAsync(IObjectStore store, SecretBytes secret, VaultHeader header, CancellationToken cancellationToken)
    {
        ObjectName name = VaultMaker.RecoverySlotName(secret, header);
        byte[] slot = await store.GetProvableAsync(name, Slot.BytesMax, cancellationToken)
            ?? throw new VaultException(VaultErrorKind.WrongSecret, "This recovery key does not open this vault.");
        byte[] plain = Slot.Open(slot, SlotKind.Recovery, header.VaultId, [], secret.Span, name.Value);
        try
        {
            SlotPayload payload = SlotPayload.Read(plain, name.Value);
            if (payload.Recovery is not null)
            {
                return payload;
            }

            payload.Dispose();
            throw new VaultIntegrityException(name.Value, IntegrityKind.Malformed, "a recovery slot without its identity");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    /// <summary>To the head, then the commit; where another device took the slot, once more from there.</summary>
    private static async Task<VaultState> EnrolAsync(
        VaultLog log, IObjectStore store, VaultKeys keys, IReadOnlyList<LogPin> pins, TimeProvider time, CancellationToken cancellationToken)
    {
        VaultState state = await FollowAsync(log, store, keys, VaultState.BeforeGenesis(keys), pins, cancellationToken);
        while (true)
        {
            keys.DeviceNumber = state.NextDeviceNumber;
            var member = new VaultMember
            {
                Id = keys.DeviceId,
                Kind = MemberKind.Device,
                Number = keys.DeviceNumber,
                Name = keys.DeviceName,
                SigningPublicKey = keys.Signer.PublicKey,
            };
            Attempt attempt = log.Prepare(state, new CommitDraft { Members = [new Enrol(member)], Time = VaultMaker.Nanoseconds(time) });
            if (await log.SubmitAsync(state, attempt, cancellationToken) is AppendOutcome.Committed committed)
            {
                return committed.Next;
            }

            VaultState next = await FollowAsync(log, store, keys, state, pins, cancellationToken);
            state = next.Seq > state.Seq
                ? next
                : throw new VaultIntegrityException(attempt.Name.Value, IntegrityKind.RolledBack, "is shown to one question and hidden from the next");
        }
    }

    internal static async Task<VaultState> FollowAsync(
        VaultLog log, IObjectStore store, VaultKeys keys, VaultState state, IReadOnlyList<LogPin> pins, CancellationToken cancellationToken)
    {
        while (true)
        {
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
}
