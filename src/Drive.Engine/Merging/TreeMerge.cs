using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine.Merging;

/// <summary>
/// Merges this machine's uncommitted change of the tree (mine) with a commit of another device (theirs) that was made on the same tree (base). State against state:
/// what mine comes to on top of theirs. It decides on rows only and changes nothing.
/// </summary>
/// <remarks>
/// The rules. <b>Content</b>: both changed a file's bytes: theirs keeps the name and the node, mine goes on as a copy with a name of its own. <b>Editing beats deleting</b>, either way
/// round, and what lives keeps its folders. <b>Names</b>: both gave one name: theirs keeps it; two new folders become one, anything else of mine gets a name of its own. <b>Moves</b>:
/// both moved: theirs stands; a move of mine that would make a loop is not made. <b>Attributes</b>: mine, being later. Nothing that mine or theirs holds and the other did not see is left without a name.
/// </remarks>
/// <param name="base">The committed tree both were made on.</param>
/// <param name="mine">What this machine did.</param>
/// <param name="theirs">What the commit does.</param>
/// <param name="conflictName">Names for what would stand where theirs stands.</param>
/// <param name="newNode">The number of a new node of this device.</param>
/// <param name="isSame">Whether a file as it is here and one of theirs have the same bytes; false when that cannot be told cheaply.</param>
internal sealed partial class TreeMerge(
    BaseTree @base, ChangeIndex mine, ChangeIndex theirs, ConflictName conflictName, Func<NodeId> newNode, Func<NodeId, NodeId, bool> isSame)
{
    private readonly MergePlan _plan = new();

    /// <summary>Rows as they shall be, where not as theirs; null: gone.</summary>
    private readonly Dictionary<NodeId, NodeRow?> _nodes = [];

    /// <summary>Names as they shall be, where not as theirs.</summary>
    private readonly Dictionary<NameKey, NodeId> _names = new(NameKey.Comparer);

    /// <summary>Nodes of mine whose place one of theirs took, and which.</summary>
    private readonly Dictionary<NodeId, NodeId> _united = [];

    /// <summary>Files of mine that are copies now: their own node is theirs.</summary>
    private readonly HashSet<NodeId> _copied = [];

    /// <summary>What mine and theirs each brought back after somebody had removed it: theirs has the node, and mine's names go to another one, or (None) to nothing.</summary>
    private readonly Dictionary<NodeId, NodeId> _broughtBackTwice = [];

    public MergePlan Run()
    {
        foreach ((NodeId node, (NodeRow? old, NodeRow? now)) in mine.Nodes)
        {
            DecideNode(node, old, now);
        }

        HashSet<NameKey> notMoved = FindMovesOfBoth();
        foreach ((NameKey key, (NodeId old, NodeId now)) in mine.Names)
        {
            if (!notMoved.Contains(key))
            {
                DecideName(key, old, _broughtBackTwice.GetValueOrDefault(now, now));
            }
            else if (old != NodeId.None && !IsRemovedHere(old))
            {
                // What stood there has moved on, and does not stand there as well.
                DecideName(key, old, NodeId.None);
            }
        }

        foreach (NodeId node in _plan.Revived.ToList())
        {
            NameAgain(node);
        }

        Settle();
        Build();
        return _plan;
    }

    private void DecideNode(NodeId node, NodeRow? old, NodeRow? now)
    {
        NodeRow? other = FindTheirs(node);
        if (old is null)
        {
            if (other is null)
            {
                _nodes[node] = now;
            }
            else
            {
                BringBackTwice(node, now!);
            }

            return;
        }

        if (now is null)
        {
            // Removed here. Where theirs edited it, or gave it another name, it stays: names are seen to later.
            if (other is not null && !theirs.Edits(node))
            {
                _nodes[node] = null;
            }

            return;
        }

        if (other is null)
        {
            if (mine.Edits(node))
            {
                Revive(node, now);
            }

            return;
        }

        bool isContentTheirs = theirs.ChangesContent(node);
        bool isContentMine = mine.ChangesContent(node);
        if (isContentTheirs && isContentMine)
        {
            if (!isSame(node, node))
            {
                Copy(node, now);
                return;
            }

            isContentMine = false;
            _plan.Settled.Add(node);
        }

        NodeRow merged = Unite(old, now, other, isContentTheirs, isContentMine);
        if (merged != other)
        {
            _nodes[node] = merged;
        }
    }

    /// <summary>
    /// A third device removed it, mine kept it (written, moved), and so did theirs without seeing mine. Theirs is the node; a file of mine with other content goes on under its names as another one, a folder is one folder.
    /// </summary>
    private void BringBackTwice(NodeId node, NodeRow now)
    {
        if (FileMode.IsDirectory(now.Mode))
        {
            _broughtBackTwice[node] = NodeId.None;
        }
        else if (FileMode.IsRegular(now.Mode) && isSame(node, node))
        {
            _plan.Settled.Add(node);
        }
        else
        {
            NodeId copy = newNode();
            _broughtBackTwice[node] = copy;
            _plan.Copies.Add((node, copy));
            _copied.Add(node);
            _nodes[copy] = now with { Node = copy };
        }
    }

    private static NodeRow Unite(NodeRow old, NodeRow now, NodeRow other, bool isContentTheirs, bool isContentMine)
    {
        bool isModified = isContentMine || (!isContentTheirs && now.ModifyTime != old.ModifyTime);
        return other with
        {
            Mode = now.Mode != old.Mode ? now.Mode : other.Mode,
            Uid = now.Uid != old.Uid ? now.Uid : other.Uid,
            Gid = now.Gid != old.Gid ? now.Gid : other.Gid,
            Size = isContentMine ? now.Size : other.Size,
            ModifyTime = FileMode.IsDirectory(now.Mode) ? Math.Max(now.ModifyTime, other.ModifyTime) : isModified ? now.ModifyTime : other.ModifyTime,
            ChangeTime = Math.Max(now.ChangeTime, other.ChangeTime),
        };
    }

    /// <summary>Both changed its bytes: what is here goes on beside theirs.</summary>
    private void Copy(NodeId node, NodeRow now)
    {
        NodeId copy = newNode();
        NameKey? name = FirstName(theirs.AddedNames(node)) ?? FirstName(mine.AddedNames(node)) ?? (@base.FindNameOf(node) is { } row ? new NameKey(row.Parent, row.Name) : null);
        if (name is not { } beside)
        {
            // A file without any name is on no other device.
            return;
        }

        _plan.Copies.Add((node, copy));
        _copied.Add(node);
        _nodes[copy] = now with { Node = copy, LinkCount = 1 };
        GiveOwnName(beside, copy);
    }

    private static NameKey? FirstName(IEnumerable<NameKey> names)
    {
        foreach (NameKey name in names)
        {
            return name;
        }

        return null;
    }

    /// <summary>
    /// Names that mine gave, and took, in moving what theirs moved as well: theirs stands. Unless both moved it to the same place.
    /// </summary>
    private HashSet<NameKey> FindMovesOfBoth()
    {
        HashSet<NameKey> dropped = new(NameKey.Comparer);
        foreach (NodeId node in mine.Names.Values.Select(static name => name.New).Where(static node => node != NodeId.None).Distinct())
        {
            List<NameKey> added = [.. mine.AddedNames(node)];
            List<NameKey> elsewhere = [.. theirs.AddedNames(node)];
            if (added.Count == 0 || elsewhere.Count == 0 || added.Exists(key => elsewhere.Exists(other => NameKey.Comparer.Equals(key, other))))
            {
                continue;
            }

            int both = mine.RemovedNames(node).Count(key => theirs.RemovedNames(node).Any(other => NameKey.Comparer.Equals(key, other)));
            dropped.UnionWith(added.Take(both));
        }

        return dropped;
    }

    private void DecideName(NameKey key, NodeId old, NodeId now)
    {
        NodeId other = FindTheirs(key);
        if (other == now)
        {
            return;
        }

        bool isKept = old != NodeId.None && other == old && IsRemovedHere(old) && FindRow(old) is not null;
        if (other == old && !isKept)
        {
            _names[key] = now;
        }
        else if (now != NodeId.None)
        {
            PutBeside(key, now);
        }
    }

    /// <summary>Whether mine removed the node itself, not just a name of it.</summary>
    private bool IsRemovedHere(NodeId node) => mine.Nodes.GetValueOrDefault(node) is (not null, null);

    /// <summary>Gives a node a name; what stands there already (theirs) keeps it.</summary>
    private void PutBeside(NameKey key, NodeId node)
    {
        NodeId present = FindName(key);
        if (present == node)
        {
            return;
        }

        if (present == NodeId.None)
        {
            _names[key] = node;
        }
        else if (IsMadeHere(node) && (IsDirectory(node) ? IsDirectory(present) : isSame(node, present) && mine.AddedNames(node).Count() == 1))
        {
            // Two new folders become one; two files of the same bytes are one.
            _united[node] = present;
            _nodes.Remove(node);
        }
        else
        {
            GiveOwnName(key, node);
        }
    }

    private void GiveOwnName(NameKey key, NodeId node)
    {
        for (int tries = 1; ; tries++)
        {
            // Nor one that mine gives: a copy of an earlier merge may have it, and names are decided after contents.
            NameKey own = new(key.Node, conflictName.Of(key.Name, tries));
            if (FindName(own) == NodeId.None && mine.Names.GetValueOrDefault(own).New == NodeId.None)
            {
                _names[own] = node;
                _plan.Conflicts.Add(own);
                return;
            }
        }
    }

    /// <summary>A node that theirs removed lives on, with the names that mine left it.</summary>
    private void Revive(NodeId node, NodeRow row)
    {
        _nodes[node] = row;
        _plan.Revived.Add(node);
    }

    private void NameAgain(NodeId node)
    {
        // What mine removed as well, and something is in, has no name that mine left it.
        bool isGoneHere = IsRemovedHere(node);
        foreach (NameKey key in theirs.RemovedNames(node))
        {
            if (isGoneHere || !mine.Names.TryGetValue(key, out (NodeId Old, NodeId New) here) || here.New == node)
            {
                PutBeside(key, node);
            }
        }
    }

    private bool IsMadeHere(NodeId node) => mine.Nodes.GetValueOrDefault(node) is (null, not null);

    private bool IsDirectory(NodeId node) => (FindRow(node) ?? mine.Nodes.GetValueOrDefault(node).New ?? @base.FindNode(node)) is { } row && FileMode.IsDirectory(row.Mode);

    // What theirs left alone is as mine found it: only what neither touched is asked of the base.
    private NodeRow? FindTheirs(NodeId node) =>
        theirs.Nodes.TryGetValue(node, out (NodeRow? Old, NodeRow? New) change) ? change.New : mine.Nodes.TryGetValue(node, out change) ? change.Old : @base.FindNode(node);

    private NodeId FindTheirs(NameKey key) =>
        theirs.Names.TryGetValue(key, out (NodeId Old, NodeId New) change) ? change.New : mine.Names.TryGetValue(key, out change) ? change.Old : @base.FindName(key);

    /// <summary>As it stands in the merged tree so far.</summary>
    private NodeRow? FindRow(NodeId node) => _nodes.TryGetValue(node, out NodeRow? row) ? row : FindTheirs(node);

    private NodeId FindName(NameKey key) => _names.TryGetValue(key, out NodeId node) ? node : FindTheirs(key);
}
