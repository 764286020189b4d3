using Drive.Core.History;
using Drive.Core.Rows;

namespace Drive.Metadata;

/// <summary>What the past needs and what not: forgetting rows, and what becomes of packs.</summary>
public sealed partial class MetadataStore
{
    /// <summary>Packs that are condemned or gone. Where their blocks lay is still known until they are swept, but only for reading. Guarded by the gate.</summary>
    private readonly HashSet<PackId> _condemnedPacks;

    /// <summary>Whether a pack was ever condemned.</summary>
    public bool HasCondemned
    {
        get
        {
            lock (_gate)
            {
                return _condemnedPacks.Count > 0;
            }
        }
    }

    /// <summary>From which commit on the past is known here: 1, or the checkpoint that this database began with.</summary>
    public long KnownFrom => Read(() => _packs.ReadKnownFrom());

    /// <summary>
    /// Forgets rows, moments and places of blocks that no kept state needs, step by step; each step is one transaction over about so many rows and gives how many it deleted. Between two steps
    /// everything is as whole as before. What is not committed, and what is current, stays.
    /// </summary>
    public IEnumerable<int> Forget(KeptHistory kept, int rowsPerStep)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerStep, 1);
        return ForgetSteps(kept, rowsPerStep);
    }

    /// <summary>The spans of all extents and the blocks that they name, in parts of about so many rows. For whoever sees to it that no commit lands meanwhile.</summary>
    public IEnumerable<IReadOnlyList<BlockSpan>> ReadBlockSpans(int rowsPerPart)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerPart, 1);
        (long Node, long To, long Start) after = (long.MinValue, 0, 0);
        while (Read(() => _extents.ReadSpans(ref after, rowsPerPart)) is { Count: > 0 } part)
        {
            yield return part;
        }
    }

    /// <summary>All packs that the log named.</summary>
    public IReadOnlyList<PackFate> ReadPacks() => Read(_packs.ReadAll);

    /// <summary>What became of a pack; null for one that the log never named.</summary>
    public PackFate? FindPack(PackId pack) => Read(() => _packs.Find(pack));

    /// <summary>The store no longer has a swept pack.</summary>
    public void SetPackDeleted(PackId pack) => Change(() => _packs.SetDeleted(pack), flush: false);

    /// <summary>Where a block lies, condemned or not: for reading it.</summary>
    public BlockRow? FindBlockToRead(BlockId block) => Read(() => _blocks.Find(block));

    /// <summary>
    /// A commit of this device that changes nothing of the tree: blocks that moved, packs that are condemned or swept, or just a word that the device is there. What is not committed stays as it is.
    /// </summary>
    public void LandAlone(CommitNote note, IReadOnlyList<BlockRow> blocks, IEnumerable<(string Key, byte[]? Value)> settings)
    {
        ArgumentNullException.ThrowIfNull(note);
        ArgumentNullException.ThrowIfNull(blocks);
        ArgumentNullException.ThrowIfNull(settings);
        Change(() =>
        {
            AdvanceTo(note);
            foreach (BlockRow block in blocks)
            {
                _blocks.Put(block);
            }

            PutSettings(settings);
        });
        NoteCondemned(note);
    }

    private IEnumerable<int> ForgetSteps(KeptHistory kept, int rowsPerStep)
    {
        foreach (Tables.SpanTable table in kept.Below > 1 ? _spans : [])
        {
            object[]? last = null;
            do
            {
                int deleted = 0;
                Change(() => (last, deleted) = table.Forget(kept, last, rowsPerStep), flush: false);
                yield return deleted;
            }
            while (last is not null);
        }

        for (long first = 0; Read(() => _moments.ReadSeqs(first, kept.Below, rowsPerStep)) is { Count: > 0 } seqs; first = seqs[^1] + 1)
        {
            List<long> forgotten = [.. seqs.Where(seq => !kept.Keeps(seq))];
            Change(() => forgotten.ForEach(_moments.Remove), flush: false);
            yield return forgotten.Count;
        }

        HashSet<PackId> swept = [.. ReadPacks().Where(static pack => pack.SweptAt > 0).Select(static pack => pack.Pack)];
        foreach (IReadOnlyList<BlockRow> blocks in swept.Count > 0 ? ReadAllBlockParts(rowsPerStep) : [])
        {
            List<BlockRow> gone = [.. blocks.Where(block => swept.Contains(block.Pack))];
            if (gone.Count > 0)
            {
                Change(() => gone.ForEach(block => _blocks.Remove(block.Block)), flush: false);
            }

            yield return gone.Count;
        }
    }

    /// <summary>Only once the transaction is through: one that failed leaves everything as it was.</summary>
    private void NoteCondemned(CommitNote note)
    {
        lock (_gate)
        {
            _condemnedPacks.UnionWith(note.Condemned);
        }
    }

    private BlockRow? FindUsableBlock(BlockId block) => _blocks.Find(block) is { } row && !_condemnedPacks.Contains(row.Pack) ? row : null;
}
