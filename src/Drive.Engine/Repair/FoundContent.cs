using System.Text;
using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata;

namespace Drive.Engine.Repair;

/// <summary>
/// Content of the dirty log that no row leads to any more: it gets a folder in the drive's root, with a file for each node at the offsets its records tell. Nothing
/// is copied; the new files' rows point to the old records.
/// </summary>
internal sealed class FoundContent
{
    private const uint FolderMode = FileMode.Directory | 0x1C0;
    private const uint FileModeBits = FileMode.Regular | 0x180;

    private readonly SortedDictionary<ulong, UncommittedState> _ranges = [];

    /// <summary>How many nodes it has bytes of.</summary>
    public int Count => _ranges.Count;

    /// <summary>Gathers the records that no row points to; a later record lies over an earlier one.</summary>
    public static FoundContent Gather(DirtyLog log, IEnumerable<DirtyRow> known, Action<Exception> torn)
    {
        HashSet<LogPosition> used = [.. known.Select(static row => new LogPosition(row.Segment, row.Position))];
        FoundContent found = new();
        byte[] buffer = new byte[1 << 20];
        foreach (DirtyLogRecord record in log.ScanHeaders(null, default, torn))
        {
            if (record.Node == NodeId.None || used.Contains(record.Position) || !IsWhole(log, record, buffer, torn))
            {
                continue;
            }

            if (!found._ranges.TryGetValue(record.Node.Value, out UncommittedState? ranges))
            {
                found._ranges.Add(record.Node.Value, ranges = new UncommittedState());
            }

            MetadataBatch batch = new();
            batch.PutDirty(new DirtyRow(
                record.Node, record.Offset, record.Length, DirtyKind.Data, record.Position.Segment, record.Position.Position, record.Length, 0, default));
            ranges.Add(batch);
        }

        return found;
    }

    /// <summary>The rows of the folder and its files.</summary>
    public MetadataBatch ToBatch(MetadataStore metadata, long epoch, byte[] folderName, long now, Func<NodeId> nextNode)
    {
        MetadataBatch batch = new() { Epoch = epoch };
        long entryId = metadata.NextEntryId;
        NodeRow root = metadata.FindNode(NodeId.Root) ?? throw new MetadataCorruptException("The vault has no root.");
        NodeId folder = nextNode();
        batch.PutNode(root with { LinkCount = root.LinkCount + 1, ModifyTime = now, ChangeTime = now }, isNew: false);
        batch.PutNode(NewNode(folder, FolderMode, 2, 0, root, now), isNew: true);
        batch.PutEntry(new EntryRow(NodeId.Root, folderName, folder, entryId++));
        foreach ((ulong node, UncommittedState ranges) in _ranges)
        {
            List<DirtyRow> rows = [.. ranges.Dirty];
            long end = rows.Max(static row => row.Offset + row.Length);
            NodeId file = nextNode();
            batch.PutNode(NewNode(file, FileModeBits, 1, end, root, now), isNew: true);
            batch.PutEntry(new EntryRow(folder, Encoding.ASCII.GetBytes(NameOf(node, rows)), file, entryId++));
            rows.ForEach(row => batch.PutDirty(row with { Node = file }));
        }

        return batch;
    }

    private static bool IsWhole(DirtyLog log, DirtyLogRecord record, byte[] buffer, Action<Exception> torn)
    {
        try
        {
            log.Read(record.Position, record.Length, 0, buffer.AsSpan(0, record.Length));
            return true;
        }
        catch (CorruptLogException error)
        {
            torn(error);
            return false;
        }
    }

    /// <summary>Node and ranges, three at most: <c>node-1f4 0-4096 8192-9000</c>.</summary>
    private static string NameOf(ulong node, List<DirtyRow> rows)
    {
        List<(long Start, long End)> joined = [];
        foreach (DirtyRow row in rows.OrderBy(static row => row.Offset))
        {
            if (joined.Count > 0 && joined[^1].End == row.Offset)
            {
                joined[^1] = (joined[^1].Start, row.Offset + row.Length);
            }
            else
            {
                joined.Add((row.Offset, row.Offset + row.Length));
            }
        }

        string ranges = string.Join(' ', joined.Take(3).Select(static range => $"{range.Start}-{range.End}"));
        return $"node-{node:x} {ranges}{(joined.Count > 3 ? " and more" : "")}";
    }

    private static NodeRow NewNode(NodeId node, uint mode, uint links, long size, NodeRow owner, long now) => new()
    {
        Node = node,
        Mode = mode,
        LinkCount = links,
        Uid = owner.Uid,
        Gid = owner.Gid,
        Size = size,
        AccessTime = now,
        ModifyTime = now,
        ChangeTime = now,
        BirthTime = now,
    };
}
