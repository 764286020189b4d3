using System.Security.Cryptography;
using System.Text;
using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Backup.Tests;

/// <summary>A tree as lines that can be compared, one a path: of this machine by system calls that are none of the product's, and of a volume.</summary>
internal static class TreeImage
{
    public static SortedDictionary<string, string> OfDisk(string top)
    {
        SortedDictionary<string, string> lines = new(StringComparer.Ordinal);
        Dictionary<ulong, string> first = [];
        Add("", top);
        return lines;

        void Add(string path, string full)
        {
            Assert.Equal(0, Posix.GetStatus(full, out FileStatus status));
            StringBuilder line = new($"{status.Mode:x} {status.User}:{status.Group} {status.ModifyTime}");
            byte[] value = new byte[65536];
            int names = Posix.ListXattrs(full, value);
            foreach (string name in Encoding.UTF8.GetString(value, 0, Math.Max(0, names)).Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal))
            {
                int length = Posix.GetXattr(full, name, value);
                line.Append($" {name}={Convert.ToHexString(value.AsSpan(0, length))}");
            }

            if ((status.Mode & FileMode.TypeMask) == FileMode.SymbolicLink)
            {
                line.Append($" -> {Encoding.Latin1.GetString(value, 0, Posix.ReadLink(full, value))}");
            }
            else if (FileMode.IsRegular(status.Mode))
            {
                line.Append($" {status.Size} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(full)))} holes={HolesOf(full, status.Size)}");
                if (status.Links > 1 && !first.TryAdd(status.Node, path))
                {
                    line.Append($" same={first[status.Node]}");
                }
            }

            lines.Add(path, line.ToString());
            if (FileMode.IsDirectory(status.Mode))
            {
                foreach (string child in Directory.GetFileSystemEntries(full).Order(StringComparer.Ordinal))
                {
                    Add($"{path}/{Path.GetFileName(child)}", child);
                }
            }
        }
    }

    /// <summary>Fails with the lines that differ.</summary>
    public static void AssertSame(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual)
    {
        string[] different = [.. expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal).Where(path => expected.GetValueOrDefault(path) != actual.GetValueOrDefault(path))
            .Select(path => $"{path}\n  expected {expected.GetValueOrDefault(path)}\n  actual   {actual.GetValueOrDefault(path)}")];
        Assert.True(different.Length == 0, string.Join('\n', different));
    }

    public static async Task<SortedDictionary<string, string>> OfVolumeAsync(IVolume volume, string top)
    {
        SortedDictionary<string, string> lines = new(StringComparer.Ordinal);
        Dictionary<NodeId, string> first = [];
        NodeAttributes node = Find(volume, top) ?? throw new FileNotFoundException($"The volume has no {top}.");
        await AddAsync("", node);
        return lines;

        async Task AddAsync(string path, NodeAttributes status)
        {
            StringBuilder line = new($"{status.Mode:x} {status.Uid}:{status.Gid} {status.ModifyTime}");
            byte[] names = new byte[65536];
            byte[] value = new byte[65536];
            Assert.Equal(FsStatus.Ok, volume.ListExtendedAttributes(status.Node, names, out int all));
            foreach (string name in Encoding.UTF8.GetString(names, 0, all).Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal))
            {
                Assert.Equal(FsStatus.Ok, volume.GetExtendedAttribute(status.Node, Encoding.UTF8.GetBytes(name), value, out int length));
                line.Append($" {name}={Convert.ToHexString(value.AsSpan(0, length))}");
            }

            if (FileMode.IsSymbolicLink(status.Mode))
            {
                Assert.Equal(FsStatus.Ok, volume.ReadLink(status.Node, value, out int length));
                line.Append($" -> {Encoding.Latin1.GetString(value, 0, length)}");
            }
            else if (FileMode.IsRegular(status.Mode))
            {
                byte[] content = new byte[status.Size];
                IoResult read = await volume.ReadAsync(HandleId.Of(status.Node), 0, content, CancellationToken.None);
                Assert.Equal(IoResult.Done(content.Length), read);
                line.Append($" {status.Size} {Convert.ToHexString(SHA256.HashData(content))} holes={HolesOf(volume, status)}");
                if (status.LinkCount > 1 && !first.TryAdd(status.Node, path))
                {
                    line.Append($" same={first[status.Node]}");
                }
            }

            lines.Add(path, line.ToString());
            if (FileMode.IsDirectory(status.Mode))
            {
                DirectoryCollector list = new();
                Assert.Equal(FsStatus.Ok, volume.OpenDirectory(status.Node, out HandleId handle));
                Assert.Equal(FsStatus.Ok, volume.ReadDirectory(handle, 0, list));
                volume.CloseDirectory(handle);
                foreach ((byte[] name, NodeAttributes child, _) in list.Entries.Where(static entry => Encoding.UTF8.GetString(entry.Name) is not ("." or "..")).OrderBy(static entry => Encoding.UTF8.GetString(entry.Name), StringComparer.Ordinal))
                {
                    await AddAsync($"{path}/{Encoding.UTF8.GetString(name)}", child);
                }
            }
        }
    }

    public static NodeAttributes? Find(IVolume volume, string path)
    {
        Assert.Equal(FsStatus.Ok, volume.GetAttributes(NodeId.Root, out NodeAttributes node));
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (volume.Lookup(node.Node, Encoding.UTF8.GetBytes(name), out node) != FsStatus.Ok)
            {
                return null;
            }
        }

        return node;
    }

    private static string HolesOf(string path, long size)
    {
        int file = Posix.Open(path, Posix.ReadOnly);
        List<string> data = [];
        for (long at = 0; at < size && Posix.Seek(file, at, Posix.SeekData) is >= 0 and var start;)
        {
            at = Posix.Seek(file, start, Posix.SeekHole);
            data.Add($"{start}-{at}");
        }

        Posix.Close(file);
        return string.Join(',', data);
    }

    private static string HolesOf(IVolume volume, NodeAttributes status)
    {
        List<string> data = [];
        for (long at = 0; at < status.Size && volume.Seek(HandleId.Of(status.Node), at, SeekTarget.Data, out long start) == FsStatus.Ok;)
        {
            Assert.Equal(FsStatus.Ok, volume.Seek(HandleId.Of(status.Node), start, SeekTarget.Hole, out at));
            data.Add($"{start}-{at}");
        }

        return string.Join(',', data);
    }
}
