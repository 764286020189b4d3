using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Vault.Log;

namespace Drive.Engine.Upload;

/// <summary>
/// Blocks that were sent ahead of the commit that will name them: those of files too large to hold a commit up. Lives in memory: after a restart
/// they are sent again. Used by the upload loop only.
/// </summary>
internal sealed class EarlyBlocks
{
    private readonly Dictionary<BlockId, (BlockRow Row, PackRef Pack)> _blocks = [];
    private readonly Dictionary<NodeId, Dictionary<long, OverlayItem[]>> _sent = [];

    public (BlockRow Row, PackRef Pack)? Find(BlockId block) => _blocks.TryGetValue(block, out (BlockRow, PackRef) found) ? found : null;

    /// <summary>Bytes of a file in blocks of 1 MiB that were not sent as they are now; blocks of the vault that it shares are nothing to send.</summary>
    public long UnsentBytes(CapturedFile file) => Unsent(file).Sum(static items => items.Sum(static item => item.Chunk is null ? 0 : (long)item.Length));

    /// <summary>Items of the file, block by block, that were not sent as they are now.</summary>
    public IEnumerable<OverlayItem[]> Unsent(CapturedFile file)
    {
        Dictionary<long, OverlayItem[]>? sent = _sent.GetValueOrDefault(file.Node);
        foreach (IGrouping<long, OverlayItem> block in file.Items.GroupBy(static item => item.Offset / Overlay.BlockBytes))
        {
            OverlayItem[] items = [.. block];
            if (sent is null || !sent.TryGetValue(block.Key, out OverlayItem[]? before) || !before.AsSpan().SequenceEqual(items))
            {
                yield return items;
            }
        }
    }

    /// <summary>Notes what an upload ahead of a commit put into the store.</summary>
    public void Add(CapturedFile part, IReadOnlyList<BlockRow> blocks, IReadOnlyList<PackRef> packs)
    {
        Add(blocks, packs);
        if (!_sent.TryGetValue(part.Node, out Dictionary<long, OverlayItem[]>? sent))
        {
            _sent.Add(part.Node, sent = []);
        }

        foreach (IGrouping<long, OverlayItem> block in part.Items.GroupBy(static item => item.Offset / Overlay.BlockBytes))
        {
            sent[block.Key] = [.. block];
        }
    }

    /// <summary>Notes blocks of a commit that was not made.</summary>
    public void Add(IReadOnlyList<BlockRow> blocks, IReadOnlyList<PackRef> packs)
    {
        Dictionary<PackId, PackRef> byId = packs.ToDictionary(static pack => pack.Pack);
        foreach (BlockRow block in blocks)
        {
            _blocks[block.Block] = (block, byId[block.Pack]);
        }
    }

    /// <summary>Whether a block that is not in a commit yet lies in the pack.</summary>
    public bool Names(PackId pack) => _blocks.Values.Any(block => block.Pack.Pack == pack);

    /// <summary>Forgets blocks of packs that no commit may name any more.</summary>
    public void Forget(IReadOnlyList<PackId> condemned)
    {
        foreach (BlockId block in _blocks.Where(pair => condemned.Contains(pair.Value.Pack.Pack)).Select(static pair => pair.Key).ToList())
        {
            _blocks.Remove(block);
        }
    }

    /// <summary>Forgets all but these files; without any file the blocks go too.</summary>
    public void KeepOnly(IReadOnlySet<NodeId> nodes)
    {
        foreach (NodeId node in _sent.Keys.Where(node => !nodes.Contains(node)).ToList())
        {
            _sent.Remove(node);
        }

        if (_sent.Count == 0)
        {
            _blocks.Clear();
        }
    }
}
