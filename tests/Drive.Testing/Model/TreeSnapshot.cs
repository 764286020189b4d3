using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Drive.Core.Volumes;

namespace Drive.Testing.Model;

/// <summary>
/// Everything that a volume shows, as one line a path: attributes except access time and allocation, content by its hash, target,
/// extended attributes, and which paths are one node. Node ids themselves are not compared.
/// </summary>
public sealed class TreeSnapshot
{
    private readonly SortedDictionary<string, string> _lines = new(StringComparer.Ordinal);

    private TreeSnapshot()
    {
    }

    /// <summary>All of a volume, or what lies below a directory as if that were the root.</summary>
    public static async Task<TreeSnapshot> CaptureAsync(IVolume volume, NodeId? top = null)
    {
        NodeId start = top ?? NodeId.Root;
        var snapshot = new TreeSnapshot();
        Dictionary<NodeId, string> firstPaths = [];
        FsStatus status = volume.GetAttributes(start, out NodeAttributes root);
        snapshot._lines.Add("/", status == FsStatus.Ok ? Describe(volume, root) : status.ToString());
        Stack<(string Path, NodeId Node)> pending = new([("", start)]);
        while (pending.TryPop(out (string Path, NodeId Node) directory))
        {
            foreach ((byte[] name, NodeAttributes attributes, _) in List(volume, directory.Node))
            {
                string path = directory.Path + "/" + Encoding.Latin1.GetString(name);
                string same = firstPaths.TryGetValue(attributes.Node, out string? first) ? $" same={first}" : "";
                firstPaths.TryAdd(attributes.Node, path);
                string content = same.Length == 0 && FileMode.IsRegular(attributes.Mode) ? await HashAsync(volume, attributes) : "";
                snapshot._lines.Add(path, Describe(volume, attributes) + content + same);
                if (FileMode.IsDirectory(attributes.Mode))
                {
                    pending.Push((path, attributes.Node));
                }
            }
        }

        return snapshot;
    }

    /// <summary>One line for each path that differs; none when the trees are the same.</summary>
    public List<string> Differences(TreeSnapshot actual)
    {
        List<string> differences = [];
        foreach (string path in _lines.Keys.Union(actual._lines.Keys).Order(StringComparer.Ordinal))
        {
            string? mine = _lines.GetValueOrDefault(path);
            string? other = actual._lines.GetValueOrDefault(path);
            if (mine != other)
            {
                differences.Add($"{path}\n    expected {mine ?? "nothing"}\n    actual   {other ?? "nothing"}");
            }
        }

        return differences;
    }

    /// <summary>Stands for the whole tree in a set of trees.</summary>
    public string Text => string.Join('\n', _lines.Select(line => $"{line.Key} {line.Value}"));

    private static List<(byte[] Name, NodeAttributes Attributes, long NextCookie)> List(IVolume volume, NodeId node)
    {
        DirectoryCollector collector = new();
        if (volume.OpenDirectory(node, out HandleId handle) == FsStatus.Ok)
        {
            volume.ReadDirectory(handle, 0, collector);
            volume.CloseDirectory(handle);
        }

        // Listings of different volumes may differ in order; which path of a node comes first must not.
        return [.. collector.Entries
            .Where(entry => !entry.Name.AsSpan().SequenceEqual("."u8) && !entry.Name.AsSpan().SequenceEqual(".."u8))
            .OrderBy(entry => entry.Name, ByteNameComparer.Instance)];
    }

    private static string Describe(IVolume volume, in NodeAttributes attributes)
    {
        var line = new StringBuilder();
        line.Append($"mode={Convert.ToString(attributes.Mode, 8)} links={attributes.LinkCount} owner={attributes.Uid}:{attributes.Gid}");
        line.Append($" device={attributes.DeviceNumber} size={attributes.Size} modified={attributes.ModifyTime} changed={attributes.ChangeTime}");
        if (FileMode.IsSymbolicLink(attributes.Mode))
        {
            byte[] target = new byte[FileName.LinkTargetBytesMax];
            FsStatus status = volume.ReadLink(attributes.Node, target, out int length);
            line.Append($" target={(status == FsStatus.Ok ? Encoding.Latin1.GetString(target, 0, length) : status)}");
        }

        AppendXattrs(volume, attributes.Node, line);
        return line.ToString();
    }

    private static void AppendXattrs(IVolume volume, NodeId node, StringBuilder line)
    {
        byte[] names = ArrayPool<byte>.Shared.Rent(65536);
        byte[] value = ArrayPool<byte>.Shared.Rent(65536);
        FsStatus status = volume.ListExtendedAttributes(node, names, out int length);
        if (status != FsStatus.Ok)
        {
            line.Append($" xattrs={status}");
            return;
        }

        foreach (string name in Encoding.Latin1.GetString(names, 0, length).Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal))
        {
            status = volume.GetExtendedAttribute(node, Encoding.Latin1.GetBytes(name), value, out int valueLength);
            line.Append($" {name}={(status == FsStatus.Ok ? Hash(value.AsSpan(0, valueLength)) : status)}");
        }

        ArrayPool<byte>.Shared.Return(names);
        ArrayPool<byte>.Shared.Return(value);
    }

    private static async Task<string> HashAsync(IVolume volume, NodeAttributes attributes)
    {
        FsStatus status = volume.Open(attributes.Node, OpenOptions.Read, out HandleId handle);
        if (status != FsStatus.Ok)
        {
            return $" content={status}";
        }

        // One byte more than the size: a read that gives more than the attributes say is a difference.
        byte[] content = new byte[attributes.Size + 1];
        IoResult result = await volume.ReadAsync(handle, 0, content, CancellationToken.None);
        volume.Close(handle);
        return $" content={(result.Status == FsStatus.Ok ? Hash(content.AsSpan(0, (int)result.Count)) : result.Status)}";
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 6));
}
