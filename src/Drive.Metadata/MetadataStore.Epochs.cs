using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>Epochs: what was done here since the last commit, on its way to become one.</summary>
public sealed partial class MetadataStore
{
    /// <summary>
    /// What an epoch changes: nodes, entries and xattrs (extents are the engine's to add). Rows that ended as they began are left out, also nodes
    /// that differ only in access time, and directories that differ only in link count. Nodes without links never leave this machine: to
    /// the vault such a node and its xattrs are gone, or were never there.
    /// </summary>
    public RowChanges ReadEpoch(long epoch)
    {
        long at = Epochs.Provisional(epoch);
        return Read(() => EpochReader.Read(at, _nodes, _entries, _xattrs));
    }

    /// <summary>
    /// Puts off rows of an epoch to the next one, of which no row exists yet: nodes with their xattrs, and entries. What the epoch did to
    /// them, the next one does.
    /// </summary>
    public void MoveToNextEpoch(long epoch, IReadOnlyCollection<NodeId> nodes, IReadOnlyCollection<(NodeId Parent, byte[] Name)> entries)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        ArgumentNullException.ThrowIfNull(entries);
        long from = Epochs.Provisional(epoch);
        long to = Epochs.Provisional(epoch + 1);
        Change(() =>
        {
            foreach (NodeId node in nodes)
            {
                _nodes.MoveOne(node, from, to);
                _xattrs.MoveOne(node, from, to);
            }

            foreach ((NodeId parent, byte[] name) in entries)
            {
                _entries.MoveOne(parent, name, from, to);
            }
        });
    }

    /// <summary>
    /// The epoch became a commit: its provisional seq becomes the real one everywhere, the extents of
    /// <paramref name="contentChanges"/> end and begin at it, and what belongs to the commit is saved, all in one transaction.
    /// </summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="note">The commit's seq, above all before, and what else is kept of it.</param>
    /// <param name="contentChanges">Extents closed and opened, and blocks. Other rows in it are ignored: the epoch has them.</param>
    /// <param name="blocks">More blocks.</param>
    /// <param name="dirtyRemoved">Dirty rows (by node and offset) whose bytes the commit holds.</param>
    /// <param name="dirtyPut">Dirty rows that remain in part.</param>
    /// <param name="settings">State that must change together with the commit.</param>
    public void Land(
        long epoch,
        CommitNote note,
        RowChanges contentChanges,
        IReadOnlyList<BlockRow> blocks,
        IReadOnlyList<DirtyRow> dirtyRemoved,
        IReadOnlyList<DirtyRow> dirtyPut,
        IEnumerable<(string Key, byte[]? Value)> settings)
    {
        ArgumentNullException.ThrowIfNull(note);
        ArgumentNullException.ThrowIfNull(contentChanges);
        ArgumentNullException.ThrowIfNull(blocks);
        ArgumentNullException.ThrowIfNull(dirtyRemoved);
        ArgumentNullException.ThrowIfNull(dirtyPut);
        ArgumentNullException.ThrowIfNull(settings);
        Change(() =>
        {
            long seq = note.Moment.Seq;
            AdvanceTo(note);
            foreach (Versions table in _versions)
            {
                table.Move(Epochs.Provisional(epoch), seq);
            }

            _extents.Apply(contentChanges.Closed.Extents, contentChanges.Opened.Extents, seq);
            foreach (BlockRow block in contentChanges.Blocks)
            {
                _blocks.Put(block);
            }

            foreach (BlockRow block in blocks)
            {
                _blocks.Put(block);
            }

            foreach (DirtyRow row in dirtyRemoved)
            {
                _dirty.Remove(row.Node, row.Offset);
            }

            foreach (DirtyRow row in dirtyPut)
            {
                _dirty.Put(row);
            }

            PutSettings(settings);
        });
        NoteCondemned(note);
    }

    /// <summary>Makes an epoch part of the next one, as after a restart: what lived only between them goes.</summary>
    public void CollapseEpoch(long epoch) => Change(() =>
    {
        foreach (Versions table in _versions)
        {
            table.Collapse(Epochs.Provisional(epoch), Epochs.Provisional(epoch + 1));
        }
    });

    private void AdvanceTo(CommitNote note)
    {
        long seq = note.Moment.Seq;
        AdvanceTo(seq);
        _moments.Put(note.Moment);
        foreach (PackRow pack in note.Packs)
        {
            _packs.Put(pack);
        }

        foreach (PackId pack in note.Condemned)
        {
            _packs.Condemn(pack, seq);
        }

        foreach (PackId pack in note.Swept)
        {
            _packs.Sweep(pack, seq, note.IsSweptHere);
        }
    }

    private void AdvanceTo(long seq)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(seq, _counters.LastSeq);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(seq, Epochs.ProvisionalBase);
        _counters.LastSeq = seq;
    }

    private void PutSettings(IEnumerable<(string Key, byte[]? Value)> settings)
    {
        foreach ((string key, byte[]? value) in settings)
        {
            _settings.Put(key, value);
        }
    }
}
