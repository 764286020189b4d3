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
/// Streams the whole tree at one seq, and apart from it what history keeps of before, into sealed parts, then a signed manifest that names them and holds the <see cref="VaultState"/> there.
/// Nothing counts until a commit names the manifest. For one thread. Each object is an own put; after a failure begin anew: what was put is garbage.
/// </summary>
public sealed class CheckpointWriter(IObjectStore store, VaultKeys keys, VaultState state, IRandomSource random) : IDisposable
{
    /// <summary>A part in plain: small enough to hold, big enough to be few.</summary>
    public const int PartBytesMax = 4 * 1024 * 1024;

    /// <summary>Above the largest row, an extended attribute.</summary>
    private const int RowBytesMax = 128 * 1024;

    private readonly PartStream _present = new();
    private readonly PartStream _past = new();
    private readonly StateHash.StateSum _sum = new(default, keys);

    /// <summary>From which commit on what is added of the past is all that history keeps: without more, from the checkpoint's own.</summary>
    public long KnownFrom { get; init; } = state.Seq;

    /// <summary>Bytes of all its objects so far.</summary>
    public long BytesPut { get; private set; }

    /// <summary>Adds rows that hold, and where blocks lie, in any order and portions; each once.</summary>
    public async Task AddAsync(HeldRows rows, IReadOnlyList<BlockRow> blocks, CancellationToken cancellationToken)
    {
        _sum.Add(rows.ToRows());
        await AddRowsAsync(_present, rows, cancellationToken);
        foreach (BlockRow row in blocks)
        {
            RowStream.Write(_present.Part, row);
            await FlushIfFullAsync(_present, cancellationToken);
        }
    }

    /// <summary>Adds some of the past, in any order and portions; each once.</summary>
    public async Task AddAsync(PastRows past, CancellationToken cancellationToken)
    {
        await AddRowsAsync(_past, past.Ended, cancellationToken);
        foreach (MomentRow row in past.Moments)
        {
            HeldRowStream.Write(_past.Part, row);
            await FlushIfFullAsync(_past, cancellationToken);
        }

        foreach (PackRow row in past.Packs)
        {
            HeldRowStream.Write(_past.Part, row);
            await FlushIfFullAsync(_past, cancellationToken);
        }
    }

    /// <summary>Puts the manifest. <see cref="IntegrityKind.StateHash"/>, and no manifest, when the rows are not the state's.</summary>
    public async Task<CheckpointRef> FinishAsync(CancellationToken cancellationToken)
    {
        if (_sum.Result != state.StateHash && !Mistakes.Has(Mistake.CheckpointSumIgnored))
        {
            throw new VaultIntegrityException("checkpoint", IntegrityKind.StateHash, "this device's rows are not those of the log; no checkpoint was written");
        }

        await FlushAsync(_present, cancellationToken);
        await FlushAsync(_past, cancellationToken);
        using var body = new ByteWriter(4096);
        new CheckpointManifest { State = state, Parts = _present.Parts, KnownFrom = KnownFrom, PastParts = _past.Parts }.Write(body);
        byte[] bytes = SignedObject.Seal(keys, keys.KeyEpoch, keys.Signer, ObjectClass.CheckpointManifest, random, body.Written, out Bytes32 id);
        await PutAsync(id, bytes, cancellationToken);
        return new CheckpointRef(id, state.Seq, VaultLog.Hash(bytes), state.StateHash);
    }

    public void Dispose()
    {
        _present.Part.Dispose();
        _past.Part.Dispose();
        _sum.Dispose();
    }

    private async Task AddRowsAsync(PartStream to, HeldRows rows, CancellationToken cancellationToken)
    {
        foreach (Held<NodeRow> row in rows.Nodes)
        {
            HeldRowStream.Write(to.Part, row);
            await FlushIfFullAsync(to, cancellationToken);
        }

        foreach (Held<EntryRow> row in rows.Entries)
        {
            HeldRowStream.Write(to.Part, row);
            await FlushIfFullAsync(to, cancellationToken);
        }

        foreach (Held<ExtentRow> row in rows.Extents)
        {
            HeldRowStream.Write(to.Part, row);
            await FlushIfFullAsync(to, cancellationToken);
        }

        foreach (Held<XattrRow> row in rows.Xattrs)
        {
            HeldRowStream.Write(to.Part, row);
            await FlushIfFullAsync(to, cancellationToken);
        }
    }

    private Task FlushIfFullAsync(PartStream stream, CancellationToken cancellationToken) =>
        stream.Part.Length > PartBytesMax - RowBytesMax ? FlushAsync(stream, cancellationToken) : Task.CompletedTask;

    private async Task FlushAsync(PartStream stream, CancellationToken cancellationToken)
    {
        if (stream.Part.Length == 0)
        {
            return;
        }

        byte[] bytes = SealedBody.Seal(keys, keys.KeyEpoch, ObjectClass.CheckpointPart, random, [], stream.Part.Written, 0, out Bytes32 id);
        stream.Part.Reset();
        await PutAsync(id, bytes, cancellationToken);
        stream.Parts.Add(new CheckpointPart(id, VaultLog.Hash(bytes), bytes.Length));
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

    /// <summary>Rows that become parts of one kind.</summary>
    private sealed class PartStream
    {
        public ByteWriter Part { get; } = new(256 * 1024);

        public List<CheckpointPart> Parts { get; } = [];
    }
}
