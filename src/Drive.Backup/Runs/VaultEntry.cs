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

/// <summary>All of a directory of the vault, by name.</summary>
internal sealed class VaultListing : IDirectoryWriter
{
    private readonly Dictionary<byte[], VaultEntry> _entries = new(NameBytes.Comparer);

    public static Dictionary<byte[], VaultEntry> Read(IVolume volume, NodeId directory)
    {
        VaultListing listing = new();
        VaultTree.Require(volume.OpenDirectory(directory, out HandleId handle));
        try
        {
            VaultTree.Require(volume.ReadDirectory(handle, 0, listing));
            return listing._entries;
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
            _entries[name.ToArray()] = VaultEntry.Of(attributes);
        }

        return true;
    }
}
