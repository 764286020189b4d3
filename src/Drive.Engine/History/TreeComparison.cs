using Drive.Core.Volumes;

namespace Drive.Engine.History;

/// <summary>What became of a path between two states.</summary>
public enum TreeChangeKind
{
    /// <summary>It was not there before.</summary>
    Added,

    /// <summary>It is not there any more.</summary>
    Removed,

    /// <summary>Its content is another, or what it is.</summary>
    Changed,

    /// <summary>Only mode, owner, times or extended attributes are others.</summary>
    Attributes,

    /// <summary>The same node has another path; its content may have changed as well.</summary>
    Moved,
}

/// <summary>A path that two states show differently.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Path">Below the top that was compared, parts between slashes; where it is after a move. Bytes as in the volume.</param>
/// <param name="From">Where it was before a move, else null.</param>
/// <param name="Before">Its size before, 0 for what was not there.</param>
/// <param name="After">Its size after, 0 for what is not there.</param>
/// <param name="IsDirectory">Whether it is a directory, or was one.</param>
public sealed record TreeChange(TreeChangeKind Kind, byte[] Path, byte[]? From, long Before, long After, bool IsDirectory);

/// <summary>
/// Compares two volumes that show one vault at two times. A node is known by its id, and one that did not change has the change time that it had, so content is not read. Costs a look at each
/// name of both trees.
/// </summary>
internal static class TreeComparison
{
    /// <summary>All differences below two directories or files, in the order of paths, moves put together; null stands for nothing at all.</summary>
    public static List<TreeChange> Compare(IVolume before, NodeAttributes? top, IVolume after, NodeAttributes? topNow, CancellationToken cancellationToken)
    {
        List<Found> found = [];
        Compare(before, top, after, topNow, [], found, cancellationToken);
        return Join(found);
    }

    /// <summary>The entries of a directory by name, without "." and "..".</summary>
    public static SortedDictionary<byte[], NodeAttributes> List(IVolume volume, NodeId directory)
    {
        Collector collector = new();
        if (volume.OpenDirectory(directory, out HandleId handle) == FsStatus.Ok)
        {
            FsStatus status = volume.ReadDirectory(handle, 0, collector);
            volume.CloseDirectory(handle);
            if (status != FsStatus.Ok)
            {
                throw new FsException(status, "A directory could not be listed to its end: history may have been thinned meanwhile. Try again.");
            }
        }

        return collector.Entries;
    }

    /// <summary>Whether a node is as it was, seen by attributes alone.</summary>
    public static bool IsSame(in NodeAttributes before, in NodeAttributes after) =>
        before.Node == after.Node && HasSameContent(before, after)
        && before.Mode == after.Mode && before.Uid == after.Uid && before.Gid == after.Gid && before.ChangeTime == after.ChangeTime;

    private static bool HasSameContent(in NodeAttributes before, in NodeAttributes after) =>
        before.Size == after.Size && before.ModifyTime == after.ModifyTime && (before.Mode & FileMode.TypeMask) == (after.Mode & FileMode.TypeMask);

    private static void Compare(
        IVolume before, NodeAttributes? was, IVolume after, NodeAttributes? now, byte[] path, List<Found> found, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        bool wasDirectory = was is { } old && FileMode.IsDirectory(old.Mode);
        bool isDirectory = now is { } current && FileMode.IsDirectory(current.Mode);
        if (wasDirectory != isDirectory || was is null || now is null)
        {
            AddWhole(before, was, path, TreeChangeKind.Removed, found, cancellationToken);
            AddWhole(after, now, path, TreeChangeKind.Added, found, cancellationToken);
            return;
        }

        (NodeAttributes a, NodeAttributes b) = (was.Value, now.Value);
        if (!isDirectory)
        {
            if (a.Node != b.Node ? !HasSameContent(a, b) || a.Mode != b.Mode : !IsSame(a, b))
            {
                found.Add(new Found(HasSameContent(a, b) ? TreeChangeKind.Attributes : TreeChangeKind.Changed, path, a, b));
            }

            return;
        }

        if (a.Mode != b.Mode || a.Uid != b.Uid || a.Gid != b.Gid)
        {
            found.Add(new Found(TreeChangeKind.Attributes, path, a, b));
        }

        SortedDictionary<byte[], NodeAttributes> then = List(before, a.Node);
        SortedDictionary<byte[], NodeAttributes> today = List(after, b.Node);
        foreach (byte[] name in then.Keys.Union(today.Keys, NameComparer.Instance).Order(NameComparer.Instance))
        {
            Compare(before, At(then, name), after, At(today, name), Below(path, name), found, cancellationToken);
        }
    }

    private static void AddWhole(IVolume volume, NodeAttributes? node, byte[] path, TreeChangeKind kind, List<Found> found, CancellationToken cancellationToken)
    {
        if (node is not { } whole)
        {
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        found.Add(new Found(kind, path, kind == TreeChangeKind.Removed ? whole : null, kind == TreeChangeKind.Added ? whole : null));
        if (FileMode.IsDirectory(whole.Mode))
        {
            foreach ((byte[] name, NodeAttributes child) in List(volume, whole.Node))
            {
                AddWhole(volume, child, Below(path, name), kind, found, cancellationToken);
            }
        }
    }

    /// <summary>A node that went from one path and came at another has moved.</summary>
    private static List<TreeChange> Join(List<Found> found)
    {
        Dictionary<NodeId, Found> gone = [];
        foreach (Found one in found.Where(static one => one.Kind == TreeChangeKind.Removed))
        {
            gone.TryAdd(one.Before!.Value.Node, one);
        }

        HashSet<Found> joined = [];
        List<TreeChange> changes = [];
        foreach (Found one in found.Where(static one => one.Kind == TreeChangeKind.Added))
        {
            if (gone.Remove(one.After!.Value.Node, out Found? from))
            {
                joined.Add(one);
                joined.Add(from);
                changes.Add(new TreeChange(TreeChangeKind.Moved, one.Path, from.Path, from.SizeBefore, one.SizeAfter, one.IsDirectory));
            }
        }

        changes.AddRange(found.Where(one => !joined.Contains(one)).Select(static one => new TreeChange(one.Kind, one.Path, null, one.SizeBefore, one.SizeAfter, one.IsDirectory)));
        changes.Sort(static (a, b) => a.Path.AsSpan().SequenceCompareTo(b.Path));
        return changes;
    }

    private static NodeAttributes? At(SortedDictionary<byte[], NodeAttributes> entries, byte[] name) => entries.TryGetValue(name, out NodeAttributes found) ? found : null;

    private static byte[] Below(byte[] path, byte[] name) => path.Length == 0 ? name : [.. path, (byte)'/', .. name];

    private sealed record Found(TreeChangeKind Kind, byte[] Path, NodeAttributes? Before, NodeAttributes? After)
    {
        public long SizeBefore => Before is { } node && FileMode.IsRegular(node.Mode) ? node.Size : 0;

        public long SizeAfter => After is { } node && FileMode.IsRegular(node.Mode) ? node.Size : 0;

        public bool IsDirectory => FileMode.IsDirectory((After ?? Before)!.Value.Mode);
    }

    private sealed class Collector : IDirectoryWriter
    {
        public SortedDictionary<byte[], NodeAttributes> Entries { get; } = new(NameComparer.Instance);

        public bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie)
        {
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
            {
                Entries[name.ToArray()] = attributes;
            }

            return true;
        }
    }

    /// <summary>Names by their bytes.</summary>
    private sealed class NameComparer : IComparer<byte[]>, IEqualityComparer<byte[]>
    {
        public static NameComparer Instance { get; } = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj)
        {
            HashCode hash = default;
            hash.AddBytes(obj);
            return hash.ToHashCode();
        }
    }
}
