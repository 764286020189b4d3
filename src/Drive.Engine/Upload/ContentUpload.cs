using System.Buffers;
using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Engine.Upload;

/// <summary>
/// Sends the content of a capture: cuts dirty ranges into blocks, leaves out those the vault has, seals the rest into packs, puts the packs, and says
/// which extents end and begin. When it returns, every block that the new extents name is in the store.
/// </summary>
internal sealed class ContentUpload(
    MetadataStore metadata,
    DirtyLog log,
    Func<BlockId, int, Memory<byte>, CancellationToken, Task> readBlock,
    Func<PackWriter> newPack,
    VaultKeys keys,
    Func<PackId, ReadOnlyMemory<byte>, CancellationToken, Task> putPack,
    Func<BlockRow, CancellationToken, Task<bool>> isKept,
    EarlyBlocks early,
    Task before,
    int putsMax)
{
    /// <summary>Packs on their way to a near store at once: one is put while the next is filled.</summary>
    public const int PutsMaxNear = 2;

    /// <summary>
    /// To one far away: while some wait for their answer and their proof, others fill the link. Together they are no more than what a link of 300 KiB/s
    /// carries before a call is given up.
    /// </summary>
    public const int PutsMaxFar = 4;

    /// <summary>
    /// With more pieces than this in one 1 MiB of a file, the whole of it is sealed again as one block, so that reads stay few. Arbitrary:
    /// it bounds both the reads per block and how often a byte is sent again.
    /// </summary>
    private const int PiecesMax = 8;

    private readonly Dictionary<BlockId, BlockRow> _new = [];
    private readonly List<Task> _puts = [];
    private PackWriter? _pack;

    public List<ExtentRow> Closed { get; } = [];

    public List<ExtentRow> Opened { get; } = [];

    public List<BlockRow> Blocks { get; } = [];

    public List<PackRef> Packs { get; } = [];

    public async Task SendAsync(Capture capture, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Overlay.BlockBytes);
        try
        {
            foreach (CapturedFile file in capture.Files)
            {
                await SendFileAsync(file, buffer, cancellationToken);
            }

            await FinishPackAsync(cancellationToken);
            await Task.WhenAll(_puts);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _pack?.Dispose();
        }
    }

    /// <summary>Nodes that the epoch removes take their extents with them.</summary>
    public void CloseExtentsOfRemoved(RowChanges rows)
    {
        HashSet<NodeId> kept = [.. rows.Opened.Nodes.Select(static row => row.Node)];
        foreach (NodeRow row in rows.Closed.Nodes)
        {
            if (FileMode.IsRegular(row.Mode) && !kept.Contains(row.Node))
            {
                Closed.AddRange(metadata.ReadExtents(row.Node, 0, long.MaxValue));
            }
        }
    }

    private async Task SendFileAsync(CapturedFile file, byte[] buffer, CancellationToken cancellationToken)
    {
        List<ContentChange> changes = [.. file.Holes.Select(static hole => new ContentChange(hole.Start, hole.End, null, 0))];
        long resealed = -1;
        long unreadable = -1;
        foreach (IReadOnlyList<OverlayItem> run in ExtentMath.Runs(file.Items))
        {
            long number = run[0].Offset / Overlay.BlockBytes;
            if (number == resealed)
            {
                continue;
            }

            if (number != unreadable && IsFragmented(file, number))
            {
                if (await TryComposeBlockAsync(file, number, buffer, cancellationToken) is { } length)
                {
                    resealed = number;
                    long start = number * Overlay.BlockBytes;
                    changes.RemoveAll(change => change.Start >= start && change.End <= Overlay.BlockEnd(number));
                    changes.Add(new ContentChange(start, start + length, await StoreBlockAsync(buffer.AsMemory(0, length), cancellationToken), 0));
                    continue;
                }

                unreadable = number;
            }

            if (run[0].Chunk is null)
            {
                changes.Add(new ContentChange(run[0].Offset, run[0].End, run[0].Block, run[0].InnerOffset));
                continue;
            }

            int bytes = 0;
            foreach (OverlayItem item in run)
            {
                ReadChunk(item, buffer.AsSpan(bytes, item.Length));
                bytes += item.Length;
            }

            changes.Add(new ContentChange(run[0].Offset, run[^1].End, await StoreBlockAsync(buffer.AsMemory(0, bytes), cancellationToken), 0));
        }

        if (changes.Count > 0)
        {
            changes.Sort(static (x, y) => x.Start.CompareTo(y.Start));
            IReadOnlyList<ExtentRow> existing = metadata.ReadExtents(file.Node, changes[0].Start, changes[^1].End);
            ExtentMath.Apply(file.Node, existing, changes, Closed, Opened);
        }
    }

    private bool IsFragmented(CapturedFile file, long number)
    {
        long start = number * Overlay.BlockBytes;
        int pieces = metadata.ReadExtents(file.Node, start, Overlay.BlockEnd(number)).Count;
        long end = -1;
        foreach (OverlayItem item in ItemsOf(file, number))
        {
            pieces += item.Offset != end || item.Chunk is null ? 1 : 0;
            end = item.End;
        }

        return pieces > PiecesMax;
    }

    /// <summary>Null when old bytes of it fail their proof: then the changed ranges are sent as they are, and the rest stays as unreadable as it was.</summary>
    private async Task<int?> TryComposeBlockAsync(CapturedFile file, long number, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await ComposeBlockAsync(file, number, buffer, cancellationToken);
        }
        catch (Exception error) when (error is VaultIntegrityException or FsException { Status: FsStatus.Corrupt })
        {
            return null;
        }
    }

    /// <summary>One whole block of the file as it was captured: extents, holes over them, dirty data over both.</summary>
    private async Task<int> ComposeBlockAsync(CapturedFile file, long number, byte[] buffer, CancellationToken cancellationToken)
    {
        long start = number * Overlay.BlockBytes;
        int length = (int)Math.Min(Overlay.BlockBytes, file.Size - start);
        Memory<byte> whole = buffer.AsMemory(0, length);
        whole.Span.Clear();
        foreach (ExtentRow extent in metadata.ReadExtents(file.Node, start, start + length))
        {
            long from = Math.Max(start, extent.Offset);
            int bytes = (int)(Math.Min(start + length, extent.End) - from);
            if (bytes > 0)
            {
                await readBlock(extent.Block, extent.BlockOffset + (int)(from - extent.Offset), whole.Slice((int)(from - start), bytes), cancellationToken);
            }
        }

        foreach (ByteRange hole in file.Holes)
        {
            long from = Math.Max(start, hole.Start);
            long to = Math.Min(start + length, hole.End);
            if (from < to)
            {
                whole.Span[(int)(from - start)..(int)(to - start)].Clear();
            }
        }

        foreach (OverlayItem item in ItemsOf(file, number))
        {
            Memory<byte> part = whole.Slice((int)(item.Offset - start), item.Length);
            if (item.Chunk is null)
            {
                await readBlock(item.Block, item.InnerOffset, part, cancellationToken);
            }
            else
            {
                ReadChunk(item, part.Span);
            }
        }

        return length;
    }

    private static IEnumerable<OverlayItem> ItemsOf(CapturedFile file, long number)
    {
        // Items are sorted and a block has its items side by side: find the first by halving.
        int low = 0;
        int high = file.Items.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (file.Items[middle].Offset / Overlay.BlockBytes < number)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        for (; low < file.Items.Count && file.Items[low].Offset / Overlay.BlockBytes == number; low++)
        {
            yield return file.Items[low];
        }
    }

    private void ReadChunk(OverlayItem item, Span<byte> destination) =>
        log.Read(item.Chunk!.Position, item.Chunk.Length, item.InnerOffset, destination);

    private async ValueTask<BlockId> StoreBlockAsync(ReadOnlyMemory<byte> plain, CancellationToken cancellationToken)
    {
        BlockId id = keys.IdentifyBlock(plain.Span);
        if (_new.ContainsKey(id) || (metadata.FindBlock(id) is { } known && await isKept(known, cancellationToken)))
        {
            return id;
        }

        if (early.Find(id) is (var sent, var pack) && await isKept(sent, cancellationToken))
        {
            _new.Add(id, sent);
            Blocks.Add(sent);
            if (!Packs.Contains(pack))
            {
                Packs.Add(pack);
            }

            return id;
        }

        _pack ??= newPack();
        BlockRow row = _pack.Add(id, plain.Span, Effort.Quick);
        _new.Add(id, row);
        Blocks.Add(row);
        if (_pack.IsFull)
        {
            await FinishPackAsync(cancellationToken);
        }

        return id;
    }

    private async Task FinishPackAsync(CancellationToken cancellationToken)
    {
        if (_pack is not { } pack)
        {
            return;
        }

        // Not beyond the first pack: while the store is away, sealed packs would only take memory.
        await before;
        _pack = null;
        while (_puts.Count >= putsMax)
        {
            Task done = await Task.WhenAny(_puts);
            _puts.Remove(done);
            await done;
        }

        ReadOnlyMemory<byte> bytes = pack.Finish();
        Packs.Add(new PackRef(pack.Id, bytes.Length));
        _puts.Add(PutAsync(pack, bytes, cancellationToken));
    }

    private async Task PutAsync(PackWriter pack, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        using (pack)
        {
            await Task.Yield();
            await putPack(pack.Id, bytes, cancellationToken);
        }
    }
}
