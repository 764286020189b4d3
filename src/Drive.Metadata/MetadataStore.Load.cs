using Drive.Core.Rows;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>Filling an empty database from a checkpoint.</summary>
public sealed partial class MetadataStore
{
    /// <summary>
    /// Puts rows that hold from a commit on; in any portions and order, each portion one durable transaction. Only for a database that no commit was ever
    /// put in, and until <see cref="FinishLoad"/> nothing is to be read from it. Entries get ids of this database. An <see cref="InvalidOperationException"/> when a
    /// row is there already.
    /// </summary>
    public void Load(long seq, RowSet rows, IReadOnlyList<BlockRow> blocks)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(blocks);
        Change(() =>
        {
            RequireEmpty();
            rows.Nodes.ForEach(row => _nodes.Put(row, seq, isNew: true));
            rows.Entries.ForEach(row => _entries.Put(row with { EntryId = _counters.TakeEntryId() }, seq));
            _extents.Apply([], rows.Extents, seq);
            rows.Xattrs.ForEach(row => _xattrs.Put(row, seq));
            foreach (BlockRow block in blocks)
            {
                _blocks.Put(block);
            }
        });
    }

    /// <summary>The tree is that of commit <paramref name="seq"/> now: link counts of directories, which follow from the entries, are set.</summary>
    /// <param name="seq">The commit.</param>
    /// <param name="condemned">Packs that are condemned by then, and by which commit.</param>
    public void FinishLoad(long seq, IReadOnlyList<(PackId Pack, long Seq)> condemned)
    {
        ArgumentNullException.ThrowIfNull(condemned);
        Change(() =>
        {
            RequireEmpty();
            AdvanceTo(seq);
            _packs.PutKnownFrom(seq);
            _packs.PutThoseOfBlocks();
            foreach ((PackId pack, long at) in condemned)
            {
                _packs.Condemn(pack, at);
            }

            _database.Execute(NodeTable.CountSubdirectories);
        });
        lock (_gate)
        {
            _condemnedPacks.UnionWith(condemned.Select(static pack => pack.Pack));
        }
    }

    private void RequireEmpty()
    {
        if (_counters.LastSeq != 0)
        {
            throw new InvalidOperationException("A checkpoint is loaded into an empty database only.");
        }
    }
}
