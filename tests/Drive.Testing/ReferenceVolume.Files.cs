using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Open files: opening, closing, bytes.</summary>
public sealed partial class ReferenceVolume
{
    public FsStatus Open(NodeId node, OpenOptions options, out HandleId handle)
    {
        lock (_lock)
        {
            handle = HandleId.None;
            FsStatus status = FindNode(node, out ReferenceNode found);
            return status == FsStatus.Ok ? OpenFound(found, options, out handle) : status;
        }
    }

    public FsStatus Create(
        NodeId parent, ReadOnlySpan<byte> name, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle)
    {
        lock (_lock)
        {
            attributes = default;
            handle = HandleId.None;
            FsStatus status = FindDirectory(parent, out ReferenceNode directory);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            status = FindEntry(directory, name, out ReferenceEntry entry);
            if (status == FsStatus.NotFound)
            {
                status = MakeNode(parent, name, FileMode.Regular | (mode & FileMode.PermissionMask), 0, caller, out attributes);
                handle = status == FsStatus.Ok ? AddHandle(_nodes[attributes.Node], options) : HandleId.None;
                return status;
            }

            if (status != FsStatus.Ok || (options & OpenOptions.Exclusive) != 0)
            {
                return status == FsStatus.Ok ? FsStatus.Exists : status;
            }

            status = OpenFound(entry.Node, options, out handle);
            if (status == FsStatus.Ok)
            {
                attributes = entry.Node.Describe();
            }

            return status;
        }
    }

    public FsStatus CreateUnnamed(
        NodeId parent, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle)
    {
        lock (_lock)
        {
            attributes = default;
            handle = HandleId.None;
            FsStatus status = FindDirectory(parent, out ReferenceNode directory);
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

            ReferenceNode node = AddNode(directory, FileMode.Regular | (mode & FileMode.PermissionMask), caller);
            node.IsLinkable = (options & OpenOptions.Exclusive) == 0;
            attributes = node.Describe();
            handle = AddHandle(node, options);
            return FsStatus.Ok;
        }
    }

    public void Close(HandleId handle)
    {
        lock (_lock)
        {
            if (_handles.Remove(handle, out ReferenceHandle? open))
            {
                open.Node.OpenHandles--;
                DropIfUnused(open.Node);
            }
        }
    }

    public ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            FsStatus status = FindFile(handle, out ReferenceHandle open);
            if (status == FsStatus.Ok && offset < 0)
            {
                status = FsStatus.Invalid;
            }

            if (status == FsStatus.Ok && cancellationToken.IsCancellationRequested)
            {
                status = FsStatus.Interrupted;
            }

            if (status != FsStatus.Ok)
            {
                return new(IoResult.Failed(status));
            }

            if (!IsReadOnly && !destination.IsEmpty)
            {
                open.Node.MarkAccessed(Now());
            }

            return new(IoResult.Done(open.Node.Content!.Read(offset, destination.Span)));
        }
    }

    public FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options)
    {
        lock (_lock)
        {
            FsStatus status = FindFile(handle, out ReferenceHandle open);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            bool fromCache = (options & WriteOptions.FromPageCache) != 0;
            if (!fromCache && !open.MayWrite)
            {
                return FsStatus.BadHandle;
            }

            SparseContent content = open.Node.Content!;
            if (!fromCache && ((open.Options & OpenOptions.Append) != 0 || (options & WriteOptions.Append) != 0))
            {
                offset = content.Size;
            }

            status = CheckRange(open.Node, offset, data.Length);
            if (status != FsStatus.Ok || data.IsEmpty)
            {
                return status;
            }

            content.Write(offset, data);
            if (!fromCache)
            {
                open.Node.MarkModified(Now());
            }

            if ((options & WriteOptions.KillPrivileges) != 0)
            {
                open.Node.KillPrivileges();
            }

            return FsStatus.Ok;
        }
    }

    public FsStatus Flush(HandleId handle)
    {
        lock (_lock)
        {
            return FindFile(handle, out ReferenceHandle _);
        }
    }

    public ValueTask<FsStatus> FsyncAsync(HandleId handle, bool dataOnly, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new(handle == HandleId.None || handle.Node != NodeId.None || _handles.ContainsKey(handle) ? FsStatus.Ok : FsStatus.BadHandle);
        }
    }

    private FsStatus OpenFound(ReferenceNode node, OpenOptions options, out HandleId handle)
    {
        handle = HandleId.None;
        if (node.Directory is not null)
        {
            return FsStatus.IsDirectory;
        }

        if (node.Content is null)
        {
            return node.Target is null ? FsStatus.NotSupported : FsStatus.Loop;
        }

        if (IsReadOnly && (options & (OpenOptions.Write | OpenOptions.Append | OpenOptions.Truncate)) != 0)
        {
            return FsStatus.ReadOnly;
        }

        if ((options & OpenOptions.Truncate) != 0)
        {
            node.Content.SetSize(0);
            node.MarkModified(Now());
            if ((options & OpenOptions.KillPrivileges) != 0)
            {
                node.KillPrivileges();
            }
        }

        handle = AddHandle(node, options);
        return FsStatus.Ok;
    }

    private HandleId AddHandle(ReferenceNode node, OpenOptions options)
    {
        var handle = new HandleId(++_lastHandle);
        _handles.Add(handle, new ReferenceHandle(node, options));
        node.OpenHandles++;
        return handle;
    }

    private FsStatus FindFile(HandleId handle, out ReferenceHandle open)
    {
        ReferenceHandle? found = handle.Node == NodeId.None ? _handles.GetValueOrDefault(handle)
            : _nodes.TryGetValue(handle.Node, out ReferenceNode? node) ? new ReferenceHandle(node, OpenOptions.Read | OpenOptions.Write)
            : null;
        open = found!;
        return found?.Node.Content is not null ? FsStatus.Ok : FsStatus.BadHandle;
    }

    /// <summary>Whether a range may be written at all, and whether there is room for it.</summary>
    private FsStatus CheckRange(ReferenceNode node, long offset, long length)
    {
        if (IsReadOnly)
        {
            return FsStatus.ReadOnly;
        }

        if (offset < 0 || length < 0)
        {
            return FsStatus.Invalid;
        }

        if (offset > long.MaxValue - length)
        {
            return FsStatus.TooLarge;
        }

        return HasRoom(node, offset, length) ? FsStatus.Ok : FsStatus.NoSpace;
    }
}

/// <summary>An open file or directory of <see cref="ReferenceVolume"/>.</summary>
internal sealed record ReferenceHandle(ReferenceNode Node, OpenOptions Options)
{
    public bool MayWrite => (Options & (OpenOptions.Write | OpenOptions.Append)) != 0;
}
