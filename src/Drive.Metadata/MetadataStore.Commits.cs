using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>Commits of other devices.</summary>
public sealed partial class MetadataStore
{
    /// <summary>Of a directory without subdirectories: its entry and its own ".".</summary>
    private const uint DirectoryLinkCount = 2;

    /// <summary>
    /// Takes over a commit from the log: closed rows (by key) end at its seq, opened ones begin. Entries get ids of this database;
    /// link counts of directories are kept here and follow from the entries. An <see cref="InvalidOperationException"/> when a closed row is
    /// not there (the commit does not fit this tree), or when an epoch holds changes for the vault (merge first); then nothing changed. Epochs that
    /// hold only what stays local, such as orphans, become part of the seq.
    /// </summary>
    public void ApplyCommit(CommitNote note, RowChanges changes, IEnumerable<(string Key, byte[]? Value)> settings)
    {
        ArgumentNullException.ThrowIfNull(note);
        ArgumentNullException.ThrowIfNull(changes);
        ArgumentNullException.ThrowIfNull(settings);
        Change(() =>
        {
            TakeOver(note, changes);
            PutSettings(settings);
        });
        NoteCondemned(note);
    }

    /// <summary>
    /// Takes over a commit from the log below an epoch that holds changes, in one transaction: what the epoch did is taken back, the commit ends and begins its rows
    /// at its seq, and <paramref name="remade"/> is what the epoch does from now on. It must be the only epoch. Errors as <see cref="ApplyCommit"/>.
    /// </summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="note">The commit's seq, and what else is kept of it.</param>
    /// <param name="changes">The commit.</param>
    /// <param name="remade">Nodes, entries and xattrs; closed rows as they stand after the commit. Entries keep their ids where they have any.</param>
    /// <param name="rest">Dirty rows, blocks and settings that change with it; other rows in it are ignored.</param>
    public void Rebase(long epoch, CommitNote note, RowChanges changes, RowChanges remade, MetadataBatch rest)
    {
        ArgumentNullException.ThrowIfNull(note);
        ArgumentNullException.ThrowIfNull(changes);
        ArgumentNullException.ThrowIfNull(remade);
        ArgumentNullException.ThrowIfNull(rest);
        long at = Epochs.Provisional(epoch);
        Change(() =>
        {
            Undo(at);
            TakeOver(note, changes);
            ChangeRows(remade, at);
            ApplyUnversioned(rest);
        });
        NoteCondemned(note);
    }

    private void Undo(long at)
    {
        foreach (NodeRow row in _nodes.ReadOpened(at))
        {
            _counters.CountFile(row.Mode, row.Size, -1);
        }

        foreach (NodeRow row in _nodes.ReadClosed(at))
        {
            _counters.CountFile(row.Mode, row.Size, 1);
        }

        foreach (Versions table in _versions)
        {
            table.Undo(at);
        }
    }

    private void TakeOver(CommitNote note, RowChanges changes)
    {
        long seq = note.Moment.Seq;
        AdvanceTo(note);
        TakeInLocalEpochs(seq);
        ChangeRows(changes, seq);
        _extents.Apply(changes.Closed.Extents, changes.Opened.Extents, seq);
        foreach (BlockRow block in changes.Blocks)
        {
            _blocks.Put(block);
        }
    }

    private void ChangeRows(RowChanges changes, long at)
    {
        Dictionary<NodeId, int> subdirectories = CountSubdirectories(changes);
        CloseRows(changes, at);
        OpenRows(changes, subdirectories, at);
    }

    /// <summary>
    /// A commit's changes with closed rows that are whole instead of keys only, as of <see cref="LastSeq"/>. Null when one of
    /// them is not there: the commit does not fit this tree.
    /// </summary>
    public RowChanges? ResolveClosed(RowChanges keysOnly)
    {
        ArgumentNullException.ThrowIfNull(keysOnly);
        return Read(() => Resolve(keysOnly));
    }

    /// <summary>Rows of epochs that mean nothing to the vault must not stay provisional below rows of a later real seq: intervals would turn round.</summary>
    private void TakeInLocalEpochs(long seq)
    {
        SortedSet<long> waiting = [];
        foreach (Versions table in _versions)
        {
            table.FindProvisional(waiting);
        }

        while (waiting.Count > 0)
        {
            long first = waiting.Min;
            waiting.Remove(first);
            if (waiting.Count == 0 && !EpochReader.Read(first, _nodes, _entries, _xattrs).IsEmpty)
            {
                throw new InvalidOperationException("A commit cannot be taken over while changes made here wait for theirs: merge them first.");
            }

            foreach (Versions table in _versions)
            {
                if (waiting.Count > 0)
                {
                    table.Collapse(first, waiting.Min);
                }
                else
                {
                    table.Move(first, seq);
                }
            }
        }
    }

    /// <summary>How each directory's number of subdirectories changes. Read before anything is changed.</summary>
    private Dictionary<NodeId, int> CountSubdirectories(RowChanges changes)
    {
        Dictionary<NodeId, uint> modes = changes.Opened.Nodes.ToDictionary(static row => row.Node, static row => row.Mode);
        bool IsDirectory(NodeId node) => FileMode.IsDirectory(modes.TryGetValue(node, out uint mode) ? mode : _nodes.Find(node)?.Mode ?? 0);

        Dictionary<NodeId, int> subdirectories = [];
        foreach (EntryRow key in changes.Closed.Entries)
        {
            EntryRow closed = _entries.Find(key.Parent, key.Name) ?? throw NotThere($"an entry in {key.Parent}");
            if (IsDirectory(closed.Node))
            {
                subdirectories[key.Parent] = subdirectories.GetValueOrDefault(key.Parent) - 1;
            }
        }

        foreach (EntryRow opened in changes.Opened.Entries)
        {
            if (IsDirectory(opened.Node))
            {
                subdirectories[opened.Parent] = subdirectories.GetValueOrDefault(opened.Parent) + 1;
            }
        }

        return subdirectories;
    }

    private void CloseRows(RowChanges changes, long seq)
    {
        HashSet<NodeId> replaced = [.. changes.Opened.Nodes.Select(static row => row.Node)];
        foreach (NodeRow row in changes.Closed.Nodes)
        {
            // A node that is replaced stays until then: its local link count is still needed.
            if (replaced.Contains(row.Node) ? _nodes.Find(row.Node) is null : !_nodes.Remove(row.Node, seq))
            {
                throw NotThere($"node {row.Node}");
            }
        }

        foreach (EntryRow row in changes.Closed.Entries)
        {
            if (!_entries.Remove(row.Parent, row.Name, seq))
            {
                throw NotThere($"an entry in {row.Parent}");
            }
        }

        foreach (XattrRow row in changes.Closed.Xattrs)
        {
            if (!_xattrs.Remove(row.Node, row.Name, seq))
            {
                throw NotThere($"an xattr of {row.Node}");
            }
        }
    }

    private void OpenRows(RowChanges changes, Dictionary<NodeId, int> subdirectories, long seq)
    {
        HashSet<NodeId> closed = [.. changes.Closed.Nodes.Select(static row => row.Node)];
        foreach (NodeRow row in changes.Opened.Nodes)
        {
            NodeRow counted = row;
            if (FileMode.IsDirectory(row.Mode))
            {
                subdirectories.Remove(row.Node, out int more);
                counted = row with { LinkCount = (uint)((_nodes.Find(row.Node)?.LinkCount ?? DirectoryLinkCount) + more) };
            }

            _nodes.Put(counted, seq, isNew: !closed.Contains(row.Node));
        }

        foreach (EntryRow row in changes.Opened.Entries)
        {
            _entries.Put(row.EntryId > 0 ? row : row with { EntryId = _counters.TakeEntryId() }, seq);
        }

        foreach (XattrRow row in changes.Opened.Xattrs)
        {
            _xattrs.Put(row, seq);
        }

        foreach ((NodeId parent, int more) in subdirectories)
        {
            // A directory may go together with its subdirectories.
            if (more != 0 && _nodes.Find(parent) is { } row)
            {
                _nodes.Put(row with { LinkCount = (uint)(row.LinkCount + more) }, seq, isNew: false);
            }
        }
    }

    private RowChanges? Resolve(RowChanges keysOnly)
    {
        var whole = new RowChanges();
        long asOf = _counters.LastSeq;
        foreach (NodeRow key in keysOnly.Closed.Nodes)
        {
            if (!AddIfThere(whole.Closed.Nodes, _nodes.FindAt(key.Node, asOf)))
            {
                return null;
            }
        }

        foreach (EntryRow key in keysOnly.Closed.Entries)
        {
            if (!AddIfThere(whole.Closed.Entries, _entries.FindAt(key.Parent, key.Name, asOf)))
            {
                return null;
            }
        }

        foreach (ExtentRow key in keysOnly.Closed.Extents)
        {
            if (!AddIfThere(whole.Closed.Extents, _extents.Find(key.Node, key.Offset)))
            {
                return null;
            }
        }

        foreach (XattrRow key in keysOnly.Closed.Xattrs)
        {
            if (!AddIfThere(whole.Closed.Xattrs, _xattrs.FindAt(key.Node, key.Name, asOf)))
            {
                return null;
            }
        }

        whole.Opened.Nodes.AddRange(keysOnly.Opened.Nodes);
        whole.Opened.Entries.AddRange(keysOnly.Opened.Entries);
        whole.Opened.Extents.AddRange(keysOnly.Opened.Extents);
        whole.Opened.Xattrs.AddRange(keysOnly.Opened.Xattrs);
        whole.Blocks.AddRange(keysOnly.Blocks);
        return whole;
    }

    private static bool AddIfThere<T>(List<T> rows, T? row)
        where T : class
    {
        if (row is null)
        {
            return false;
        }

        rows.Add(row);
        return true;
    }

    private static InvalidOperationException NotThere(string what) => new($"A commit closes {what}, which is not there.");
}
