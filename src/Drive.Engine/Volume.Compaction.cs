using System.Runtime.CompilerServices;
using Drive.Core;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Garbage;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Engine;

/// <content>
/// Blocks that are sealed anew into other packs: what is needed of wasteful packs, with a commit that says where it lies now and condemns the old ones. <see cref="RestoreAsync"/> does the same for what
/// the store lost. And packs in the store that no commit names.
/// </content>
public sealed partial class Volume
{
    private const string StraysSetting = "strays";

    /// <summary>What is moved with one commit: between two of them everything else has its turn. Arbitrary.</summary>
    private const long CompactBatchBytes = 64L << 20;

    /// <summary>New packs whose commit is not made yet; they are no strays. Guarded by the gate.</summary>
    private readonly HashSet<PackId> _movingTo = [];

    private async Task CompactAsync(PackUse use, IReadOnlyList<PackId> wasteful, GarbageReport report, CancellationToken cancellationToken)
    {
        Dictionary<PackId, long> needed = use.Packs.ToDictionary(static pack => pack.Pack, static pack => pack.NeededBytes);
        List<PackId> batch = [];
        long bytes = 0;
        foreach (PackId pack in wasteful)
        {
            batch.Add(pack);
            bytes += needed[pack];
            if (bytes >= CompactBatchBytes)
            {
                await MoveAsync(use, [.. batch], report, cancellationToken);
                batch.Clear();
                bytes = 0;
            }
        }

        if (batch.Count > 0)
        {
            await MoveAsync(use, [.. batch], report, cancellationToken);
        }
    }

    /// <summary>Moves what is needed of some packs, and condemns those of which nothing is needed any more.</summary>
    private async Task MoveAsync(PackUse use, HashSet<PackId> from, GarbageReport report, CancellationToken cancellationToken)
    {
        List<BlockRow> moved = [];
        List<PackRef> packs = [];
        try
        {
            // A pack that fails its proof is not touched: what else of it can be read stays where it is.
            IEnumerable<BlockRow> rows = _metadata.ReadAllBlocks(CheckpointPageRows).SelectMany(static page => page).Where(row => from.Contains(row.Pack) && use.IsNeeded(row.Block));
            await SealAnewAsync(ReadToMoveAsync(rows, failed => from.Remove(failed.Pack), cancellationToken), moved, packs, cancellationToken);
            await RunInUploadLoopAsync(token => CondemnMovedAsync(from, moved, packs, report, token), cancellationToken);
        }
        finally
        {
            ReleaseNewPacks(packs);
        }
    }

    /// <summary>Reads blocks to move them; what fails its proof is left out. The memory is theirs until the next one.</summary>
    private async IAsyncEnumerable<(BlockId Block, ReadOnlyMemory<byte> Plain)> ReadToMoveAsync(IEnumerable<BlockRow> rows, Action<BlockRow> failed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BlockSegments.BlockBytesMax];
        foreach (BlockRow row in rows)
        {
            Memory<byte> plain = buffer.AsMemory(0, row.PlainLength);
            if (await TryReadToMoveAsync(row, plain, cancellationToken))
            {
                yield return (row.Block, plain);
            }
            else
            {
                failed(row);
            }
        }
    }

    /// <summary>Puts blocks into new packs; who calls it makes the commit that names them, and then <see cref="ReleaseNewPacks"/>. Until then they are no strays.</summary>
    private async Task SealAnewAsync(IAsyncEnumerable<(BlockId Block, ReadOnlyMemory<byte> Plain)> blocks, List<BlockRow> moved, List<PackRef> packs, CancellationToken cancellationToken)
    {
        PackWriter? writer = null;
        try
        {
            await foreach ((BlockId block, ReadOnlyMemory<byte> plain) in blocks)
            {
                writer ??= new PackWriter(_keys, _random);
                moved.Add(writer.Add(block, plain.Span, Effort.Moderate));
                if (writer.IsFull)
                {
                    packs.Add(await FinishPackAsync(writer, cancellationToken));
                    writer = null;
                }
            }

            if (writer is not null)
            {
                packs.Add(await FinishPackAsync(writer, cancellationToken));
                writer = null;
            }
        }
        finally
        {
            writer?.Dispose();
        }
    }

    private void ReleaseNewPacks(IEnumerable<PackRef> packs)
    {
        lock (_gate)
        {
            _movingTo.ExceptWith(packs.Select(static pack => pack.Pack));
        }
    }

    private async Task<bool> TryReadToMoveAsync(BlockRow row, Memory<byte> plain, CancellationToken cancellationToken)
    {
        try
        {
            await _blocks.ReadAsync(row.Block, 0, plain, cancellationToken);
            return _keys.IdentifyBlock(plain.Span) == row.Block;
        }
        catch (Exception error) when (error is VaultIntegrityException or FsException { Status: FsStatus.Corrupt })
        {
            return false;
        }
    }

    private async Task<PackRef> FinishPackAsync(PackWriter writer, CancellationToken cancellationToken)
    {
        using (writer)
        {
            ReadOnlyMemory<byte> bytes = writer.Finish();
            PackRef pack = new(writer.Id, bytes.Length);
            lock (_gate)
            {
                _movingTo.Add(pack.Pack);
            }

            try
            {
                await PutPackOnceAsync(pack.Pack, bytes, cancellationToken);
                return pack;
            }
            catch
            {
                ReleaseNewPacks([pack]);
                throw;
            }
        }
    }

    /// <summary>In the upload loop: counts anew, since commits may have come meanwhile that need more of the old packs.</summary>
    private async Task CondemnMovedAsync(HashSet<PackId> from, List<BlockRow> moved, List<PackRef> packs, GarbageReport report, CancellationToken cancellationToken)
    {
        while (_stopReason is null && _state.History.Freeze is null && KnowsPast(_state))
        {
            KeepUnmoved(moved, from);
            PackUse use = CountUse(_state.History.Kept, moved, cancellationToken);
            PackShare[] unneeded = [.. use.Packs.Where(pack => from.Contains(pack.Pack) && !use.IsNeeded(pack.Pack)).Take(VaultHistory.CondemnedMax - _state.History.Condemned.Count)];
            if (unneeded.Length == 0 || moved.Count == 0)
            {
                return;
            }

            if (await CommitAloneAsync(DraftOfMoved(moved, packs, [new Condemn([.. unneeded.Select(static pack => pack.Pack)])]), cancellationToken))
            {
                report.MovedPacks += unneeded.Length;
                report.MovedBytes += moved.Sum(static row => (long)BlockSegments.StoredLengthOf(row));
                return;
            }
        }
    }

    /// <summary>
    /// A block that another commit has moved meanwhile stays where that one put it, and one that the vault has forgotten is not named again, but for those of the present (<paramref name="unknown"/>) that have
    /// no place.
    /// </summary>
    private void KeepUnmoved(List<BlockRow> moved, HashSet<PackId> from, IReadOnlySet<BlockId>? unknown = null) =>
        moved.RemoveAll(row => _metadata.FindBlock(row.Block) is { } now ? !from.Contains(now.Pack) : unknown?.Contains(row.Block) != true);

    private CommitDraft DraftOfMoved(List<BlockRow> moved, List<PackRef> packs, IReadOnlyList<HistoryChange> history)
    {
        HashSet<PackId> named = [.. moved.Select(static row => row.Pack)];
        CommitDraft draft = new() { Packs = [.. packs.Where(pack => named.Contains(pack.Pack))], History = history, Time = Now() };
        draft.Rows.Blocks.AddRange(moved);
        return draft;
    }

    /// <summary>
    /// Packs that no commit names: this device's own that it does not need any more go at once, others when no device can name them. Packs that were swept and are there all the same go too.
    /// And what is needed and not there is counted: a listing may be late, so the store is asked for each by name.
    /// </summary>
    private async Task LookIntoStoreAsync(GarbageOptions options, GarbageReport report, CancellationToken cancellationToken)
    {
        Dictionary<PackId, long> listed = [];
        await foreach (ObjectInfo info in _store.ListAsync(VaultNames.PackPrefix, cancellationToken))
        {
            if (VaultNames.FindPack(info.Name) is { } pack)
            {
                listed[pack] = info.Length;
            }
        }

        report.StoredBytes = listed.Values.Sum();
        List<PackId> garbage = [];
        List<PackId> absent = [];
        await RunInUploadLoopAsync(
            async token =>
            {
                // The devices of now: whoever put one of these was enrolled before.
                await FollowPatientlyAsync(token);
                absent.AddRange(CountUse(_state.History.Kept, [], token).Packs.Where(pack => pack.NeededBytes > 0 && !listed.ContainsKey(pack.Pack)).Select(static pack => pack.Pack));
                if (!options.IsTrial)
                {
                    garbage.AddRange(FindGarbage(listed.Keys));
                }
            },
            cancellationToken);
        foreach (PackId pack in absent)
        {
            report.MissingPacks += await _store.GetLengthAsync(VaultNames.Pack(pack), cancellationToken) is null ? 1 : 0;
        }

        foreach (PackId pack in garbage)
        {
            if (!await TryDeletePackAsync(pack, listed[pack], report, cancellationToken))
            {
                return;
            }

            report.StoredBytes -= listed[pack];
        }
    }

    /// <summary>In the upload loop, at the log's head.</summary>
    private List<PackId> FindGarbage(IEnumerable<PackId> listed)
    {
        if (_stopReason is not null)
        {
            return [];
        }

        List<PackId> unnamed = [];
        List<PackId> garbage = [];
        lock (_gate)
        {
            foreach (PackId pack in listed)
            {
                if (_metadata.FindPack(pack) is { } known)
                {
                    if (known is { SweptAt: > 0, IsToDelete: false })
                    {
                        garbage.Add(pack);
                    }
                }
                else if (!_early.Names(pack) && !_movingTo.Contains(pack) && !_imports.Names(pack))
                {
                    unnamed.Add(pack);
                }
            }
        }

        // Those of an earlier listing first; without other devices this one will do.
        Strays now = Strays.Of(unnamed, _state);
        Strays? before = Strays.Decode(_metadata.ReadSetting(StraysSetting));
        Strays judged = before is not null && before.AreGarbage(_state, _keys.DeviceId) ? before : now;
        if (judged.AreGarbage(_state, _keys.DeviceId) || Mistakes.Has(Mistake.StrayOfAnotherDeleted))
        {
            garbage.AddRange(judged.Packs.Intersect(unnamed));
            before = null;
        }

        SaveSettings((StraysSetting, (before ?? now).Encode()));
        return garbage;
    }
}
