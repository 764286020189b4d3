using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>Finds what an epoch means to the vault: the difference between the state before and after it, less what stays local.</summary>
internal static class EpochReader
{
    public static RowChanges Read(long at, NodeTable nodes, EntryTable entries, XattrTable xattrs)
    {
        var changes = new RowChanges();
        HashSet<NodeId> appeared = [];
        HashSet<NodeId> disappeared = [];
        ReadNodes(at, nodes, changes, appeared, disappeared);
        ReadEntries(at, entries, changes);
        ReadXattrs(at, nodes, xattrs, changes, appeared, disappeared);
        return changes;
    }

    private static void ReadNodes(long at, NodeTable nodes, RowChanges changes, HashSet<NodeId> appeared, HashSet<NodeId> disappeared)
    {
        Dictionary<NodeId, NodeRow> before = nodes.ReadClosed(at).Where(IsLinked).ToDictionary(static row => row.Node);
        foreach (NodeRow opened in nodes.ReadOpened(at).Where(IsLinked))
        {
            if (!before.Remove(opened.Node, out NodeRow? closed))
            {
                appeared.Add(opened.Node);
            }
            else if (IsSameToVault(closed, opened))
            {
                continue;
            }
            else
            {
                changes.Closed.Nodes.Add(closed);
            }

            changes.Opened.Nodes.Add(opened);
        }

        changes.Closed.Nodes.AddRange(before.Values);
        disappeared.UnionWith(before.Keys);
    }

    private static void ReadEntries(long at, EntryTable entries, RowChanges changes)
    {
        Dictionary<(NodeId, Name), EntryRow> before = entries.ReadClosed(at).ToDictionary(static row => (row.Parent, new Name(row.Name)));
        foreach (EntryRow opened in entries.ReadOpened(at))
        {
            if (before.Remove((opened.Parent, new Name(opened.Name)), out EntryRow? closed))
            {
                if (closed.Node == opened.Node)
                {
                    continue;
                }

                changes.Closed.Entries.Add(closed);
            }

            changes.Opened.Entries.Add(opened);
        }

        changes.Closed.Entries.AddRange(before.Values);
    }

    /// <summary>
    /// Row by row for nodes that stayed in the tree. A node that came into it brings all its xattrs, one that left takes all, and one that was
    /// in it neither before nor after has none to tell of.
    /// </summary>
    private static void ReadXattrs(
        long at, NodeTable nodes, XattrTable xattrs, RowChanges changes, HashSet<NodeId> appeared, HashSet<NodeId> disappeared)
    {
        foreach (NodeId node in disappeared)
        {
            changes.Closed.Xattrs.AddRange(xattrs.ReadAt(node, at - 1));
        }

        foreach (NodeId node in appeared)
        {
            changes.Opened.Xattrs.AddRange(xattrs.ReadAt(node, at));
        }

        Dictionary<NodeId, bool> stayed = [];
        bool Stayed(XattrRow row)
        {
            if (!stayed.TryGetValue(row.Node, out bool answer))
            {
                answer = !appeared.Contains(row.Node) && !disappeared.Contains(row.Node) && nodes.FindAt(row.Node, at) is { LinkCount: > 0 };
                stayed.Add(row.Node, answer);
            }

            return answer;
        }

        Dictionary<(NodeId, Name), XattrRow> before = xattrs.ReadClosed(at).Where(Stayed).ToDictionary(static row => (row.Node, new Name(row.Name)));
        foreach (XattrRow opened in xattrs.ReadOpened(at).Where(Stayed))
        {
            if (before.Remove((opened.Node, new Name(opened.Name)), out XattrRow? closed))
            {
                if (closed.Value.AsSpan().SequenceEqual(opened.Value))
                {
                    continue;
                }

                changes.Closed.Xattrs.Add(closed);
            }

            changes.Opened.Xattrs.Add(opened);
        }

        changes.Closed.Xattrs.AddRange(before.Values);
    }

    private static bool IsLinked(NodeRow row) => row.LinkCount > 0;

    private static bool IsSameToVault(NodeRow a, NodeRow b) =>
        (a.LinkTarget ?? []).AsSpan().SequenceEqual(b.LinkTarget ?? [])
        && a with { AccessTime = b.AccessTime, LinkTarget = b.LinkTarget, LinkCount = FileMode.IsDirectory(a.Mode) ? b.LinkCount : a.LinkCount } == b;

    /// <summary>A name that compares by its bytes.</summary>
    private readonly struct Name(byte[] bytes) : IEquatable<Name>
    {
        private readonly byte[] _bytes = bytes;

        public bool Equals(Name other) => _bytes.AsSpan().SequenceEqual(other._bytes);

        public override bool Equals(object? obj) => obj is Name other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.AddBytes(_bytes);
            return hash.ToHashCode();
        }
    }
}
