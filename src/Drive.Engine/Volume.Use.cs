using System.Text;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Checks;
using Drive.Metadata;
using Drive.Vault;

namespace Drive.Engine;

/// <content>What folders cost in the store, from the local database alone.</content>
public sealed partial class Volume
{
    /// <summary>
    /// What a file or folder costs, and each folder directly in it. What is not committed yet is not in it; of history, what this device knows.
    /// Reads all that is below, and, for history, all that the present needs.
    /// </summary>
    public DiskUse MeasureUse(NodeId top)
    {
        HashSet<BlockId> present = [];
        foreach (NodeRow file in FilesUnder([NodeId.Root], []))
        {
            present.UnionWith(_metadata.ReadExtents(file.Node, 0, long.MaxValue).Select(static extent => extent.Block));
        }

        List<ChildRow> folders = [];
        List<ChildRow> children = [];
        for (long after = 0; _metadata.ReadChildren(top, after, WalkPage, children) > 0; after = children[^1].Entry.EntryId)
        {
            folders.AddRange(children.Where(static child => child.Node is { } node && FileMode.IsDirectory(node.Mode)));
        }

        return new DiskUse(
            Measure("", top, present),
            [.. folders.Select(folder => Measure(Encoding.UTF8.GetString(folder.Entry.Name), folder.Entry.Node, present)).OrderBy(static folder => folder.Name, StringComparer.Ordinal)]);
    }

    private FolderUse Measure(string name, NodeId top, HashSet<BlockId> present)
    {
        HashSet<NodeId> nodes = [];
        HashSet<BlockId> blocks = [];
        long files = 0, bytes = 0, referenced = 0, plain = 0, stored = 0;
        foreach (NodeRow file in FilesUnder([top], nodes))
        {
            files++;
            bytes += file.Size;
            foreach (ExtentRow extent in _metadata.ReadExtents(file.Node, 0, long.MaxValue))
            {
                referenced += extent.Length;
                if (blocks.Add(extent.Block) && _metadata.FindBlock(extent.Block) is { } row)
                {
                    plain += row.PlainLength;
                    stored += BlockSegments.StoredLengthOf(row);
                }
            }
        }

        return new FolderUse
        {
            Name = name,
            Files = files,
            Bytes = bytes,
            StoredBytes = stored,
            SavedByDedup = Math.Max(0, referenced - plain),
            SavedByCompression = Math.Max(0, plain - stored),
            HistoryBytes = HistoryBytes(nodes, present),
        };
    }

    private long HistoryBytes(HashSet<NodeId> nodes, HashSet<BlockId> present)
    {
        HashSet<BlockId> counted = [];
        Queue<NodeId> left = new(nodes);
        long bytes = 0;
        while (left.TryDequeue(out NodeId node))
        {
            foreach (NodeId before in _metadata.ReadPastNodes(node).Where(nodes.Add))
            {
                left.Enqueue(before);
            }

            foreach (ExtentRow extent in _metadata.ReadEndedExtents(node))
            {
                if (!present.Contains(extent.Block) && counted.Add(extent.Block) && _metadata.FindBlock(extent.Block) is { } row)
                {
                    bytes += BlockSegments.StoredLengthOf(row);
                }
            }
        }

        return bytes;
    }
}
