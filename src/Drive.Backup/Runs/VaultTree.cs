using System.Text;
using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Runs;

/// <summary>
/// Makes the tree of a set in the vault be what its folders are, one thing at a time, by calls on the volume. What is there already and the same is left alone, so a second time does nothing. Whoever shows the
/// volume is told. For one thread.
/// </summary>
internal sealed class VaultTree(IVolume volume, IContentImport import)
{
    private const int XattrBytesMax = 65_536;

    /// <summary>Changes told at once. Arbitrary.</summary>
    private const int ToldMax = 1000;

    private readonly Dictionary<(ulong Device, ulong Inode), (NodeId Node, SourceNode Source)> _linked = [];
    private readonly HashSet<(ulong Device, ulong Inode)> _split = [];
    private readonly List<ChangedName> _names = [];
    private readonly HashSet<NodeId> _nodes = [];

    /// <summary>Refuses, for people, what the volume refused.</summary>
    public static void Require(FsStatus status)
    {
        if (status != FsStatus.Ok)
        {
            throw new FsException(status, status switch
            {
                FsStatus.ReadOnly => "The drive is read-only: 'drive status' says why.",
                FsStatus.NoSpace => "No room on the local disk or within the cache's limit: free some space; the next run goes on from here.",
                _ => $"The tree of the set in the vault could not be changed ({status}): somebody may have changed it meanwhile. The next run goes on from here.",
            });
        }
    }

    /// <summary>What a name means; null: nothing.</summary>
    public VaultEntry? Find(NodeId parent, ReadOnlySpan<byte> name)
    {
        FsStatus status = volume.Lookup(parent, name, out NodeAttributes found);
        if (status == FsStatus.NotFound)
        {
            return null;
        }

        Require(status);
        return VaultEntry.Of(found);
    }

    /// <summary>A directory of that name: the one that is there, or a new one.</summary>
    public NodeId EnsureDirectory(NodeId parent, byte[] name, uint mode, uint uid, uint gid)
    {
        VaultEntry? existing = Find(parent, name);
        if (existing is { IsDirectory: true } directory)
        {
            return directory.Node;
        }

        if (existing is not null)
        {
            Remove(parent, name);
        }

        Require(volume.MakeDirectory(parent, name, mode, new Caller(uid, gid), out NodeAttributes made));
        NameChanged(parent, name);
        return made.Node;
    }

    /// <summary>Sets what a directory is itself; after everything in it.</summary>
    public VaultEntry SettleDirectory(NodeId directory, in SourceNode source, IReadOnlyList<(byte[] Name, byte[] Value)> xattrs) => Settle(directory, source, xattrs);

    /// <summary>
    /// A regular file. Null when the vault has forgotten a block of its content meanwhile: then it is to be read anew. What has several names on this machine is one node with several here.
    /// </summary>
    public VaultEntry? PutFile(NodeId parent, byte[] name, in SourceNode source, IReadOnlyList<ContentPiece> pieces, IReadOnlyList<(byte[] Name, byte[] Value)> xattrs)
    {
        VaultEntry? existing = Find(parent, name);
        if (source.Links > 1 && _linked.TryGetValue((source.Device, source.Inode), out (NodeId Node, SourceNode Source) first) && first.Source.IsUnchanged(source))
        {
            if (existing is { } same && same.Node == first.Node)
            {
                return same;
            }

            if (existing is not null)
            {
                Remove(parent, name);
            }

            Require(volume.Link(first.Node, parent, name, out NodeAttributes linked));
            NameChanged(parent, name);
            _nodes.Add(linked.Node);
            return VaultEntry.Of(linked);
        }

        if (existing is { } other && (!other.HasType(source.Mode) || other.Links > 1))
        {
            // Its other names may mean something else by now.
            Remove(parent, name);
            existing = null;
        }

        NodeId node = existing?.Node ?? Make(parent, name, source);
        FsStatus status = import.SetContent(node, source.Size, pieces);
        if (status == FsStatus.Stale)
        {
            return null;
        }

        Require(status);
        VaultEntry settled = Settle(node, source, xattrs);
        if (source.Links > 1 && !_linked.TryAdd((source.Device, source.Inode), (node, source)))
        {
            _linked[(source.Device, source.Inode)] = (node, source);
            _split.Add((source.Device, source.Inode));
        }

        return settled;
    }

    /// <summary>Whether what has several names is, as it was read now, the node that all of them will have; else another one was made, and the next run joins them.</summary>
    public bool IsLinkedAs(in SourceNode source) => _linked.TryGetValue((source.Device, source.Inode), out (NodeId Node, SourceNode Source) first) && first.Source.IsUnchanged(source) && !_split.Contains((source.Device, source.Inode));

    /// <summary>A link, or a fifo, socket or device.</summary>
    public VaultEntry PutOther(NodeId parent, byte[] name, in SourceNode source, byte[]? target, IReadOnlyList<(byte[] Name, byte[] Value)> xattrs)
    {
        VaultEntry? existing = Find(parent, name);
        if (existing is { } other && !IsSame(other, source, target))
        {
            Remove(parent, name);
            existing = null;
        }

        if (existing is { } same)
        {
            return Settle(same.Node, source, xattrs);
        }

        NodeId node;
        if (target is null)
        {
            node = Make(parent, name, source);
        }
        else
        {
            Require(volume.MakeSymbolicLink(parent, name, target, new Caller(source.Uid, source.Gid), out NodeAttributes made));
            NameChanged(parent, name);
            node = made.Node;
        }

        return Settle(node, source, xattrs);
    }

    /// <summary>Takes a name away, with all that is below it.</summary>
    public void Remove(NodeId parent, byte[] name)
    {
        if (Find(parent, name) is not { } entry)
        {
            return;
        }

        if (entry.IsDirectory)
        {
            foreach (byte[] child in VaultListing.Read(volume, entry.Node).Keys)
            {
                Remove(entry.Node, child);
            }

            Require(volume.RemoveDirectory(parent, name));
        }
        else
        {
            Require(volume.Unlink(parent, name));
        }

        NameChanged(parent, name);
        _nodes.Add(entry.Node);
    }

    /// <summary>The names of extended attributes that a node should have and the volume does not keep.</summary>
    public IReadOnlyList<byte[]> FindRefused(NodeId node, IReadOnlyList<(byte[] Name, byte[] Value)> wanted)
    {
        if (wanted.Count == 0)
        {
            return [];
        }

        HashSet<byte[]> kept = new(ListXattrs(node), NameBytes.Comparer);
        return [.. wanted.Select(static one => one.Name).Where(name => !kept.Contains(name))];
    }

    /// <summary>Tells whoever shows the volume what was not told yet.</summary>
    public void Tell()
    {
        import.TellChanged(_names, _nodes);
        _names.Clear();
        _nodes.Clear();
    }

    private NodeId Make(NodeId parent, byte[] name, in SourceNode source)
    {
        Require(volume.MakeNode(parent, name, source.Mode, source.IsRegular ? 0 : source.DeviceNumber, new Caller(source.Uid, source.Gid), out NodeAttributes made));
        NameChanged(parent, name);
        return made.Node;
    }

    private bool IsSame(in VaultEntry entry, in SourceNode source, byte[]? target)
    {
        if (!entry.HasType(source.Mode) || entry.Links > 1 || entry.DeviceNumber != source.DeviceNumber)
        {
            return false;
        }

        if (target is null)
        {
            return true;
        }

        byte[] now = new byte[FileName.LinkTargetBytesMax];
        Require(volume.ReadLink(entry.Node, now, out int length));
        return now.AsSpan(0, length).SequenceEqual(target);
    }

    /// <summary>Gives a node just these extended attributes, but for those that the drive refuses (<see cref="FindRefused"/>).</summary>
    public VaultEntry PutXattrs(NodeId node, IReadOnlyList<(byte[] Name, byte[] Value)> xattrs)
    {
        SetXattrs(node, xattrs);
        Require(volume.GetAttributes(node, out NodeAttributes now));
        return Settled(node, now);
    }

    private VaultEntry Settle(NodeId node, in SourceNode source, IReadOnlyList<(byte[] Name, byte[] Value)> xattrs)
    {
        SetXattrs(node, xattrs);
        Require(volume.GetAttributes(node, out NodeAttributes now));
        if (now.Mode != source.Mode || now.Uid != source.Uid || now.Gid != source.Gid || now.ModifyTime != source.ModifyTime)
        {
            AttributeChange change = new()
            {
                Fields = AttributeFields.Uid | AttributeFields.Gid | AttributeFields.AccessTime | AttributeFields.ModifyTime | (source.IsSymbolicLink ? AttributeFields.None : AttributeFields.Mode),
                Mode = source.Mode,
                Uid = source.Uid,
                Gid = source.Gid,
                AccessTime = source.AccessTime,
                ModifyTime = source.ModifyTime,
            };
            Require(volume.SetAttributes(node, HandleId.None, change, out now));
        }

        return Settled(node, now);
    }

    private VaultEntry Settled(NodeId node, in NodeAttributes now)
    {
        _nodes.Add(node);
        if (_names.Count + _nodes.Count >= ToldMax)
        {
            Tell();
        }

        return VaultEntry.Of(now);
    }

    private void SetXattrs(NodeId node, IReadOnlyList<(byte[] Name, byte[] Value)> wanted)
    {
        List<byte[]> present = ListXattrs(node);
        foreach (byte[] name in present)
        {
            if (!wanted.Any(one => one.Name.AsSpan().SequenceEqual(name)))
            {
                volume.RemoveExtendedAttribute(node, name);
            }
        }

        byte[] now = wanted.Count > 0 && present.Count > 0 ? new byte[XattrBytesMax] : [];
        foreach ((byte[] name, byte[] value) in wanted)
        {
            bool isSame = present.Exists(one => one.AsSpan().SequenceEqual(name)) && volume.GetExtendedAttribute(node, name, now, out int length) == FsStatus.Ok && now.AsSpan(0, length).SequenceEqual(value);
            if (!isSame)
            {
                FsStatus status = volume.SetExtendedAttribute(node, name, value, AttributeSetOptions.None);
                if (status is FsStatus.NotSupported or FsStatus.NotPermitted or FsStatus.ValueTooLarge or FsStatus.NameTooLong)
                {
                    // Without it rather than with an older one.
                    volume.RemoveExtendedAttribute(node, name);
                }
                else
                {
                    Require(status);
                }
            }
        }
    }

    private List<byte[]> ListXattrs(NodeId node)
    {
        List<byte[]> list = [];
        Require(volume.ListExtendedAttributes(node, [], out int length));
        byte[] names = new byte[length];
        if (length > 0 && volume.ListExtendedAttributes(node, names, out length) == FsStatus.Ok)
        {
            for (int start = 0; start < length;)
            {
                int end = Array.IndexOf(names, (byte)0, start);
                list.Add(names[start..end]);
                start = end + 1;
            }
        }

        return list;
    }

    private void NameChanged(NodeId parent, byte[] name)
    {
        _names.Add(new ChangedName(parent, name));
        _nodes.Add(parent);
    }
}
