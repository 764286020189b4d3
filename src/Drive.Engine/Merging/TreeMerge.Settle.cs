using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine.Merging;

/// <content>Making a whole tree of what was decided node by node and name by name, and the rows of it.</content>
internal sealed partial class TreeMerge
{
    /// <summary>Until nothing more follows: each round brings something back, of which there is only so much, or takes back a move.</summary>
    private void Settle()
    {
        while (MoveIntoUnited() | KeepUsedFolders() | BringBackNamed() | KeepLastName() | TakeBackLoops())
        {
        }
    }

    /// <summary>What lies in a folder of mine that became one with theirs lies there.</summary>
    private bool MoveIntoUnited()
    {
        bool moved = false;
        foreach ((NameKey key, NodeId node) in _names.Where(name => _united.ContainsKey(name.Key.Node)).ToList())
        {
            _names.Remove(key);
            if (node != NodeId.None)
            {
                PutBeside(new NameKey(_united[key.Node], key.Name), node);
            }

            moved = true;
        }

        return moved;
    }

    /// <summary>Folders that mine removes and something is in, and folders that theirs removed and mine put something in.</summary>
    private bool KeepUsedFolders()
    {
        bool kept = false;
        foreach (NameKey key in mine.Names.Keys.Concat(theirs.Names.Keys).Concat(_names.Keys).ToList())
        {
            if (FindName(key) == NodeId.None || FindRow(key.Node) is not null || _united.ContainsKey(key.Node))
            {
                continue;
            }

            kept = true;
            if (FindTheirs(key.Node) is not null)
            {
                KeepFolder(key.Node);
            }
            else if ((mine.Nodes.GetValueOrDefault(key.Node).New ?? @base.FindNode(key.Node)) is { } row)
            {
                Revive(key.Node, row);
                NameAgain(key.Node);
            }
            else
            {
                throw new InvalidOperationException($"A name lies in {key.Node}, which neither side has.");
            }
        }

        return kept;
    }

    /// <summary>Mine removed it; it stays where theirs has it.</summary>
    private void KeepFolder(NodeId folder)
    {
        _nodes.Remove(folder);
        foreach (NameKey key in mine.RemovedNames(folder))
        {
            if (FindTheirs(key) == folder && _names.Remove(key, out NodeId instead) && instead != NodeId.None)
            {
                PutBeside(key, instead);
            }
        }
    }

    /// <summary>Nodes that have a name and are to go, or went; and nodes of theirs that lost the last one although they are to stay.</summary>
    private bool BringBackNamed()
    {
        bool changed = false;
        foreach ((NameKey key, NodeId node) in _names.ToList())
        {
            if (node == NodeId.None || FindRow(node) is not null || _united.ContainsKey(node))
            {
                continue;
            }

            changed = true;
            if (FindTheirs(node) is not null)
            {
                _nodes.Remove(node);
            }
            else if ((mine.Nodes.GetValueOrDefault(node).New ?? @base.FindNode(node)) is { } row)
            {
                // It has the name that mine gave it; those that theirs took stay away.
                Revive(node, row);
            }
            else
            {
                throw new InvalidOperationException($"A name is given to {node}, which neither side has.");
            }
        }

        foreach ((NodeId node, NodeRow? row) in _nodes.ToList())
        {
            if (row is null && mine.RemovedNames(node).Concat(theirs.AddedNames(node)).Any(key => FindName(key) == node))
            {
                _nodes.Remove(node);
                changed = true;
            }
        }

        return changed;
    }

    /// <summary>
    /// A file with several names of which each side removed other ones: neither removed the file, and a third device may have edited it, so it keeps the name that mine removed.
    /// </summary>
    private bool KeepLastName()
    {
        foreach (NodeId node in mine.Nodes.Keys)
        {
            if (mine.Nodes[node] is (not null, not null) && theirs.Nodes.GetValueOrDefault(node) is (not null, not null)
                && !IsDirectory(node) && CountNames(node) == 0)
            {
                NameKey key = mine.RemovedNames(node).First(key => FindTheirs(key) == node);
                if (_names.Remove(key, out NodeId instead) && instead != NodeId.None)
                {
                    PutBeside(key, instead);
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>Names of a node of theirs in the merged tree so far.</summary>
    private long CountNames(NodeId node) => (FindTheirs(node)?.LinkCount ?? 0)
        + _names.Sum(name => (name.Value == node ? 1 : 0) - (FindTheirs(name.Key) == node ? 1 : 0));

    /// <summary>Only moves of both can make a loop: each side alone has a tree.</summary>
    private bool TakeBackLoops()
    {
        Dictionary<NodeId, NodeId> parents = [];
        List<(NameKey Key, NodeId Folder)> moved = [];
        foreach ((NameKey key, (NodeId _, NodeId now)) in theirs.Names)
        {
            if (now != NodeId.None && FindName(key) == now && IsDirectory(now))
            {
                parents[now] = key.Node;
            }
        }

        if (parents.Keys.All(folder => theirs.Nodes.GetValueOrDefault(folder) is (null, not null)))
        {
            return false;
        }

        foreach ((NameKey key, NodeId node) in _names)
        {
            if (node != NodeId.None && IsDirectory(node))
            {
                parents[node] = key.Node;
                moved.Add((key, node));
            }
        }

        foreach ((NameKey key, NodeId folder) in moved)
        {
            if (!IsMadeHere(folder) && LeadsTo(key.Node, folder, parents))
            {
                _names.Remove(key);
                KeepFolder(folder);
                return true;
            }
        }

        return false;
    }

    private bool LeadsTo(NodeId from, NodeId folder, Dictionary<NodeId, NodeId> parents)
    {
        HashSet<NodeId> seen = [];
        for (NodeId at = from; at != NodeId.Root && seen.Add(at);)
        {
            if (at == folder)
            {
                return true;
            }

            if (!parents.TryGetValue(at, out NodeId parent))
            {
                parent = @base.FindNameOf(at)?.Parent ?? NodeId.Root;
                parents[at] = parent;
            }

            at = parent;
        }

        return false;
    }

    private void Build()
    {
        CountLinks();
        foreach ((NameKey key, NodeId node) in _names)
        {
            NodeId other = FindTheirs(key);
            if (other == node)
            {
                continue;
            }

            if (other != NodeId.None)
            {
                _plan.Rows.Closed.Entries.Add(new EntryRow(key.Node, key.Name, other, 0));
            }

            if (node != NodeId.None)
            {
                _plan.Rows.Opened.Entries.Add(new EntryRow(key.Node, key.Name, node, mine.EntryIds.GetValueOrDefault(key)));
            }
        }

        foreach ((NodeId node, NodeRow? row) in _nodes)
        {
            NodeRow? other = FindTheirs(node);
            if (other is not null)
            {
                _plan.Rows.Closed.Nodes.Add(other);
            }

            if (row is not null)
            {
                _plan.Rows.Opened.Nodes.Add(row);
            }
            else
            {
                _plan.Dropped.Add(node);
            }
        }

        BuildXattrs();
        _plan.Dropped.UnionWith(_united.Keys);
        _plan.Dropped.UnionWith(mine.Nodes.Keys.Where(node => FindRow(node) is null));
        _plan.Names.UnionWith(mine.Names.Keys);
        _plan.Names.UnionWith(theirs.Names.Keys);
        _plan.Names.UnionWith(_names.Keys);
    }

    /// <summary>Of all but folders, whose count follows from the names. A node that lost its last name goes.</summary>
    private void CountLinks()
    {
        Dictionary<NodeId, int> changes = [];
        foreach ((NameKey key, NodeId node) in _names)
        {
            NodeId other = FindTheirs(key);
            if (other != node)
            {
                changes[other] = changes.GetValueOrDefault(other) - 1;
                changes[node] = changes.GetValueOrDefault(node) + 1;
            }
        }

        changes.Remove(NodeId.None);
        foreach (NodeId node in changes.Keys.Concat(_nodes.Keys).Distinct().ToList())
        {
            if (FindRow(node) is not { } row || FileMode.IsDirectory(row.Mode))
            {
                continue;
            }

            long count = (FindTheirs(node)?.LinkCount ?? 0) + changes.GetValueOrDefault(node);
            if (count <= 0)
            {
                _nodes[node] = null;
            }
            else if (row.LinkCount != count)
            {
                _nodes[node] = row with { LinkCount = (uint)count };
            }
        }

        // Nothing of what was made here and lost its name again on the way is told of.
        foreach ((NodeId node, NodeRow? row) in _nodes.ToList())
        {
            if (row is null && FindTheirs(node) is null)
            {
                _nodes.Remove(node);
                _plan.Dropped.Add(node);
            }
        }
    }

    private void BuildXattrs()
    {
        foreach ((NodeId from, NodeId to) in _plan.Copies)
        {
            _plan.Rows.Opened.Xattrs.AddRange(mine.XattrsAfter(from, @base.ReadXattrs(from)).Values.Select(row => row with { Node = to }));
        }

        foreach (NodeId node in _nodes.Where(static pair => pair.Value is null).Select(static pair => pair.Key))
        {
            _plan.Rows.Closed.Xattrs.AddRange(theirs.XattrsAfter(node, @base.ReadXattrs(node)).Values);
        }

        foreach (NodeId node in _plan.Revived)
        {
            _plan.Rows.Opened.Xattrs.AddRange(mine.XattrsAfter(node, @base.ReadXattrs(node)).Values);
        }

        foreach (NodeId node in mine.XattrNodes)
        {
            if (_copied.Contains(node) || _plan.Revived.Contains(node) || FindRow(node) is null || _united.ContainsKey(node))
            {
                continue;
            }

            Dictionary<byte[], XattrRow> other = theirs.XattrsAfter(node, IsMadeHere(node) ? [] : @base.ReadXattrs(node));
            foreach ((byte[] name, XattrRow? row) in mine.XattrChanges(node))
            {
                XattrRow? present = other.GetValueOrDefault(name);
                if (row is not null && present is not null && present.Value.AsSpan().SequenceEqual(row.Value))
                {
                    continue;
                }

                if (present is not null)
                {
                    _plan.Rows.Closed.Xattrs.Add(present);
                }

                if (row is not null)
                {
                    _plan.Rows.Opened.Xattrs.Add(row);
                }
            }
        }
    }
}
