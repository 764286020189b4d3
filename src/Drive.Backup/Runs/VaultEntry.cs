using System.Diagnostics.CodeAnalysis;
using Drive.Core.Volumes;

namespace Drive.Backup.Runs;

/// <summary>What a name in the vault's tree means: as much of its attributes as a run compares.</summary>
internal readonly record struct VaultEntry(NodeId Node, uint Mode, uint Links, uint Uid, uint Gid, uint DeviceNumber, long Size, long ModifyTime, long ChangeTime)
{
    public bool IsDirectory => Core.Volumes.FileMode.IsDirectory(Mode);

    public static VaultEntry Of(in NodeAttributes attributes) => new(
        attributes.Node, attributes.Mode, attributes.LinkCount, attributes.Uid, attributes.Gid, attributes.DeviceNumber, attributes.Size, attributes.ModifyTime, attributes.ChangeTime);

    public bool HasType(uint mode) => ((Mode ^ mode) & Core.Volumes.FileMode.TypeMask) == 0;
}

/// <summary>Names by their bytes.</summary>
internal sealed class NameBytes : IEqualityComparer<byte[]>
{
    public static NameBytes Comparer { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode([DisallowNull] byte[] obj)
    {
        HashCode hash = default;
        hash.AddBytes(obj);
        return hash.ToHashCode();
    }
}

/// <summary>All of a directory of a volume.</summary>
internal sealed class VaultListing(Action<byte[], NodeAttributes> take) : IDirectoryWriter
{
    /// <summary>By name.</summary>
    public static Dictionary<byte[], VaultEntry> Read(IVolume volume, NodeId directory)
    {
        Dictionary<byte[], VaultEntry> entries = new(NameBytes.Comparer);
        VaultTree.Require(Visit(volume, directory, (name, attributes) => entries[name] = VaultEntry.Of(attributes)));
        return entries;
    }

    /// <summary>
    /// In the order in which it was made, which is the one in which a backup put it into packs. That of a listing is another one on a machine that got the tree from the log.
    /// </summary>
    public static FsStatus ReadAsMade(IVolume volume, NodeId directory, out List<(byte[] Name, NodeAttributes Node)> entries)
    {
        List<(byte[] Name, NodeAttributes Node)> found = [];
        FsStatus status = Visit(volume, directory, (name, attributes) => found.Add((name, attributes)));
        found.Sort(static (one, other) => one.Node.Node.Value.CompareTo(other.Node.Node.Value));
        entries = found;
        return status;
    }

    /// <summary>One after the other, in the order of the volume; but for "." and "..".</summary>
    private static FsStatus Visit(IVolume volume, NodeId directory, Action<byte[], NodeAttributes> take)
    {
        FsStatus status = volume.OpenDirectory(directory, out HandleId handle);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        try
        {
            return volume.ReadDirectory(handle, 0, new VaultListing(take));
        }
        finally
        {
            volume.CloseDirectory(handle);
        }
    }

    public bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie)
    {
        if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
        {
            take(name.ToArray(), attributes);
        }

        return true;
    }
}
