using Drive.Disk.Trees;

namespace Drive.Backup.Runs;

/// <summary>Which paths of this machine a set names, and which it never holds.</summary>
internal sealed class SetPaths
{
    private readonly List<byte[]> _paths;
    private readonly HashSet<byte[]> _never = new(NameBytes.Comparer);

    public SetPaths(IReadOnlyList<string> paths, IEnumerable<string> never)
    {
        _paths = [.. paths.Select(static path => SourcePath.Of(Path.GetFullPath(path).TrimEnd('/') is { Length: > 0 } whole ? whole : "/")).Distinct(NameBytes.Comparer)];
        _never.UnionWith(never.Select(static path => SourcePath.Of(Path.GetFullPath(path).TrimEnd('/'))));
    }

    /// <summary>Whether the set names just this path.</summary>
    public bool IsPath(byte[] path) => _paths.Exists(named => named.AsSpan().SequenceEqual(path));

    /// <summary>Whether a path of the set lies below this one.</summary>
    public bool IsAncestor(byte[] path) => _paths.Exists(named => named.Length > path.Length && SourcePath.IsWithin(named, path));

    public bool IsNever(byte[] path) => _never.Contains(path);

    /// <summary>The names in a folder above the set's paths that lead to them, in order.</summary>
    public List<byte[]> NamesIn(byte[] folder)
    {
        int start = folder is [(byte)'/'] ? 1 : folder.Length + 1;
        List<byte[]> names = [];
        foreach (byte[] path in _paths.Where(path => path.Length > start && SourcePath.IsWithin(path, folder)))
        {
            int end = path.AsSpan(start).IndexOf((byte)'/');
            names.Add(end < 0 ? path[start..] : path[start..(start + end)]);
        }

        return [.. names.Distinct(NameBytes.Comparer).OrderBy(static name => name, Comparer<byte[]>.Create(static (one, other) => one.AsSpan().SequenceCompareTo(other)))];
    }
}
