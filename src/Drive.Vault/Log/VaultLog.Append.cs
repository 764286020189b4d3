using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <summary>Making commits and bringing them into the log.</summary>
public sealed partial class VaultLog
{
    /// <summary>
    /// Builds, seals and signs the commit that follows a state. Persist the attempt before <see cref="SubmitAsync"/>.
    /// A draft that readers would refuse is refused here, before it can do harm.
    /// </summary>
    public Attempt Prepare(VaultState state, CommitDraft draft) => Prepare(state, draft, _keys, _signer, _random);

    internal static Attempt Prepare(VaultState state, CommitDraft draft, VaultKeys keys, SigningKey signer, IRandomSource random)
    {
        keys.Learn(state, signer);
        VaultMember? self = state.FindMember(signer.Device);
        if (state.Seq > 0 && self is not { Active: true })
        {
            throw new VaultException(VaultErrorKind.NotMember, "This device is no longer a member of the vault.");
        }

        var commit = new CommitContent
        {
            VaultId = state.VaultId,
            Gen = state.Gen,
            Seq = state.Seq + 1,
            PrevHash = state.Head,
            Device = signer.Device,
            Incarnation = draft.Incarnation ?? self?.Incarnation ?? 0,
            DeviceOpSeq = (self?.LastOpSeq ?? 0) + 1,
            KeyEpoch = state.KeyEpoch,
            Time = draft.Time,
            Rows = draft.Rows,
            Packs = draft.Packs,
            Members = WithOwnKey(draft.Members, self, signer),
            Writer = draft.Writer,
            Checkpoint = draft.Checkpoint,
            Floor = draft.Floor,
            History = draft.History,
            StateHash = StateHash.Update(state.StateHash, draft.Rows, keys),
        };
        using var body = new ByteWriter(4096);
        CommitCodec.Write(body, commit);
        byte[] bytes = SignedObject.Seal(keys, state.KeyEpoch, signer, ObjectClass.Commit, random, body.Written, out _);
        string name = VaultNames.Commit(state.Gen, state.Seq + 1).Value;

        // Reading back what was written costs little and keeps every reader from being stopped by a commit that they must refuse.
        CommitContent written = CommitCodec.Read(body.Written, name);
        VaultState next = CommitRules.Apply(state, written, Hash(bytes), name);
        return new Attempt(bytes, commit.DeviceOpSeq, next);
    }

    /// <summary>
    /// Brings an attempt into its slot. A <see cref="StoreException"/> or a cancellation leaves the outcome open: call again with the same
    /// attempt, after a restart too. Committed is said only of what the store gave back, after the commit that it follows. No put here may be repeated by a layer below with another answer than the store's own.
    /// </summary>
    public async Task<AppendOutcome> SubmitAsync(VaultState state, Attempt attempt, CancellationToken cancellationToken)
    {
        if (attempt.Seq != state.Seq + 1 || attempt.Gen != state.Gen)
        {
            throw new ArgumentException("An attempt is for the slot that follows its state.", nameof(attempt));
        }

        _keys.Learn(state, _signer);
        // A store that does not keep names that are taken must not be asked to: what is there stays there.
        bool isTaken = attempt.Next.SingleWriter is not null && await _store.GetProvableAsync(attempt.Name, SealedBody.ObjectBytesMax, cancellationToken) is not null;
        bool isMade = !isTaken && await _store.PutIfAbsentAsync(attempt.Name, attempt.Bytes, cancellationToken);
        return await ReadOutcomeAsync(state, attempt, isMade ? "made" : "has", cancellationToken);
    }

    /// <summary>
    /// What became of an attempt that was committed a while ago, without putting anything: for stores whose word for a name is not enough. Absent again is a transient
    /// <see cref="StoreException"/>: call <see cref="SubmitAsync"/> with the same attempt.
    /// </summary>
    public Task<AppendOutcome> LookAgainAsync(VaultState state, Attempt attempt, CancellationToken cancellationToken) =>
        ReadOutcomeAsync(state, attempt, "had", cancellationToken);

    private async Task<AppendOutcome> ReadOutcomeAsync(VaultState state, Attempt attempt, string said, CancellationToken cancellationToken)
    {
        byte[]? found = await _store.GetProvableAsync(attempt.Name, SealedBody.ObjectBytesMax, cancellationToken);
        if (found is null)
        {
            // "Made" and "taken" are words until the store gives the commit back: what lies on this machine only must not go because of them.
            return await ReadFloorAsync(state, cancellationToken) is { } passed && passed.Seq >= attempt.Seq
                ? new AppendOutcome.Overtaken(passed)
                : throw new StoreException(
                    StoreErrorKind.Malformed, isTransient: true, $"The store says that it {said} {attempt.Name}, and does not have it.");
        }

        if (Hash(found) != attempt.Hash)
        {
            // Only an authentic commit takes the slot from us. Garbage is an alarm, and the attempt stays.
            Verify(state, found, attempt.Name.Value);
            return new AppendOutcome.Lost();
        }

        // Both are asked for at once: far away each question costs a round trip.
        Task<FloorRef?> reading = ReadFloorAsync(state, cancellationToken);
        Task verifying = VerifyPinAsync(state, cancellationToken);
        await Task.WhenAll(reading, verifying).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);

        // A slot that was truncated can be made again by a writer that slept: only the floor tells.
        if (await reading is { } floor && floor.Seq >= attempt.Seq && !Mistakes.Has(Mistake.FloorNotReadAfterAppend))
        {
            return new AppendOutcome.Overtaken(floor);
        }

        // A store that was put back meanwhile has the slot and not what it follows: behind this commit nobody would ever see that again.
        await verifying;
        _keys.Learn(attempt.Next, _signer);
        return new AppendOutcome.Committed(attempt.Next);
    }

    /// <summary>A member that has not said yet what to wrap new keys for says it with its next commit; before a rotation, which is always last.</summary>
    private static IReadOnlyList<MemberChange> WithOwnKey(IReadOnlyList<MemberChange> changes, VaultMember? self, SigningKey signer)
    {
        if (self?.WrappingPublicKey is not null || changes.Any(change => change is Announce { Device: var device } && device == signer.Device))
        {
            return changes;
        }

        Announce own = new(signer.Device, signer.Wrapping.PublicKey);
        return changes.Count > 0 && changes[^1] is Rotate rotation ? [.. changes.SkipLast(1), own, rotation] : [.. changes, own];
    }
}
