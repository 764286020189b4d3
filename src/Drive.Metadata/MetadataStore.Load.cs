using Drive.Core.Rows;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>Filling an empty database from a checkpoint.</summary>
public sealed partial class MetadataStore
{
    private EndedTable? _ended;

    /// <summary>Its statements are prepared when they are first needed. Under the lock.</summary>
    private EndedTable EndedRows => _ended ??= new EndedTable(_database, _seal, _nodes, _entries, _xattrs);

    /// <summary>
    /// Puts rows that hold, and since when they do; in any portions and order, each portion one durable transaction. Only for a database that no commit was ever
    /// put in, and until <see cref="FinishLoad"/> nothing is to be read from it. Entries get ids of this database. An <see cref="InvalidOperationException"/> when a
    /// row is there already.
    /// </summary>
    public void Load(HeldRows rows, IReadOnlyList<BlockRow> blocks)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(blocks);
        Change(() =>
        {
            RequireEmpty();
            rows.Nodes.ForEach(held => _nodes.Put(held.Row, held.From, isNew: true));
            rows.Entries.ForEach(held => _entries.Put(held.Row with { EntryId = _counters.TakeEntryId() }, held.From));
            rows.Extents.ForEach(held => _extents.Put(held.Row, held.From));
            rows.Xattrs.ForEach(held => _xattrs.Put(held.Row, held.From));
            foreach (BlockRow block in blocks)
            {
                _blocks.Put(block);
            }
        });
    }

    /// <summary>Puts some of the past, as <see cref="Load"/> does the present.</summary>
    public void LoadPast(PastRows past)
    {
        ArgumentNullException.ThrowIfNull(past);
        Change(() =>
        {
            RequireEmpty();
            EndedRows.Put(past.Ended, _counters.TakeEntryId);
            past.Moments.ForEach(_moments.Put);
            past.Packs.ForEach(_packs.Put);
        });
    }

    /// <summary>The tree is that of commit <paramref name="seq"/> now: link counts of directories, which follow from the entries, are set.</summary>
    /// <param name="seq">The commit.</param>
    /// <param name="knownFrom">From which commit on the past that history keeps was loaded; the same one where none was.</param>
    /// <param name="condemned">Packs that are condemned by then, and by which commit.</param>
    public void FinishLoad(long seq, long knownFrom, IReadOnlyList<(PackId Pack, long Seq)> condemned)
    {
        ArgumentNullException.ThrowIfNull(condemned);
        Change(() =>
        {
            RequireEmpty();
            AdvanceTo(seq);
            _packs.PutKnownFrom(knownFrom);
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
