using System.Text;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata;

namespace Drive.Engine.Repair;

/// <summary>Where a node is in the tree, for people. Walks the whole tree: only for the few that a report names.</summary>
internal static class StatePaths
{
    private const int PartRows = 1024; // arbitrary

    public static string Find(MetadataStore metadata, NodeId wanted) => Find(metadata, new HashSet<NodeId> { wanted })[wanted];

    /// <summary>One path for each of some nodes.</summary>
    public static Dictionary<NodeId, string> Find(MetadataStore metadata, IReadOnlySet<NodeId> wanted)
    {
        Dictionary<NodeId, string> found = [];
        Stack<(NodeId Directory, string Path)> left = new([(NodeId.Root, "/")]);
        while (found.Count < wanted.Count && left.TryPop(out (NodeId Directory, string Path) at))
        {
            long after = 0;
            List<EntryRow> entries = [];
            while (metadata.ReadEntries(at.Directory, after, PartRows, entries) > 0)
            {
                after = entries[^1].EntryId;
            }

            foreach (EntryRow entry in entries)
            {
                string path = at.Path + Encoding.UTF8.GetString(entry.Name);
                if (wanted.Contains(entry.Node))
                {
                    found.TryAdd(entry.Node, path);
                }

                if (metadata.FindNode(entry.Node) is { } row && FileMode.IsDirectory(row.Mode))
                {
                    left.Push((entry.Node, path + "/"));
                }
            }
        }

        foreach (NodeId node in wanted)
        {
            found.TryAdd(node, $"node {node.Value:x}");
        }

        return found;
    }
}
