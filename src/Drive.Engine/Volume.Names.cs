using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>Making, finding, linking and removing names.</content>
public sealed partial class Volume
{
    private const uint LinksMax = 65_000;

    /// <inheritdoc/>
    public FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
    {
        attributes = default;
        lock (_gate)
        {
            FsStatus status = FindDirectory(parent, out Node directory);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (name.SequenceEqual("."u8))
            {
                return GetAttributes(parent, out attributes);
            }

            if (name.SequenceEqual(".."u8))
            {
                return GetAttributes(directory.Parent == NodeId.None ? NodeId.Root : directory.Parent, out attributes);
            }

            status = FileName.Validate(name);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (FindEntry(directory, name) is not { } entry || FindChild(directory, entry) is not { } node)
            {
                return FsStatus.NotFound;
            }

            attributes = Describe(node);
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public FsStatus MakeNode(NodeId parent, ReadOnlySpan<byte> name, uint mode, uint deviceNumber, Caller caller, out NodeAttributes attributes)
    {
        uint type = mode & FileMode.TypeMask;
        if (type is not (FileMode.Regular or FileMode.Fifo or FileMode.Socket or FileMode.CharacterDevice or FileMode.BlockDevice))
        {
            attributes = default;
            return FsStatus.Invalid;
        }

        bool isDevice = type is FileMode.CharacterDevice or FileMode.BlockDevice;
        return MakeNamed(parent, name, mode & (FileMode.TypeMask | FileMode.PermissionMask), isDevice ? deviceNumber : 0, null, caller, out attributes);
    }

    /// <inheritdoc/>
    public FsStatus MakeDirectory(NodeId parent, ReadOnlySpan<byte> name, uint mode, Caller caller, out NodeAttributes attributes) =>
        MakeNamed(parent, name, (mode & FileMode.PermissionMask) | FileMode.Directory, 0, null, caller, out attributes);

    /// <inheritdoc/>
    public FsStatus MakeSymbolicLink(NodeId parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Caller caller, out NodeAttributes attributes)
    {
        attributes = default;
        if (target.Length > FileName.LinkTargetBytesMax)
        {
            return FsStatus.NameTooLong;
        }

        return target.IsEmpty || target.Contains((byte)0)
            ? FsStatus.Invalid
            : MakeNamed(parent, name, FileMode.SymbolicLink | 0x1FF, 0, target.ToArray(), caller, out attributes);
    }

    /// <inheritdoc/>
    public FsStatus Create(
        NodeId parent, ReadOnlySpan<byte> name, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle)
    {
        handle = HandleId.None;
        lock (_gate)
        {
            FsStatus status = MakeNamed(parent, name, (mode & FileMode.PermissionMask) | FileMode.Regular, 0, null, caller, out attributes);
            bool exists = status == FsStatus.Exists || (status == FsStatus.ReadOnly && (options & OpenOptions.Exclusive) == 0);
            if (exists && (options & OpenOptions.Exclusive) == 0)
            {
                FsStatus found = Lookup(parent, name, out attributes);
                status = found == FsStatus.NotFound ? status : found;
                if (found == FsStatus.Ok)
                {
                    status = Open(attributes.Node, options, out handle);
                    NodeId node = attributes.Node;
                    attributes = default;
                    return status == FsStatus.Ok ? GetAttributes(node, out attributes) : status;
                }
            }

            if (status == FsStatus.Ok)
            {
                handle = AddHandle(_nodes[attributes.Node], options);
            }

            return status;
        }
    }

    /// <inheritdoc/>
    public FsStatus CreateUnnamed(NodeId parent, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle)
    {
        attributes = default;
        handle = HandleId.None;
        lock (_gate)
        {
            FsStatus status = FindDirectory(parent, out Node directory);
            if (status != FsStatus.Ok || RefusesChanges)
            {
                return status != FsStatus.Ok ? status : FsStatus.ReadOnly;
            }

            Node node = NewNode(directory, (mode & FileMode.PermissionMask) | FileMode.Regular, 0, null, caller);
            node.LinkCount = 0;
            node.IsLinkable = (options & OpenOptions.Exclusive) == 0;
            AddToCache(node);
            handle = AddHandle(node, options);
            attributes = Describe(node);
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public FsStatus Link(NodeId node, NodeId newParent, ReadOnlySpan<byte> newName, out NodeAttributes attributes)
    {
        attributes = default;
        lock (_gate)
        {
            if (FindNode(node) is not { } target)
            {
                return FsStatus.NotFound;
            }

            if (target.IsDirectory)
            {
                return FsStatus.NotPermitted;
            }

            FsStatus status = CheckNew(newParent, newName, out Node directory);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (target.LinkCount >= LinksMax)
            {
                return FsStatus.TooManyLinks;
            }

            bool wasUnnamed = target.LinkCount == 0;
            if (wasUnnamed && !target.IsLinkable)
            {
                return FsStatus.NotFound;
            }

            BeginChange();
            long now = Now();
            target.LinkCount++;
            target.IsLinkable = false;
            target.ChangeTime = now;
            SetEntry(directory, newName.ToArray(), target.Id);
            TouchContent(directory, now);
            MarkChanged(target);
            if (wasUnnamed)
            {
                RecordUnnamed(target);
                _nodeCount++;
            }

            attributes = Describe(target);
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public FsStatus Unlink(NodeId parent, ReadOnlySpan<byte> name) => Remove(parent, name, directory: false);

    /// <inheritdoc/>
    public FsStatus RemoveDirectory(NodeId parent, ReadOnlySpan<byte> name) => Remove(parent, name, directory: true);

    private FsStatus Remove(NodeId parentId, ReadOnlySpan<byte> name, bool directory)
    {
        lock (_gate)
        {
            FsStatus status = FindDirectory(parentId, out Node parent);
            status = status == FsStatus.Ok ? CheckWritable(name) : status;
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (FindEntry(parent, name) is not { } entry || FindChild(parent, entry) is not { } node)
            {
                return FsStatus.NotFound;
            }

            if (node.IsDirectory != directory)
            {
                return directory ? FsStatus.NotDirectory : FsStatus.IsDirectory;
            }

            if (directory && !IsEmptyDirectory(node))
            {
                return FsStatus.NotEmpty;
            }

            BeginChange();
            long now = Now();
            SetEntry(parent, entry.Name, NodeId.None);
            if (directory)
            {
                parent.LinkCount--;
            }

            TouchContent(parent, now);
            RemoveLink(node, now);
            return FsStatus.Ok;
        }
    }

    private FsStatus MakeNamed(
        NodeId parent, ReadOnlySpan<byte> name, uint mode, uint deviceNumber, byte[]? target, Caller caller, out NodeAttributes attributes)
    {
        attributes = default;
        lock (_gate)
        {
            FsStatus status = CheckNew(parent, name, out Node directory);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (FileMode.IsDirectory(mode) && directory.LinkCount >= int.MaxValue)
            {
                return FsStatus.TooManyLinks;
            }

            BeginChange();
            Node node = NewNode(directory, mode, deviceNumber, target, caller);
            AddToCache(node);
            SetEntry(directory, name.ToArray(), node.Id);
            if (node.IsDirectory)
            {
                directory.LinkCount++;
                node.Parent = directory.Id;
                _parents[node.Id] = directory.Id;
                node.Entries = new DirectoryEntries(isComplete: true);
            }

            TouchContent(directory, node.ChangeTime);
            MarkChanged(node);
            _nodeCount++;
            attributes = Describe(node);
            return FsStatus.Ok;
        }
    }

    private FsStatus CheckNew(NodeId parent, ReadOnlySpan<byte> name, out Node directory)
    {
        FsStatus status = FindDirectory(parent, out directory);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        if (directory.LinkCount == 0)
        {
            return FsStatus.NotFound;
        }

        status = FileName.Validate(name);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        // A name that exists is said before "read-only": mkdir -p of what is there must go on working.
        return FindEntry(directory, name) is not null ? FsStatus.Exists : RefusesChanges ? FsStatus.ReadOnly : FsStatus.Ok;
    }

    private Node NewNode(Node directory, uint mode, uint deviceNumber, byte[]? target, Caller caller)
    {
        bool inheritsGroup = (directory.Mode & FileMode.SetGroupId) != 0;
        if (inheritsGroup && FileMode.IsDirectory(mode))
        {
            mode |= FileMode.SetGroupId;
        }

        long now = Now();
        return new Node
        {
            Id = NodeId.Compose(_deviceNumber, _nextNodeCounter++),
            Mode = mode,
            LinkCount = FileMode.IsDirectory(mode) ? 2u : 1u,
            Uid = caller.Uid,
            Gid = inheritsGroup ? directory.Gid : caller.Gid,
            DeviceNumber = deviceNumber,
            LinkTarget = target,
            AccessTime = now,
            ModifyTime = now,
            ChangeTime = now,
            BirthTime = now,
            IsNew = true,
        };
    }
}
