using System.Runtime.CompilerServices;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Checkpoints;

/// <summary>
/// Reads a checkpoint: first its state, then its rows, then what it has of the past. What it hands out is not to be used before <see cref="ReadAsync"/> has come to its end,
/// where the state hash is compared.
/// </summary>
public sealed class CheckpointReader
{
    private const int ManifestBytesMax = 64 * 1024 * 1024;
    private readonly IObjectStore _store;
    private readonly VaultKeys _keys;
    private readonly CheckpointManifest _manifest;
    private readonly string _name;

    private CheckpointReader(IObjectStore store, VaultKeys keys, VaultState state, CheckpointManifest manifest, string name)
    {
        _store = store;
        _keys = keys;
        State = state;
        _manifest = manifest;
        _name = name;
    }

    /// <summary>The log's state at the checkpoint: where reading goes on.</summary>
    public VaultState State { get; }

    public int PartCount => _manifest.Parts.Count;

    /// <summary>Parts with the past, which nothing else depends on.</summary>
    public int PastPartCount => _manifest.PastParts.Count;

    /// <summary>From which commit on the past that history keeps is whole here; the checkpoint's own where it has none.</summary>
    public long KnownFrom => _manifest.KnownFrom;

    /// <summary>The manifest's name in the store: for errors about what it holds.</summary>
    public string ObjectName => _name;

    /// <summary>All its objects, the manifest last: in this order they are deleted, so that what is left of one can always be found.</summary>
    public IEnumerable<ObjectName> ObjectNames => [.. _manifest.Parts.Concat(_manifest.PastParts).Select(static part => VaultNames.Checkpoint(part.Id)), new ObjectName(_name)];

    /// <summary>Opens a checkpoint that a proven commit names.</summary>
    public static async Task<CheckpointReader> OpenAsync(IObjectStore store, VaultKeys keys, CheckpointRef checkpoint, CancellationToken cancellationToken)
    {
        ObjectName name = VaultNames.Checkpoint(checkpoint.Id);
        byte[] bytes = await store.GetProvableAsync(name, ManifestBytesMax, cancellationToken)
            ?? throw new VaultIntegrityException(name.Value, IntegrityKind.Missing, "the checkpoint is not in the store");
        if (VaultLog.Hash(bytes) != checkpoint.ManifestHash)
        {
            throw new VaultIntegrityException(name.Value, IntegrityKind.WrongObject, "not the checkpoint that the log names");
        }

        SignedObject opened = SignedObject.Open(keys, ObjectClass.CheckpointManifest, bytes, name.Value);
        CheckpointManifest manifest = CheckpointManifest.Read(opened.Unpack(name.Value).Span, name.Value);
        VaultState state = manifest.State;
        opened.RequireEpoch(state.KeyEpoch, name.Value);
        if (opened.Header.ObjectId != checkpoint.Id || state.Seq != checkpoint.Seq || state.StateHash != checkpoint.StateHash || state.VaultId != keys.VaultId)
        {
            throw new VaultIntegrityException(name.Value, IntegrityKind.WrongObject, "not the checkpoint that the log names");
        }

        VaultMember signer = state.FindMember(opened.Signer) is { Active: true } member
            ? member
            : throw new VaultIntegrityException(name.Value, IntegrityKind.Signer, "its signer is no active member");
        opened.VerifySignature(signer.SigningPublicKey, bytes, name.Value);
        keys.Learn(state);
        return new CheckpointReader(store, keys, state, manifest, name.Value);
    }

    /// <summary>
    /// Opens the checkpoint of a floor that passed <paramref name="from"/>; the state comes back with that floor as its last. It must
    /// lie ahead of what this device has seen.
    /// </summary>
    public static async Task<CheckpointReader> OpenAsync(IObjectStore store, VaultKeys keys, FloorRef floor, VaultState from, CancellationToken cancellationToken)
    {
        keys.Learn(from);
        CheckpointReader reader = await OpenAsync(store, keys, floor.Checkpoint, cancellationToken);
        if (reader.State.Seq <= from.Seq || floor.Number <= from.Floor)
        {
            throw new VaultIntegrityException(reader._name, IntegrityKind.RolledBack, "a floor leads back behind what this device has seen");
        }

        if (!reader.State.CanFollow(from))
        {
            throw new VaultIntegrityException(reader._name, IntegrityKind.Rule, "its members are not those that this device has seen");
        }

        return new CheckpointReader(
            store, keys, reader.State with { LastFloor = floor, LastCheckpoint = floor.Checkpoint, OlderCheckpoints = [] }, reader._manifest, reader._name);
    }

    /// <summary>
    /// Opens the last checkpoint of a state that this device has proven. What it says of the members is proven only when the log from there on has led to a state
    /// that <see cref="VaultState.IsSameAs"/> the proven one.
    /// </summary>
    public static async Task<CheckpointReader> OpenAsync(IObjectStore store, VaultKeys keys, VaultState proven, CancellationToken cancellationToken)
    {
        CheckpointRef checkpoint = proven.LastCheckpoint ?? throw new ArgumentException("The log had named no checkpoint.", nameof(proven));
        keys.Learn(proven);
        CheckpointReader reader = await OpenAsync(store, keys, checkpoint, cancellationToken);
        return proven.CanFollow(reader.State)
            ? reader
            : throw new VaultIntegrityException(reader._name, IntegrityKind.Rule, "its members are not those that this device has seen");
    }

    /// <summary>All rows that hold, part by part. Throws at the end when they do not give the state hash.</summary>
    public async IAsyncEnumerable<(HeldRows Rows, IReadOnlyList<BlockRow> Blocks)> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var sum = new StateHash.StateSum(default, _keys);
        foreach (CheckpointPart part in _manifest.Parts)
        {
            (HeldRows rows, IReadOnlyList<BlockRow> blocks) = ReadPresent(await ReadPartAsync(part, cancellationToken), VaultNames.Checkpoint(part.Id).Value);
            sum.Add(rows.ToRows());
            yield return (rows, blocks);
        }

        if (sum.Result != State.StateHash)
        {
            throw new VaultIntegrityException(_name, IntegrityKind.StateHash, "the checkpoint's rows are not those of its commit");
        }
    }

    /// <summary>
    /// What the checkpoint has of the past, part by part. No state hash is over it: that it is what was is its author's word, as the manifest's hash in the log holds it.
    /// </summary>
    public async IAsyncEnumerable<PastRows> ReadPastAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (CheckpointPart part in _manifest.PastParts)
        {
            yield return ReadPast(await ReadPartAsync(part, cancellationToken), VaultNames.Checkpoint(part.Id).Value);
        }
    }

    /// <summary>Reads all of it, to know that the store gives it back; whoever names a checkpoint does so first.</summary>
    public async Task ProveAsync(CancellationToken cancellationToken)
    {
        await foreach (var part in ReadAsync(cancellationToken))
        {
            _ = part;
        }

        await foreach (PastRows part in ReadPastAsync(cancellationToken))
        {
            _ = part;
        }
    }

    private (HeldRows Rows, IReadOnlyList<BlockRow> Blocks) ReadPresent(ReadOnlyMemory<byte> body, string name)
    {
        var reader = new ByteReader(body.Span, name);
        if (_manifest.HasSpans)
        {
            return HeldRowStream.ReadPresent(ref reader, State.Seq);
        }

        RowChanges rows = RowStream.ReadToEnd(ref reader, allowClosed: false);
        return (HeldRows.Since(rows.Opened, State.Seq), rows.Blocks);
    }

    private PastRows ReadPast(ReadOnlyMemory<byte> body, string name)
    {
        var reader = new ByteReader(body.Span, name);
        return HeldRowStream.ReadPast(ref reader, State.Seq);
    }

    private async Task<ReadOnlyMemory<byte>> ReadPartAsync(CheckpointPart part, CancellationToken cancellationToken)
    {
        string name = VaultNames.Checkpoint(part.Id).Value;
        byte[] bytes = await _store.GetProvableAsync(VaultNames.Checkpoint(part.Id), part.Length, cancellationToken)
            ?? throw new VaultIntegrityException(name, IntegrityKind.Missing, "a part of the checkpoint is not in the store");
        if (VaultLog.Hash(bytes) != part.Hash)
        {
            throw new VaultIntegrityException(name, IntegrityKind.WrongObject, "not the part that the checkpoint names");
        }

        byte[] content = SealedBody.Open(_keys, ObjectClass.CheckpointPart, bytes, name, out ObjectHeader header);
        if (header.ObjectId != part.Id)
        {
            throw new VaultIntegrityException(name, IntegrityKind.WrongObject, "another part under this name");
        }

        return SealedBody.Unpack(content, name);
    }
}
