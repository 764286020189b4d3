using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Checkpoints;

/// <summary>
/// Streams the whole tree at one seq into sealed parts, then a signed manifest that names them and holds the <see cref="VaultState"/> there.
/// Nothing counts until a commit names the manifest. For one thread. Each object is an own put; after a failure begin anew: what was put is garbage.
/// </summary>
public sealed class CheckpointWriter(IObjectStore store, VaultKeys keys, VaultState state, IRandomSource random) : IDisposable
{
    /// <summary>A part in plain: small enough to hold, big enough to be few.</summary>
    public const int PartBytesMax = 4 * 1024 * 1024;

    /// <summary>Above the largest row, an extended attribute.</summary>
    private const int RowBytesMax = 128 * 1024;

    private readonly ByteWriter _part = new(256 * 1024);
    private readonly List<CheckpointPart> _parts = [];
    private readonly StateHash.StateSum _sum = new(default, keys);

    /// <summary>Bytes of all its objects so far.</summary>
    public long BytesPut { get; private set; }

    /// <summary>Adds current rows, and where blocks lie, in any order and portions; each once.</summary>
    public async Task AddAsync(RowSet rows, IReadOnlyList<BlockRow> blocks, CancellationToken cancellationToken)
    {
        _sum.Add(rows);
        foreach (NodeRow row in rows.Nodes)
        {
            RowStream.Write(_part, row);
            await FlushIfFullAsync(cancellationToken);
        }

        foreach (EntryRow row in rows.Entries)
        {
            RowStream.Write(_part, row);
            await FlushIfFullAsync(cancellationToken);
        }

        foreach (ExtentRow row in rows.Extents)
        {
            RowStream.Write(_part, row);
            await FlushIfFullAsync(cancellationToken);
        }

        foreach (XattrRow row in rows.Xattrs)
        {
            RowStream.Write(_part, row);
            await FlushIfFullAsync(cancellationToken);
        }

        foreach (BlockRow row in blocks)
        {
            RowStream.Write(_part, row);
            await FlushIfFullAsync(cancellationToken);
        }
    }

    /// <summary>Puts the manifest. <see cref="IntegrityKind.StateHash"/>, and no manifest, when the rows are not the state's.</summary>
    public async Task<CheckpointRef> FinishAsync(CancellationToken cancellationToken)
    {
        if (_sum.Result != state.StateHash && !Mistakes.Has(Mistake.CheckpointSumIgnored))
        {
            throw new VaultIntegrityException("checkpoint", IntegrityKind.StateHash, "this device's rows are not those of the log; no checkpoint was written");
        }

        await FlushAsync(cancellationToken);
        using var body = new ByteWriter(4096);
        CheckpointManifest.Write(body, state, _parts);
        byte[] bytes = SignedObject.Seal(keys, keys.KeyEpoch, keys.Signer, ObjectClass.CheckpointManifest, random, body.Written, out Bytes32 id);
        await PutAsync(id, bytes, cancellationToken);
        return new CheckpointRef(id, state.Seq, VaultLog.Hash(bytes), state.StateHash);
    }

    public void Dispose()
    {
        _part.Dispose();
        _sum.Dispose();
    }

    private Task FlushIfFullAsync(CancellationToken cancellationToken) =>
        _part.Length > PartBytesMax - RowBytesMax ? FlushAsync(cancellationToken) : Task.CompletedTask;

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_part.Length == 0)
        {
            return;
        }

        byte[] bytes = SealedBody.Seal(keys, keys.KeyEpoch, ObjectClass.CheckpointPart, random, [], _part.Written, 0, out Bytes32 id);
        _part.Reset();
        await PutAsync(id, bytes, cancellationToken);
        _parts.Add(new CheckpointPart(id, VaultLog.Hash(bytes), bytes.Length));
    }

    /// <summary>An object that is there already is our own, put by a try before this one whose answer was lost; another under the fresh random name is no accident.</summary>
    private async Task PutAsync(Bytes32 id, byte[] bytes, CancellationToken cancellationToken)
    {
        ObjectName name = VaultNames.Checkpoint(id);
        if (!await store.PutIfAbsentAsync(name, bytes, cancellationToken))
        {
            byte[] found = await store.GetProvableAsync(name, bytes.Length, cancellationToken)
                ?? throw new StoreException(StoreErrorKind.Malformed, isTransient: true, $"The store says that it has {name}, and does not have it.");
            if (!found.AsSpan().SequenceEqual(bytes))
            {
                throw new VaultIntegrityException(name.Value, IntegrityKind.WrongObject, "holds other bytes than were put there");
            }
        }

        BytesPut += bytes.Length;
    }
}
