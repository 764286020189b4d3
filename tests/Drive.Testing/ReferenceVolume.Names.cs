using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Names: looking up, making, linking and removing.</summary>
public sealed partial class ReferenceVolume
{
    public FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
    {
        lock (_lock)
        {
            attributes = default;
            FsStatus status = FindDirectory(parent, out ReferenceNode directory);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            {
                NodeId id = name.Length == 1 ? parent : directory.Directory!.Parent;
                return GetAttributes(id, out attributes);
            }

            status = FindEntry(directory, name, out ReferenceEntry entry);
            if (status == FsStatus.Ok)
            {
                attributes = entry.Node.Describe();
            }

            return status;
        }
    }

    public FsStatus ReadLink(NodeId node, Span<byte> target, out int length)
    {
        lock (_lock)
        {
            length = 0;
            FsStatus status = FindNode(node, out ReferenceNode found);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (found.Target is null)
            {
                return FsStatus.Invalid;
            }

            if (!IsReadOnly)
            {
                found.MarkAccessed(Now());
            }

            length = Math.Min(target.Length, found.Target.Length);
            found.Target.AsSpan(0, length).CopyTo(target);
            return FsStatus.Ok;
        }
    }

    public FsStatus MakeNode(NodeId parent, ReadOnlySpan<byte> name, uint mode, uint deviceNumber, Caller caller, out NodeAttributes attributes)
    {
        attributes = default;
        uint type = mode & FileMode.TypeMask;
        if (type is not (FileMode.Regular or FileMode.Fifo or FileMode.Socket or FileMode.BlockDevice or FileMode.CharacterDevice))
        {
            return FsStatus.Invalid;
        }

        bool isDevice = type is FileMode.BlockDevice or FileMode.CharacterDevice;
        return Make(parent, name, mode, caller, isDevice ? deviceNumber : 0, target: null, out attributes);
    }

    public FsStatus MakeDirectory(NodeId parent, ReadOnlySpan<byte> name, uint mode, Caller caller, out NodeAttributes attributes) =>
        Make(parent, name, FileMode.Directory | (mode & FileMode.PermissionMask), caller, deviceNumber: 0, target: null, out attributes);

    public FsStatus MakeSymbolicLink(
        NodeId parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Caller caller, out NodeAttributes attributes)
    {
        attributes = default;
        if (target.Length > FileName.LinkTargetBytesMax)
        {
            return FsStatus.NameTooLong;
        }

        return target.IsEmpty || target.Contains((byte)0)
            ? FsStatus.Invalid
            : Make(parent, name, FileMode.SymbolicLink | 0x1FF, caller, deviceNumber: 0, target.ToArray(), out attributes);
    }

    public FsStatus Link(NodeId node, NodeId newParent, ReadOnlySpan<byte> newName, out NodeAttributes attributes)
    {
        lock (_lock)
        {
            attributes = default;
            FsStatus status = FindNode(node, out ReferenceNode found);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (found.Directory is not null)
            {
                return FsStatus.NotPermitted;
            }

            status = CheckNewName(newParent, newName, out ReferenceNode directory);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (found.LinkCount == 0 && !found.IsLinkable)
            {
                return FsStatus.NotFound;
            }

            found.IsLinkable = false;
            found.IsForgotten = false;
            found.LinkCount++;
            found.ChangeTime = Now();
            AddEntry(directory, newName, found);
            attributes = found.Describe();
            return FsStatus.Ok;
        }
    }

    public FsStatus Unlink(NodeId parent, ReadOnlySpan<byte> name)
    {
        lock (_lock)
        {
            FsStatus status = CheckOldName(parent, name, out ReferenceNode directory, out ReferenceEntry entry);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (entry.Node.Directory is not null)
            {
                return FsStatus.IsDirectory;
            }

            RemoveEntry(directory, entry);
            DropLink(entry.Node);
            return FsStatus.Ok;
        }
    }

    public FsStatus RemoveDirectory(NodeId parent, ReadOnlySpan<byte> name)
    {
        lock (_lock)
        {
            FsStatus status = CheckOldName(parent, name, out ReferenceNode directory, out ReferenceEntry entry);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (entry.Node.Directory is null)
            {
                return FsStatus.NotDirectory;
            }

            if (entry.Node.Directory.Count != 0)
            {
                return FsStatus.NotEmpty;
            }

            RemoveEntry(directory, entry);
            directory.LinkCount--;
            DropLink(entry.Node);
            return FsStatus.Ok;
        }
    }

    private FsStatus Make(
        NodeId parent, ReadOnlySpan<byte> name, uint mode, Caller caller, uint deviceNumber, byte[]? target, out NodeAttributes attributes)
    {
        lock (_lock)
        {
            attributes = default;
            FsStatus status = CheckNewName(parent, name, out ReferenceNode directory);
            if (status == FsStatus.Ok)
            {
                ReferenceNode node = AddNode(directory, mode, caller, deviceNumber, target);
                node.LinkCount = node.Directory is null ? 1u : 2u;
                directory.LinkCount += node.Directory is null ? 0u : 1u;
                AddEntry(directory, name, node);
                attributes = node.Describe();
            }

            return status;
        }
    }

    private ReferenceNode AddNode(ReferenceNode directory, uint mode, Caller caller, uint deviceNumber = 0, byte[]? target = null)
    {
        // A set-group-ID directory hands its group down, and the bit itself to directories below it.
        bool inherits = (directory.Mode & FileMode.SetGroupId) != 0;
        bool isDirectory = FileMode.IsDirectory(mode);
        long now = Now();
        var node = new ReferenceNode
        {
            Id = new NodeId(++_lastNode),
            Mode = (mode & (FileMode.TypeMask | FileMode.PermissionMask)) | (inherits && isDirectory ? FileMode.SetGroupId : 0),
            Uid = caller.Uid,
            Gid = inherits ? directory.Gid : caller.Gid,
            DeviceNumber = deviceNumber,
            Target = target,
            Content = FileMode.IsRegular(mode) ? new SparseContent(_pages) : null,
            Directory = isDirectory ? new ReferenceDirectory(directory.Id) : null,
            AccessTime = now,
            ModifyTime = now,
            ChangeTime = now,
            BirthTime = now,
        };
        _nodes.Add(node.Id, node);
        return node;
    }

    private void AddEntry(ReferenceNode directory, ReadOnlySpan<byte> name, ReferenceNode node)
    {
        directory.Directory!.Add(new ReferenceEntry { Id = ++_lastEntry, Name = name.ToArray(), Node = node });
        directory.MarkModified(Now());
    }

    private void RemoveEntry(ReferenceNode directory, ReferenceEntry entry)
    {
        directory.Directory!.Remove(entry);
        directory.MarkModified(Now());
    }

    /// <summary>One name less; for an (empty) directory the last.</summary>
    private void DropLink(ReferenceNode node)
    {
        node.LinkCount = node.Directory is null ? node.LinkCount - 1 : 0;
        node.ChangeTime = Now();
        node.IsForgotten = false;
    }

    private FsStatus CheckNewName(NodeId parent, ReadOnlySpan<byte> name, out ReferenceNode directory)
    {
        FsStatus status = FindDirectory(parent, out directory);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        status = FileName.Validate(name);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        if (IsReadOnly)
        {
            return FsStatus.ReadOnly;
        }

        if (directory.IsGone)
        {
            return FsStatus.NotFound;
        }

        return directory.Directory!.Find(name) is null ? FsStatus.Ok : FsStatus.Exists;
    }

    private FsStatus CheckOldName(NodeId parent, ReadOnlySpan<byte> name, out ReferenceNode directory, out ReferenceEntry entry)
    {
        entry = null!;
        FsStatus status = FindDirectory(parent, out directory);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        status = FindEntry(directory, name, out entry);
        return status is FsStatus.Ok or FsStatus.NotFound && IsReadOnly ? FsStatus.ReadOnly : status;
    }

    private FsStatus FindDirectory(NodeId id, out ReferenceNode directory)
    {
        FsStatus status = FindNode(id, out directory);
        return status == FsStatus.Ok && directory.Directory is null ? FsStatus.NotDirectory : status;
    }

    private static FsStatus FindEntry(ReferenceNode directory, ReadOnlySpan<byte> name, out ReferenceEntry entry)
    {
        entry = null!;
        FsStatus status = FileName.Validate(name);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        ReferenceEntry? found = directory.Directory!.Find(name);
        entry = found!;
        return found is null ? FsStatus.NotFound : FsStatus.Ok;
    }
}
