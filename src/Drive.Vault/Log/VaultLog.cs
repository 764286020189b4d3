using System.Security.Cryptography;
using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <summary>
/// The vault's log: one total order of signed commits in immutable slots, on a store that is not trusted. Every call starts from
/// the <see cref="VaultState"/> that the caller has persisted; nothing else is remembered but slots that were read ahead. No decision rests on a listing, a clock or a modification time.
/// A caller runs one append and one read at a time, which may be beside each other.
/// </summary>
public sealed partial class VaultLog
{
    private readonly IObjectStore _store;
    private readonly VaultKeys _keys;
    private readonly SigningKey _signer;
    private readonly IRandomSource _random;
    private readonly CommitReads _reads;

    public VaultLog(IObjectStore store, VaultKeys keys, IRandomSource random)
        : this(store, keys, random, keys.Signer)
    {
    }

    internal VaultLog(IObjectStore store, VaultKeys keys, IRandomSource random, SigningKey signer)
    {
        _store = store;
        _keys = keys;
        _random = random;
        _signer = signer;
        _reads = new CommitReads(store);
    }

    /// <summary>
    /// The next commit after a state, with every proof checked, the state hash too. <paramref name="resolveClosed"/> gets the rows as
    /// stored (closed rows have keys only) and returns them with whole closed rows, as they stand at <paramref name="state"/>.
    /// </summary>
    public Task<ReadResult> ReadNextAsync(VaultState state, Func<RowChanges, RowChanges> resolveClosed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resolveClosed);
        return ReadCoreAsync(state, resolveClosed, cancellationToken);
    }

    /// <summary>
    /// Reads the pinned slot again. <see cref="IntegrityKind.RolledBack"/> when the store no longer has this device's head, or has another:
    /// call it on mount, on waking and now and then. Null: the head holds; else the floor that passed it.
    /// </summary>
    public async Task<FloorRef?> VerifyPinAsync(VaultState state, CancellationToken cancellationToken)
    {
        if (Mistakes.Has(Mistake.PinNotChecked))
        {
            return null;
        }

        ObjectName name = state.Seq == 0 ? VaultNames.Vault : VaultNames.Commit(state.Gen, state.Seq);
        byte[]? bytes = await _store.GetProvableAsync(name, SealedBody.ObjectBytesMax, cancellationToken);
        if (bytes is not null)
        {
            return Hash(bytes) == state.Head
                ? null
                : throw new VaultIntegrityException(name.Value, IntegrityKind.RolledBack, "holds another commit than this device has seen");
        }

        FloorRef? floor = await ReadFloorAsync(state, cancellationToken);
        return floor is not null && floor.Seq >= state.Seq
            ? floor
            : throw new VaultIntegrityException(name.Value, IntegrityKind.RolledBack, "is gone, though this device has seen it");
    }

    internal static Bytes32 Hash(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        SHA256.HashData(bytes, hash);
        return new Bytes32(hash);
    }

    /// <summary>Without a resolver the author's state hash is taken on its signature: for following the chain without a tree.</summary>
    internal Task<ReadResult> ReadChainAsync(VaultState state, CancellationToken cancellationToken) => ReadCoreAsync(state, null, cancellationToken);

    private async Task<ReadResult> ReadCoreAsync(VaultState state, Func<RowChanges, RowChanges>? resolveClosed, CancellationToken cancellationToken)
    {
        _keys.Learn(state, _signer);
        ObjectName name = VaultNames.Commit(state.Gen, state.Seq + 1);
        byte[]? bytes = await _reads.ReadAsync(state.Gen, state.Seq + 1, cancellationToken);
        if (bytes is null)
        {
            // Slots are deleted only after their floor exists, so in this order a truncated slot is never taken for the head.
            return !Mistakes.Has(Mistake.FloorNotReadAtHead) && await ReadFloorAsync(state, cancellationToken) is { } floor && floor.Seq > state.Seq
                ? new ReadResult.FloorJump(floor)
                : new ReadResult.AtHead();
        }

        (CommitContent commit, VaultState next) = Verify(state, bytes, name.Value);
        if (resolveClosed is not null)
        {
            RowChanges whole = commit.Rows.Closed.IsEmpty ? commit.Rows : resolveClosed(commit.Rows);
            if (StateHash.Update(state.StateHash, whole, _keys) != commit.StateHash && !Mistakes.Has(Mistake.StateHashNotChecked))
            {
                throw new VaultIntegrityException(name.Value, IntegrityKind.StateHash, "its rows do not give the author's tree");
            }

            commit = commit with { Rows = whole };
        }

        return new ReadResult.Next(commit, next);
    }

    /// <summary>Every proof but that of the rows: class, suite, vault, commitment, seal, signature, then the rules of the chain.</summary>
    private (CommitContent Commit, VaultState Next) Verify(VaultState state, byte[] bytes, string name)
    {
        SignedObject opened = SignedObject.Open(_keys, ObjectClass.Commit, bytes, name);
        Bytes32 hash = Hash(bytes);
        if (state.Seq == 0 && hash != _keys.GenesisHash && !Mistakes.Has(Mistake.GenesisNotPinned))
        {
            throw new VaultIntegrityException(name, IntegrityKind.Chain, "is not the first commit that this device knows");
        }

        // After the first commit the signer's key is known before the body is parsed.
        if (state.Seq > 0)
        {
            VerifySignature(opened, state.FindMember(opened.Signer), bytes, name);
        }

        CommitContent commit = CommitCodec.Read(opened.Unpack(name).Span, name);
        if (state.Seq == 0)
        {
            VerifySignature(opened, CommitRules.FindAuthor(state, commit), bytes, name);
        }

        if (commit.Device != opened.Signer)
        {
            throw new VaultIntegrityException(name, IntegrityKind.Signer, "names another author than its signer");
        }

        if (commit.KeyEpoch != opened.Header.Epoch)
        {
            throw new VaultIntegrityException(name, IntegrityKind.KeyEpoch, "is sealed under another key epoch than it says");
        }

        VaultState next = CommitRules.Apply(state, commit, hash, name);
        _keys.Learn(next, _signer);
        return (commit, next);
    }

    private static void VerifySignature(SignedObject opened, VaultMember? signer, byte[] bytes, string name)
    {
        if (signer is not { Active: true } && (signer is null || !Mistakes.Has(Mistake.RevokedSignerAccepted)))
        {
            throw new VaultIntegrityException(name, IntegrityKind.Signer, "its signer is no active member");
        }

        opened.VerifySignature(signer.SigningPublicKey, bytes, name);
    }
}
