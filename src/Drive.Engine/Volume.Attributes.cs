using System.Text;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>Attributes, extended attributes, links and space.</content>
public sealed partial class Volume
{
    /// <summary>The extended attribute that tells where a file's bytes are; made up on the spot, never stored or listed.</summary>
    public const string StateXattr = "user.drive.state";

    private const int XattrBytesMax = 65_536;

    /// <inheritdoc/>
    public FsStatus GetAttributes(NodeId node, out NodeAttributes attributes)
    {
        attributes = default;
        lock (_gate)
        {
            if (FindNode(node) is not { } found)
            {
                return FsStatus.NotFound;
            }

            attributes = Describe(found);
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public FsStatus SetAttributes(NodeId node, HandleId handle, in AttributeChange change, out NodeAttributes attributes)
    {
        attributes = default;
        AttributeFields fields = change.Fields;
        FsStatus status = FsStatus.Ok;
        lock (_gate)
        {
            if (FindNode(node) is not { } target)
            {
                return FsStatus.NotFound;
            }

            if (RefusesChanges)
            {
                return FsStatus.ReadOnly;
            }

            bool resizes = (fields & AttributeFields.Size) != 0;
            if (resizes && !target.IsRegular)
            {
                return target.IsDirectory ? FsStatus.IsDirectory : FsStatus.Invalid;
            }

            if (resizes && change.Size < 0)
            {
                return FsStatus.Invalid;
            }

            if (resizes && handle != HandleId.None && (!TryFindFile(handle, out _, out OpenOptions opened) || (opened & OpenOptions.Write) == 0))
            {
                return FsStatus.BadHandle;
            }

            if (fields == AttributeFields.None)
            {
                attributes = Describe(target);
                return FsStatus.Ok;
            }

            BeginChange();
            long now = Now();
            if (resizes)
            {
                status = Resize(target, change.Size, now);
            }

            if (status == FsStatus.Ok)
            {
                ApplyFields(target, change, now);
                target.ChangeTime = (fields & AttributeFields.ChangeTime) != 0 ? change.ChangeTime : now;
                MarkChanged(target);
                attributes = Describe(target);
            }

            return status;
        }
    }

    /// <inheritdoc/>
    public FsStatus ReadLink(NodeId node, Span<byte> target, out int length)
    {
        length = 0;
        lock (_gate)
        {
            if (FindNode(node) is not { } found)
            {
                return FsStatus.NotFound;
            }

            if (found.LinkTarget is not { } text)
            {
                return FsStatus.Invalid;
            }

            TouchAccess(found);
            length = Math.Min(text.Length, target.Length);
            text.AsSpan(0, length).CopyTo(target);
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public FsStatus GetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        length = 0;
        lock (_gate)
        {
            if (FindNode(node) is not { } found)
            {
                return FsStatus.NotFound;
            }

            if (name.SequenceEqual(Encoding.ASCII.GetBytes(StateXattr)) && (found.IsRegular || found.IsDirectory))
            {
                return CopyOut(Encoding.ASCII.GetBytes(DescribeState(found.Id)), value, out length);
            }

            if (name.SequenceEqual(Encoding.ASCII.GetBytes(PinnedXattr)) && (found.IsRegular || found.IsDirectory))
            {
                return CopyOut(IsPinned(found.Id) ? "yes"u8 : "no"u8, value, out length);
            }

            if (!HasNamespace(name))
            {
                return FsStatus.NotSupported;
            }

            return LoadXattrs(found).GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out byte[]? stored)
                ? CopyOut(stored, value, out length)
                : FsStatus.NoAttribute;
        }
    }

    /// <inheritdoc/>
    public FsStatus ListExtendedAttributes(NodeId node, Span<byte> names, out int length)
    {
        length = 0;
        lock (_gate)
        {
            if (FindNode(node) is not { } found)
            {
                return FsStatus.NotFound;
            }

            return CopyNames(LoadXattrs(found).Keys, names, out length);
        }
    }

    /// <inheritdoc/>
    public FsStatus SetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, AttributeSetOptions options)
    {
        FsStatus status = CheckXattr(name);
        if (status != FsStatus.Ok || value.Length > XattrBytesMax)
        {
            return status != FsStatus.Ok ? status : FsStatus.ValueTooLarge;
        }

        lock (_gate)
        {
            if (FindNode(node) is not { } found)
            {
                return FsStatus.NotFound;
            }

            if (RefusesChanges)
            {
                return FsStatus.ReadOnly;
            }

            Dictionary<byte[], byte[]> xattrs = LoadXattrs(found);
            bool exists = xattrs.GetAlternateLookup<ReadOnlySpan<byte>>().ContainsKey(name);
            if (exists && (options & AttributeSetOptions.CreateOnly) != 0)
            {
                return FsStatus.Exists;
            }

            if (!exists && (options & AttributeSetOptions.ReplaceOnly) != 0)
            {
                return FsStatus.NoAttribute;
            }

            BeginChange();
            byte[] key = name.ToArray();
            byte[] stored = value.ToArray();
            xattrs[key] = stored;
            RecordXattr(found, key, stored);
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public FsStatus RemoveExtendedAttribute(NodeId node, ReadOnlySpan<byte> name)
    {
        FsStatus status = CheckXattr(name);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        lock (_gate)
        {
            if (FindNode(node) is not { } found)
            {
                return FsStatus.NotFound;
            }

            if (RefusesChanges)
            {
                return FsStatus.ReadOnly;
            }

            byte[] key = name.ToArray();
            if (!LoadXattrs(found).Remove(key))
            {
                return FsStatus.NoAttribute;
            }

            BeginChange();
            RecordXattr(found, key, null);
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public void Forget(NodeId node)
    {
        lock (_gate)
        {
            if (_nodes.TryGetValue(node, out Node? found) && found.LinkCount == 0)
            {
                found.IsForgotten = true;
                TryDrop(found);
            }
        }
    }

    private NodeAttributes Describe(Node node)
    {
        NodeAttributes attributes = node.ToAttributes();
        if (node.IsRegular && node.MaySparse)
        {
            attributes.AllocatedBytes = CountAllocated(node);
        }

        return attributes;
    }

    private void ApplyFields(Node node, in AttributeChange change, long now)
    {
        AttributeFields fields = change.Fields;
        if ((fields & AttributeFields.Mode) != 0)
        {
            node.Mode = (node.Mode & FileMode.TypeMask) | (change.Mode & FileMode.PermissionMask);
        }

        if ((fields & AttributeFields.Uid) != 0)
        {
            node.Uid = change.Uid;
        }

        if ((fields & AttributeFields.Gid) != 0)
        {
            node.Gid = change.Gid;
        }

        if ((fields & AttributeFields.KillPrivileges) != 0 && (fields & AttributeFields.Mode) == 0 && !node.IsDirectory)
        {
            KillPrivileges(node);
        }

        if ((fields & (AttributeFields.AccessTime | AttributeFields.AccessTimeNow)) != 0)
        {
            node.AccessTime = (fields & AttributeFields.AccessTimeNow) != 0 ? now : change.AccessTime;
        }

        if ((fields & (AttributeFields.ModifyTime | AttributeFields.ModifyTimeNow)) != 0)
        {
            node.ModifyTime = (fields & AttributeFields.ModifyTimeNow) != 0 ? now : change.ModifyTime;
        }
    }

    private Dictionary<byte[], byte[]> LoadXattrs(Node node)
    {
        if (node.AreXattrsLost)
        {
            throw new IOException("The extended attributes of this unlinked file could not be kept.");
        }

        if (node.Xattrs is null)
        {
            Dictionary<byte[], byte[]> found = new(NameComparer.Instance);
            if (!node.IsNew)
            {
                foreach (XattrRow row in _metadata.ReadXattrs(node.Id))
                {
                    found[row.Name] = row.Value;
                }
            }

            node.Xattrs = found;
        }

        return node.Xattrs;
    }

    private void RecordXattr(Node node, byte[] name, byte[]? value)
    {
        node.ChangeTime = Now();
        MarkChanged(node);
        if (node.LinkCount > 0)
        {
            _pending.Xattrs[new NameKey(node.Id, name)] = value;
        }
    }

    /// <summary>A file made without a name got one: all of it is new to the database.</summary>
    private void RecordUnnamed(Node node)
    {
        _removedNodes.Remove(node.Id);
        _pending.RemovedNodes.Remove(node.Id);
        foreach ((byte[] name, byte[] value) in LoadXattrs(node))
        {
            _pending.Xattrs[new NameKey(node.Id, name)] = value;
        }

        if (node.Overlay is { } overlay)
        {
            overlay.MarkUnsaved();
            MarkContentChanged(node);
        }
    }

    private static FsStatus CheckXattr(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual(Encoding.ASCII.GetBytes(StateXattr)))
        {
            return FsStatus.NotPermitted;
        }

        return name.Length > FileName.BytesMax ? FsStatus.NameTooLong
            : name.IsEmpty ? FsStatus.Invalid
            : !HasNamespace(name) ? FsStatus.NotSupported
            : FsStatus.Ok;
    }

    /// <summary>Each name followed by NUL; only the length where there is no room for any.</summary>
    internal static FsStatus CopyNames(IEnumerable<byte[]> all, Span<byte> names, out int length)
    {
        int position = 0;
        foreach (byte[] name in all)
        {
            if (!names.IsEmpty)
            {
                if (names.Length - position <= name.Length)
                {
                    length = 0;
                    return FsStatus.BufferTooSmall;
                }

                name.CopyTo(names[position..]);
                names[position + name.Length] = 0;
            }

            position += name.Length + 1;
        }

        length = position;
        return FsStatus.Ok;
    }

    internal static bool HasNamespace(ReadOnlySpan<byte> name) =>
        name.StartsWith("user."u8) || name.StartsWith("trusted."u8) || name.StartsWith("security."u8);

    internal static FsStatus CopyOut(ReadOnlySpan<byte> stored, Span<byte> value, out int length)
    {
        length = stored.Length;
        if (value.IsEmpty)
        {
            return FsStatus.Ok;
        }

        if (value.Length < stored.Length)
        {
            length = 0;
            return FsStatus.BufferTooSmall;
        }

        stored.CopyTo(value);
        return FsStatus.Ok;
    }
}
