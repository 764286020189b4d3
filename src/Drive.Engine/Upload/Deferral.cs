using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine.Upload;

/// <summary>
/// What must stay behind together when some files are left out of a commit, so that what is committed is a whole tree: no entry without its node or
/// its directory, no link count that does not fit. Pure.
/// </summary>
internal static class Deferral
{
    /// <summary>Nodes and entries that stay behind.</summary>
    public sealed record Plan(HashSet<NodeId> Nodes, List<(NodeId Parent, byte[] Name)> Entries);

    /// <summary>
    /// The smallest set that holds <paramref name="late"/> and is closed under: an entry stays when its node or directory stays; what else the same
    /// name meant before or after stays with it; a directory that the epoch removes stays while an entry in it does.
    /// </summary>
    public static Plan Close(RowChanges rows, IEnumerable<NodeId> late)
    {
        HashSet<NodeId> nodes = [.. late];
        HashSet<NodeId> removed = [.. rows.Closed.Nodes.Select(static row => row.Node)];
        removed.ExceptWith(rows.Opened.Nodes.Select(static row => row.Node));
        Dictionary<NameKey, List<NodeId>> slots = new(NameKey.Comparer);
        foreach (EntryRow entry in rows.Closed.Entries.Concat(rows.Opened.Entries))
        {
            NameKey key = new(entry.Parent, entry.Name);
            if (!slots.TryGetValue(key, out List<NodeId>? named))
            {
                slots.Add(key, named = []);
            }

            named.Add(entry.Node);
        }

        HashSet<NameKey> entries = new(NameKey.Comparer);
        bool grew = true;
        while (grew)
        {
            grew = false;
            foreach ((NameKey key, List<NodeId> named) in slots)
            {
                if (!entries.Contains(key) && (nodes.Contains(key.Node) || named.Exists(nodes.Contains)))
                {
                    entries.Add(key);
                    nodes.UnionWith(named);
                    if (removed.Contains(key.Node))
                    {
                        nodes.Add(key.Node);
                    }

                    grew = true;
                }
            }
        }

        return new Plan(nodes, [.. entries.Select(static key => (key.Node, key.Name))]);
    }
}
