using System.Buffers;
using Drive.Cache.Blocks;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Packs;

namespace Drive.Engine.Reading;

/// <summary>
/// Plain bytes of blocks: sealed segments come from the store (a local one) or the block cache, or else from the store through the cache, are opened, and
/// handed out. Wrong bytes are never handed out: a segment of the cache that fails is fetched anew, one of the store is an error.
/// </summary>
internal sealed class BlockReader(MetadataStore metadata, IObjectStore store, BlockCache cache, PackReader packs, RateMeter meter, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Rows of blocks in use; about 200 bytes each.</summary>
    private const int RowsMax = 8192;

    private readonly Lock _gate = new();

    // Both guarded by _gate.
    private readonly Dictionary<BlockId, BlockRow> _rows = [];
    private readonly HashSet<PackId> _failed = [];
    private readonly RecentSegments _recent = new();

    /// <summary>Null for a local store: its packs are read in place.</summary>
    private readonly PackFetcher? _fetcher = store.Description.IsLocal ? null : new PackFetcher(store, cache, meter, time);

    /// <summary>Bytes fetched from the store.</summary>
    public RateMeter Meter => meter;

    /// <summary>Whether the store is so near that nothing is fetched ahead of readers.</summary>
    public bool IsLocal => _fetcher is null;

    /// <summary>Fills <paramref name="destination"/> from a block's plain bytes. Throws <see cref="FsException"/>, <see cref="StoreException"/>, <see cref="VaultIntegrityException"/>.</summary>
    public async ValueTask ReadAsync(BlockId block, int offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        BlockRow row = Find(block);
        int position = 0;
        while (position < destination.Length)
        {
            int segment = (offset + position) / BlockSegments.SegmentBytes;
            int inner = (offset + position) % BlockSegments.SegmentBytes;
            int plain = BlockSegments.PlainLengthOf(row.PlainLength, segment);
            int take = Math.Min(plain - inner, destination.Length - position);
            Memory<byte> part = destination.Slice(position, take);
            position += take;
            if (_recent.TryCopy(row.Block, segment, inner, part.Span))
            {
                continue;
            }

            int last = (offset + destination.Length - 1) / BlockSegments.SegmentBytes;
            ValueTask<int> read = ReadSegmentsAsync(row, segment, last, offset, destination, cancellationToken);
            int read1 = read.IsCompletedSuccessfully ? read.Result : await read;
            position = Math.Max(position, read1);
        }
    }

    /// <summary>Opens all of a block from what the store gave. <see cref="VaultIntegrityException"/> when that is not what was put there, which is remembered (<see cref="HasFailed"/>).</summary>
    public void Open(BlockRow row, ReadOnlySpan<byte> bytes, Span<byte> destination)
    {
        try
        {
            OpenSegments(row, 0, row.Segments.Length - 1, 0, bytes, destination);
        }
        catch (VaultIntegrityException)
        {
            NoteFailed(row);
            throw;
        }
    }

    /// <summary>As the other one, and remembers it (<see cref="HasFailed"/>).</summary>
    public void RequireAll(BlockRow row, int? read, int wanted)
    {
        if (read is null || read < wanted)
        {
            NoteFailed(row);
        }

        RequireAll(row.Pack, read, wanted);
    }

    /// <summary>Whether the store did not have the pack, or had other bytes, when it was read since the start.</summary>
    public bool HasFailed(PackId pack)
    {
        lock (_gate)
        {
            return _failed.Contains(pack);
        }
    }

    /// <summary>Blocks have another place from now on.</summary>
    public void Forget(IReadOnlyList<BlockRow> blocks)
    {
        lock (_gate)
        {
            foreach (BlockRow block in blocks)
            {
                _rows.Remove(block.Block);
            }
        }
    }

    /// <summary>Where the segments lie that hold a part of a block; false when the block is not known.</summary>
    public bool TryLocate(BlockId block, int offset, int length, out PackId pack, out ByteRange range)
    {
        (pack, range) = (default, default);
        if (TryFind(block) is not { } row)
        {
            return false;
        }

        int last = (offset + length - 1) / BlockSegments.SegmentBytes;
        pack = row.Pack;
        range = new ByteRange(
            BlockSegments.OffsetOf(row, offset / BlockSegments.SegmentBytes), BlockSegments.OffsetOf(row, last) + BlockSegments.StoredLengthOf(row, last));
        return true;
    }

    /// <summary>What a stream of reads may have ahead of it now. (Not for a local store.)</summary>
    public long ShareOf(object stream) => _fetcher!.ShareOf(stream);

    /// <summary>Fetches parts of blocks that will be wanted soon into the cache, in the background; best effort. False: not all was begun, for want of budget. (Not for a local store.)</summary>
    public bool FetchAhead(object stream, IEnumerable<(BlockId Block, int Offset, int Length)> parts)
    {
        List<(PackId Pack, ByteRange Range)> ranges = [];
        foreach ((BlockId block, int offset, int length) in parts)
        {
            if (!TryLocate(block, offset, length, out PackId pack, out ByteRange range))
            {
                // Who reads it is told.
                continue;
            }

            if (ranges is [.., var before] && before.Pack == pack && before.Range.End == range.Start)
            {
                ranges[^1] = (pack, new ByteRange(before.Range.Start, range.End));
            }
            else
            {
                ranges.Add((pack, range));
            }
        }

        return _fetcher!.FetchAhead(stream, ranges);
    }

    /// <summary>Ends what is fetched in the background.</summary>
    public ValueTask DisposeAsync() => _fetcher?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Fetches the segments from <paramref name="first"/> to <paramref name="last"/> in one go and opens them; returns how far the destination is filled.</summary>
    private async ValueTask<int> ReadSegmentsAsync(
        BlockRow row, int first, int last, int offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        long start = BlockSegments.OffsetOf(row, first);
        int length = (int)(BlockSegments.OffsetOf(row, last) + BlockSegments.StoredLengthOf(row, last) - start);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Memory<byte> bytes = buffer.AsMemory(0, length);
            ValueTask get = GetAsync();
            if (!get.IsCompletedSuccessfully)
            {
                await get;
            }

            try
            {
                return OpenSegments(row, first, last, offset, bytes.Span, destination.Span);
            }
            catch (VaultIntegrityException) when (_fetcher is not null)
            {
                // A damaged cache is not a damaged vault: drop it and ask the store.
                cache.Invalidate(row.Pack, start, length);
            }

            await GetAsync();
            return OpenSegments(row, first, last, offset, bytes.Span, destination.Span);

            ValueTask GetAsync() => _fetcher is null
                ? ReadInPlaceAsync(row, start, bytes, cancellationToken)
                : cache.TryRead(row.Pack, start, bytes.Span)
                    ? ValueTask.CompletedTask
                    : _fetcher.ReadAsync(row.Pack, start, bytes, row.Segments.Length == 1, cancellationToken);
        }
        catch (Exception error) when (error is VaultIntegrityException or FsException { Status: FsStatus.Corrupt })
        {
            NoteFailed(row);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask ReadInPlaceAsync(BlockRow row, long start, Memory<byte> bytes, CancellationToken cancellationToken)
    {
        ValueTask<int?> get = store.GetRangeAsync(VaultNames.Pack(row.Pack), start, bytes, cancellationToken);
        int? read = get.IsCompletedSuccessfully ? get.Result : await get;
        RequireAll(row.Pack, read, bytes.Length);
        meter.Add(bytes.Length);
    }

    /// <summary>What the vault needs and the store does not give is damage, and says so.</summary>
    internal static void RequireAll(PackId pack, int? read, int wanted)
    {
        ObjectName name = VaultNames.Pack(pack);
        if (read is null)
        {
            throw new FsException(FsStatus.Corrupt, $"The store says that {name} does not exist, but the vault needs it. Bring it back from a copy of the store.");
        }

        if (read < wanted)
        {
            throw new FsException(FsStatus.Corrupt, $"{name} is shorter than the vault says. Bring it back from a copy of the store.");
        }
    }

    private int OpenSegments(BlockRow row, int first, int last, int offset, ReadOnlySpan<byte> bytes, Span<byte> destination)
    {
        int filled = 0;
        for (int segment = first; segment <= last; segment++)
        {
            int stored = BlockSegments.StoredLengthOf(row, segment);
            int plain = BlockSegments.PlainLengthOf(row.PlainLength, segment);
            int at = (segment * BlockSegments.SegmentBytes) - offset;
            if (at >= 0 && at + plain <= destination.Length)
            {
                packs.OpenSegment(row, segment, bytes[..stored], destination.Slice(at, plain));
                filled = at + plain;
            }
            else
            {
                byte[] whole = ArrayPool<byte>.Shared.Rent(plain);
                packs.OpenSegment(row, segment, bytes[..stored], whole.AsSpan(0, plain));
                int skip = Math.Max(0, -at);
                int take = Math.Min(plain - skip, destination.Length - Math.Max(0, at));
                whole.AsSpan(skip, take).CopyTo(destination[Math.Max(0, at)..]);
                filled = Math.Max(0, at) + take;
                _recent.Put(row.Block, segment, whole, plain);
            }

            bytes = bytes[stored..];
        }

        return filled;
    }

    private void NoteFailed(BlockRow row)
    {
        lock (_gate)
        {
            _failed.Add(row.Pack);
            _rows.Remove(row.Block);
        }
    }

    private BlockRow Find(BlockId block) => TryFind(block)
        ?? throw new FsException(FsStatus.Corrupt, "A block of the file is not in the database: end the drive, move its state directory away, and run 'drive recover'.");

    private BlockRow? TryFind(BlockId block)
    {
        lock (_gate)
        {
            if (_rows.TryGetValue(block, out BlockRow? row))
            {
                return row;
            }
        }

        BlockRow? found = metadata.FindBlockToRead(block);
        if (found is not null)
        {
            lock (_gate)
            {
                if (_rows.Count >= RowsMax)
                {
                    _rows.Clear();
                }

                _rows[block] = found;
            }
        }

        return found;
    }
}
