using System.Globalization;
using System.Text;
using Drive.Core.Volumes;

namespace Drive.Engine.History;

/// <summary>What a restore did.</summary>
/// <param name="Files">Files, links and other nodes that were made or set back.</param>
/// <param name="Folders">Folders that were made or set back.</param>
/// <param name="Bytes">Content of the files.</param>
/// <param name="Removed">Names that were taken away.</param>
public readonly record struct RestoreCount(long Files, long Folders, long Bytes, long Removed);

/// <summary>
/// Brings nodes of the past into the present by calls on the volume: content by sharing blocks, with modes, owners, times, extended attributes, hard links among what is brought, and holes. Nothing is
/// fetched from the store. Each call is a change like any other; a crash leaves a part that a second run completes.
/// </summary>
/// <remarks>Rewinding, a node that is still there is set back in place, so that it stays the node that other devices and pins know; in any other case new nodes are made. Not for several threads.</remarks>
internal sealed class TreeRestore(Volume volume, PastVolume past, bool isRewind, CancellationToken cancellationToken)
{
    private const int XattrBytesMax = 65_536;

    private const AttributeFields Owned =
        AttributeFields.Mode | AttributeFields.Uid | AttributeFields.Gid | AttributeFields.AccessTime | AttributeFields.ModifyTime;

    private readonly ChangedByUs _changed = new(volume);
    private readonly Dictionary<NodeId, NodeId> _brought = [];
    private readonly Dictionary<NodeId, int> _namesHere = [];
    private long _temporary;
    private long _files;
    private long _folders;
    private long _bytes;
    private long _removed;

    /// <summary>Makes a name in a directory mean what it meant; what is there is set back or replaced.</summary>
    public RestoreCount Restore(NodeAttributes was, NodeId parent, byte[] name)
    {
        NodeAttributes? now = volume.Lookup(parent, name, out NodeAttributes found) == FsStatus.Ok ? found : null;
        if (isRewind && now is { } top)
        {
            CountNames(top);
        }

        try
        {
            RestoreEntry(was, parent, name, now);
            return Finish(was, parent, name);
        }
        finally
        {
            _changed.Tell();
        }
    }

    /// <summary>Makes a directory that is there be as it was.</summary>
    public RestoreCount RestoreInto(NodeAttributes was, NodeAttributes directory)
    {
        CountNames(directory);
        try
        {
            RestoreChildren(was, directory.Node);
            return Finish(was, directory.Node, null);
        }
        finally
        {
            _changed.Tell();
        }
    }

    private RestoreCount Finish(NodeAttributes was, NodeId place, byte[]? name)
    {
        NodeAttributes now = name is null ? Attributes(place) : Require(volume.Lookup(place, name, out NodeAttributes found), found, name);
        if (FileMode.IsDirectory(was.Mode))
        {
            // What moved is linked anew by now: only then names may go, and only then times stay.
            SettleDirectory(was, now.Node);
        }

        return new RestoreCount(_files, _folders, _bytes, _removed);
    }

    private void RestoreEntry(NodeAttributes was, NodeId parent, byte[] name, NodeAttributes? now)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (FileMode.IsDirectory(was.Mode))
        {
            NodeId directory = now is { } there && FileMode.IsDirectory(there.Mode) ? there.Node : MakeDirectory(was, parent, name, now);
            RestoreChildren(was, directory);
            return;
        }

        if (now is { } present && _brought.GetValueOrDefault(was.Node) == present.Node)
        {
            return;
        }

        bool inPlace = isRewind && _namesHere.TryGetValue(was.Node, out int names) && volume.GetAttributes(was.Node, out NodeAttributes live) == FsStatus.Ok && live.LinkCount == names;
        if (inPlace && _brought.TryAdd(was.Node, was.Node))
        {
            SetBack(was);
        }

        if (now is { } same && _brought.GetValueOrDefault(was.Node) == same.Node)
        {
            return;
        }

        byte[] place = now is null ? name : FreeName(parent);
        try
        {
            BringTo(was, parent, name, place, now);
        }
        catch when (now is not null)
        {
            // What is there stays, and nothing beside it.
            volume.Unlink(parent, place);
            throw;
        }
    }

    /// <summary>Links or makes a node at a place, and puts it where another one is.</summary>
    private void BringTo(NodeAttributes was, NodeId parent, byte[] name, byte[] place, NodeAttributes? now)
    {
        if (_brought.TryGetValue(was.Node, out NodeId known))
        {
            Require(volume.Link(known, parent, place, out _), name);
            _changed.Name(parent, place);
            _changed.Node(known, content: false);
            _files++;
        }
        else
        {
            _brought[was.Node] = Bring(was, parent, place);
        }

        if (now is { } old)
        {
            if (FileMode.IsDirectory(old.Mode))
            {
                RemoveTree(parent, name, old);
            }

            Require(volume.Rename(parent, place, parent, name, RenameOptions.None), name);
            _changed.Name(parent, place);
            _changed.Name(parent, name);
            _changed.Node(old.Node, content: false);
        }
    }

    /// <summary>A name that nothing has; a restore that a crash ended may have left some.</summary>
    private byte[] FreeName(NodeId parent)
    {
        byte[] name;
        do
        {
            name = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $".drive-restore-{past.Seq}-{_temporary++}"));
        }
        while (volume.Lookup(parent, name, out _) == FsStatus.Ok);

        return name;
    }

    private void RestoreChildren(NodeAttributes was, NodeId directory)
    {
        SortedDictionary<byte[], NodeAttributes> today = TreeComparison.List(volume, directory);
        foreach ((byte[] name, NodeAttributes child) in TreeComparison.List(past, was.Node))
        {
            RestoreEntry(child, directory, name, today.TryGetValue(name, out NodeAttributes now) ? now : null);
        }
    }

    private NodeId MakeDirectory(NodeAttributes was, NodeId parent, byte[] name, NodeAttributes? now)
    {
        if (now is { } old)
        {
            // A file in the place of a directory; its other names keep it.
            Require(volume.Unlink(parent, name), name);
            _changed.Node(old.Node, content: false);
            _removed++;
        }

        // With its own mode and owner in the end; until then only the owner looks in.
        NodeId directory = Require(volume.MakeDirectory(parent, name, 0x1C0, new Caller(was.Uid, was.Gid), out NodeAttributes made), made, name).Node;
        _changed.Name(parent, name);
        return directory;
    }

    /// <summary>A new node that is as the old one was.</summary>
    private NodeId Bring(NodeAttributes was, NodeId parent, byte[] name)
    {
        NodeAttributes made;
        Caller owner = new(was.Uid, was.Gid);
        if (FileMode.IsSymbolicLink(was.Mode))
        {
            byte[] target = new byte[FileName.LinkTargetBytesMax];
            Require(past.ReadLink(was.Node, target, out int length), name);
            Require(volume.MakeSymbolicLink(parent, name, target.AsSpan(0, length), owner, out made), name);
        }
        else
        {
            Require(volume.MakeNode(parent, name, was.Mode, was.DeviceNumber, owner, out made), name);
        }

        if (FileMode.IsRegular(was.Mode))
        {
            Share(was, made.Node, name);
        }

        SetAttributes(was, made.Node);
        _changed.Name(parent, name);
        _files++;
        return made.Node;
    }

    /// <summary>Makes a node that is still there be as it was.</summary>
    private void SetBack(NodeAttributes was)
    {
        NodeAttributes now = Attributes(was.Node);
        if (TreeComparison.IsSame(was, now))
        {
            return;
        }

        if (FileMode.IsRegular(was.Mode) && (was.Size != now.Size || was.ModifyTime != now.ModifyTime))
        {
            Share(was, was.Node, "a file"u8.ToArray());
        }

        SetAttributes(was, was.Node);
        _files++;
    }

    private void Share(NodeAttributes was, NodeId node, byte[] name)
    {
        Require(past.FindFile(HandleId.Of(was.Node), out PastFile file), name);
        Require(volume.SetContent(node, file), name);
        _changed.Node(node, content: true);
        _bytes += was.Size;
    }

    private void SetAttributes(NodeAttributes was, NodeId node)
    {
        SetXattrs(was.Node, node);
        AttributeChange change = new()
        {
            Fields = FileMode.IsSymbolicLink(was.Mode) ? Owned & ~AttributeFields.Mode : Owned,
            Mode = was.Mode,
            Uid = was.Uid,
            Gid = was.Gid,
            AccessTime = was.AccessTime,
            ModifyTime = was.ModifyTime,
        };
        Require(volume.SetAttributes(node, HandleId.None, change, out _), "attributes"u8.ToArray());
        _changed.Node(node, content: false);
    }

    private void SetXattrs(NodeId from, NodeId to)
    {
        List<byte[]> wanted = Names(past, from);
        byte[] value = new byte[XattrBytesMax];
        foreach (byte[] name in Names(volume, to))
        {
            if (!wanted.Exists(other => other.AsSpan().SequenceEqual(name)))
            {
                volume.RemoveExtendedAttribute(to, name);
            }
        }

        foreach (byte[] name in wanted)
        {
            Require(past.GetExtendedAttribute(from, name, value, out int length), name);
            Require(volume.SetExtendedAttribute(to, name, value.AsSpan(0, length), AttributeSetOptions.None), name);
        }
    }

    private static List<byte[]> Names(IVolume of, NodeId node)
    {
        of.ListExtendedAttributes(node, [], out int length);
        byte[] names = new byte[length];
        List<byte[]> list = [];
        if (length > 0 && of.ListExtendedAttributes(node, names, out length) == FsStatus.Ok)
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

    /// <summary>Takes away what was not there (rewinding), then sets attributes, from the bottom up: whatever changes a directory sets its times.</summary>
    private void SettleDirectory(NodeAttributes was, NodeId directory)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SortedDictionary<byte[], NodeAttributes> then = TreeComparison.List(past, was.Node);
        foreach ((byte[] name, NodeAttributes now) in TreeComparison.List(volume, directory))
        {
            if (!then.TryGetValue(name, out NodeAttributes child))
            {
                if (isRewind)
                {
                    RemoveTree(directory, name, now);
                }
            }
            else if (FileMode.IsDirectory(child.Mode) && FileMode.IsDirectory(now.Mode))
            {
                SettleDirectory(child, now.Node);
            }
        }

        NodeAttributes present = Attributes(directory);
        if (present.Mode != was.Mode || present.Uid != was.Uid || present.Gid != was.Gid || present.ModifyTime != was.ModifyTime || present.ChangeTime != was.ChangeTime)
        {
            SetAttributes(was, directory);
            _folders++;
        }
    }

    private void RemoveTree(NodeId parent, byte[] name, NodeAttributes node)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (FileMode.IsDirectory(node.Mode))
        {
            foreach ((byte[] below, NodeAttributes child) in TreeComparison.List(volume, node.Node))
            {
                RemoveTree(node.Node, below, child);
            }

            Require(volume.RemoveDirectory(parent, name), name);
        }
        else
        {
            Require(volume.Unlink(parent, name), name);
        }

        _changed.Name(parent, name);
        _changed.Node(node.Node, content: false);
        _removed++;
    }

    /// <summary>How many names each node has in what is set back: one that has others elsewhere is not changed.</summary>
    private void CountNames(NodeAttributes node)
    {
        if (!FileMode.IsDirectory(node.Mode))
        {
            _namesHere[node.Node] = _namesHere.GetValueOrDefault(node.Node) + 1;
            return;
        }

        foreach (NodeAttributes child in TreeComparison.List(volume, node.Node).Values)
        {
            CountNames(child);
        }
    }

    private NodeAttributes Attributes(NodeId node) => Require(volume.GetAttributes(node, out NodeAttributes attributes), attributes, "a node"u8.ToArray());

    private static NodeAttributes Require(FsStatus status, in NodeAttributes attributes, byte[] name)
    {
        Require(status, name);
        return attributes;
    }

    private static void Require(FsStatus status, byte[] name)
    {
        if (status != FsStatus.Ok)
        {
            throw new FsException(
                status == FsStatus.NotFound ? FsStatus.IoError : status,
                status switch
                {
                    FsStatus.Stale => "History does not have this state any more: 'drive history PATH' shows what there is.",
                    FsStatus.ReadOnly => "The drive is read-only: 'drive status' says why.",
                    FsStatus.NoSpace => "No room on the local disk or within the cache's limit: what was restored so far stays; free some space and run it again.",
                    _ => $"'{Encoding.UTF8.GetString(name)}' could not be restored ({status}): it may have changed meanwhile. What was restored so far stays; run it again.",
                });
        }
    }
}
