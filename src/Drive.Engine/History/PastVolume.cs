using System.Text;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;
using Drive.Metadata;

namespace Drive.Engine.History;

/// <summary>
/// The tree as it was after one commit, read-only: rows of the local database as of that commit, and the content of blocks through the same cache, read-ahead and proofs as now.
/// Making one costs nothing; what it remembers is a memory of answers and may be dropped at any time. Nodes have the ids that they had.
/// </summary>
/// <remarks>Once history forgot the state, every call answers <see cref="FsStatus.Stale"/>: rows that are half there are never shown.</remarks>
internal sealed class PastVolume(Volume volume, MetadataStore metadata, long seq) : IVolume, IReadAhead
{
    /// <summary>Files whose reading is remembered. Arbitrary.</summary>
    private const int FilesMax = 256;

    /// <summary>Directories whose parent is remembered. Arbitrary: some 10 MiB.</summary>
    private const int ParentsMax = 200_000;

    /// <summary>Entries taken from the database at once.</summary>
    private const int EntriesPage = 256;

    private const long DotCookie = 1;
    private const long DotDotCookie = 2;

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly Dictionary<NodeId, PastFile> _files = [];
    private readonly Dictionary<NodeId, NodeId> _parents = [];
    private readonly Dictionary<HandleId, NodeId> _handles = [];
    private ulong _nextHandle = 1;

    /// <summary>The commit.</summary>
    public long Seq => seq;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <inheritdoc/>
    public void Observe(IVolumeObserver? observer)
    {
        // Nothing changes here.
    }

    /// <inheritdoc/>
    public FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
    {
        attributes = default;
        FsStatus status = FindDirectory(parent, out NodeRow directory);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
        {
            attributes = Describe(name.Length == 1 ? directory : FindParent(directory));
            return FsStatus.Ok;
        }

        status = FileName.Validate(name);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        if (metadata.FindEntry(parent, name, seq) is not { } entry || metadata.FindNode(entry.Node, seq) is not { } child)
        {
            return FsStatus.NotFound;
        }

        NoteParent(child, parent);
        attributes = Describe(child);
        return FsStatus.Ok;
    }

    /// <inheritdoc/>
    public FsStatus GetAttributes(NodeId node, out NodeAttributes attributes)
    {
        FsStatus status = Find(node, out NodeRow row);
        attributes = status == FsStatus.Ok ? Describe(row) : default;
        return status;
    }

    /// <inheritdoc/>
    public FsStatus SetAttributes(NodeId node, HandleId handle, in AttributeChange change, out NodeAttributes attributes) => Refuse(out attributes);

    /// <inheritdoc/>
    public FsStatus ReadLink(NodeId node, Span<byte> target, out int length)
    {
        length = 0;
        FsStatus status = Find(node, out NodeRow row);
        if (status != FsStatus.Ok || row.LinkTarget is not { } text)
        {
            return status != FsStatus.Ok ? status : FsStatus.Invalid;
        }

        length = Math.Min(text.Length, target.Length);
        text.AsSpan(0, length).CopyTo(target);
        return FsStatus.Ok;
    }

    /// <inheritdoc/>
    public FsStatus MakeNode(NodeId parent, ReadOnlySpan<byte> name, uint mode, uint deviceNumber, Caller caller, out NodeAttributes attributes) =>
        RefuseNew(parent, name, out attributes);

    /// <inheritdoc/>
    public FsStatus MakeDirectory(NodeId parent, ReadOnlySpan<byte> name, uint mode, Caller caller, out NodeAttributes attributes) =>
        RefuseNew(parent, name, out attributes);

    /// <inheritdoc/>
    public FsStatus MakeSymbolicLink(NodeId parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Caller caller, out NodeAttributes attributes) =>
        RefuseNew(parent, name, out attributes);

    /// <inheritdoc/>
    public FsStatus Link(NodeId node, NodeId newParent, ReadOnlySpan<byte> newName, out NodeAttributes attributes) => RefuseNew(newParent, newName, out attributes);

    /// <inheritdoc/>
    public FsStatus Unlink(NodeId parent, ReadOnlySpan<byte> name) => FsStatus.ReadOnly;

    /// <inheritdoc/>
    public FsStatus RemoveDirectory(NodeId parent, ReadOnlySpan<byte> name) => FsStatus.ReadOnly;

    /// <inheritdoc/>
    public FsStatus Rename(NodeId parent, ReadOnlySpan<byte> name, NodeId newParent, ReadOnlySpan<byte> newName, RenameOptions options) => FsStatus.ReadOnly;

    /// <inheritdoc/>
    public FsStatus Open(NodeId node, OpenOptions options, out HandleId handle)
    {
        handle = HandleId.None;
        FsStatus status = Find(node, out NodeRow row);
        if (status == FsStatus.Ok && !FileMode.IsRegular(row.Mode))
        {
            status = FileMode.IsDirectory(row.Mode) ? FsStatus.IsDirectory : FileMode.IsSymbolicLink(row.Mode) ? FsStatus.Loop : FsStatus.NotSupported;
        }

        if (status == FsStatus.Ok && (options & (OpenOptions.Write | OpenOptions.Truncate)) != 0)
        {
            status = FsStatus.ReadOnly;
        }

        handle = status == FsStatus.Ok ? AddHandle(node) : HandleId.None;
        return status;
    }

    /// <inheritdoc/>
    public FsStatus Create(
        NodeId parent, ReadOnlySpan<byte> name, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle)
    {
        handle = HandleId.None;
        FsStatus status = RefuseNew(parent, name, out attributes);
        if (status == FsStatus.Exists && (options & OpenOptions.Exclusive) == 0)
        {
            status = Lookup(parent, name, out attributes);
            status = status == FsStatus.Ok ? Open(attributes.Node, options, out handle) : status;
            attributes = status == FsStatus.Ok ? attributes : default;
        }

        return status;
    }

    /// <inheritdoc/>
    public FsStatus CreateUnnamed(NodeId parent, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle)
    {
        handle = HandleId.None;
        return Refuse(out attributes);
    }

    /// <inheritdoc/>
    public ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        FsStatus status = FindFile(handle, out PastFile file);
        return status == FsStatus.Ok ? volume.ReadPastAsync(file, offset, destination, cancellationToken) : ValueTask.FromResult(IoResult.Failed(status));
    }

    /// <inheritdoc/>
    public FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options) => handle.Node != NodeId.None ? FsStatus.ReadOnly : FsStatus.BadHandle;

    /// <inheritdoc/>
    public FsStatus Flush(HandleId handle) => FsStatus.Ok;

    /// <inheritdoc/>
    public ValueTask<FsStatus> FsyncAsync(HandleId handle, bool dataOnly, CancellationToken cancellationToken) => ValueTask.FromResult(FsStatus.Ok);

    /// <inheritdoc/>
    public FsStatus Allocate(HandleId handle, long offset, long length, AllocateOptions options) => handle.Node != NodeId.None ? FsStatus.ReadOnly : FsStatus.BadHandle;

    /// <inheritdoc/>
    public FsStatus Seek(HandleId handle, long offset, SeekTarget target, out long found)
    {
        found = 0;
        FsStatus status = FindFile(handle, out PastFile file);
        return status == FsStatus.Ok ? file.Seek(offset, target, out found) : status;
    }

    /// <inheritdoc/>
    public ValueTask<IoResult> CopyRangeAsync(
        HandleId source, long sourceOffset, HandleId target, long targetOffset, long length, CancellationToken cancellationToken) =>
        ValueTask.FromResult(IoResult.Failed(target.Node != NodeId.None ? FsStatus.ReadOnly : FsStatus.BadHandle));

    /// <inheritdoc/>
    public void Close(HandleId handle)
    {
        lock (_gate)
        {
            _handles.Remove(handle);
        }
    }

    /// <inheritdoc/>
    public FsStatus OpenDirectory(NodeId node, out HandleId handle)
    {
        FsStatus status = FindDirectory(node, out _);
        handle = status == FsStatus.Ok ? AddHandle(node) : HandleId.None;
        return status;
    }

    /// <inheritdoc/>
    public FsStatus ReadDirectory(HandleId handle, long cookie, IDirectoryWriter writer) =>
        NodeOf(handle) is { } node && node != NodeId.None ? List(node, cookie, writer) : FsStatus.BadHandle;

    /// <inheritdoc/>
    public void CloseDirectory(HandleId handle) => Close(handle);

    /// <inheritdoc/>
    public FsStatus GetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        length = 0;
        FsStatus status = Find(node, out NodeRow row);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        if (name.SequenceEqual(Encoding.ASCII.GetBytes(Volume.StateXattr)) && (FileMode.IsRegular(row.Mode) || FileMode.IsDirectory(row.Mode)))
        {
            // What a commit has is in the store.
            return Volume.CopyOut("cloud"u8, value, out length);
        }

        foreach (XattrRow xattr in metadata.ReadXattrs(node, seq))
        {
            if (name.SequenceEqual(xattr.Name))
            {
                return Volume.CopyOut(xattr.Value, value, out length);
            }
        }

        return Volume.HasNamespace(name) ? FsStatus.NoAttribute : FsStatus.NotSupported;
    }

    /// <inheritdoc/>
    public FsStatus ListExtendedAttributes(NodeId node, Span<byte> names, out int length)
    {
        length = 0;
        FsStatus status = Find(node, out _);
        return status == FsStatus.Ok ? Volume.CopyNames(metadata.ReadXattrs(node, seq).Select(static row => row.Name), names, out length) : status;
    }

    /// <inheritdoc/>
    public FsStatus SetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, AttributeSetOptions options) => FsStatus.ReadOnly;

    /// <inheritdoc/>
    public FsStatus RemoveExtendedAttribute(NodeId node, ReadOnlySpan<byte> name) => FsStatus.ReadOnly;

    /// <inheritdoc/>
    public FsStatus GetSpace(out VolumeSpace space) => volume.GetSpace(out space);

    /// <inheritdoc/>
    public void Forget(NodeId node)
    {
        // What the past has does not hang on who looks at it.
    }

    /// <inheritdoc/>
    public void FetchAhead(IReadOnlyList<NodeAttributes> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        volume.FetchAhead(this, files.SelectMany(file => new PastFile(metadata, file.Node, file.Size, seq).Parts()));
    }

    /// <summary>Nothing is its own: the volume goes on.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Lists a directory that need not be opened.</summary>
    public FsStatus List(NodeId node, long cookie, IDirectoryWriter writer)
    {
        FsStatus status = FindDirectory(node, out NodeRow directory);
        if (status != FsStatus.Ok
            || (cookie < DotCookie && !writer.TryAdd("."u8, Describe(directory), DotCookie))
            || (cookie < DotDotCookie && !writer.TryAdd(".."u8, Describe(FindParent(directory)), DotDotCookie)))
        {
            return status;
        }

        long after = Math.Max(0, cookie - DotDotCookie);
        List<ChildRow> page = [];
        while (true)
        {
            page.Clear();
            int count = metadata.ReadChildren(node, after, EntriesPage, page, seq);
            foreach (ChildRow child in page)
            {
                if (child.Node is not { } row)
                {
                    continue;
                }

                NoteParent(row, node);
                if (!writer.TryAdd(child.Entry.Name, Describe(row), child.Entry.EntryId + DotDotCookie))
                {
                    return FsStatus.Ok;
                }
            }

            if (count < EntriesPage)
            {
                // Had the state gone while it was listed, names would be missing.
                return volume.IsKept(seq) ? FsStatus.Ok : FsStatus.Stale;
            }

            after = page[^1].Entry.EntryId;
        }
    }

    /// <summary>The content of a regular file.</summary>
    public FsStatus FindFile(HandleId handle, out PastFile file)
    {
        NodeId node = NodeOf(handle);
        lock (_gate)
        {
            if (_files.TryGetValue(node, out file!))
            {
                return volume.IsKept(seq) ? FsStatus.Ok : FsStatus.Stale;
            }
        }

        FsStatus status = Find(node, out NodeRow row);
        if (status != FsStatus.Ok || !FileMode.IsRegular(row.Mode))
        {
            return status == FsStatus.Stale ? status : FsStatus.BadHandle;
        }

        file = new PastFile(metadata, node, row.Size, seq);
        lock (_gate)
        {
            if (_files.Count >= FilesMax)
            {
                _files.Clear();
            }

            _files[node] = file;
        }

        return FsStatus.Ok;
    }

    private FsStatus Find(NodeId node, out NodeRow row)
    {
        row = metadata.FindNode(node, seq)!;
        return !volume.IsKept(seq) ? FsStatus.Stale : row is { LinkCount: > 0 } ? FsStatus.Ok : FsStatus.NotFound;
    }

    private FsStatus FindDirectory(NodeId node, out NodeRow row)
    {
        FsStatus status = Find(node, out row);
        return status == FsStatus.Ok && !FileMode.IsDirectory(row.Mode) ? FsStatus.NotDirectory : status;
    }

    /// <summary>The directory that names another one, as far as that is remembered; else the root.</summary>
    private NodeRow FindParent(NodeRow directory)
    {
        NodeId parent;
        lock (_gate)
        {
            parent = _parents.GetValueOrDefault(directory.Node, NodeId.Root);
        }

        return metadata.FindNode(parent, seq) ?? directory;
    }

    private void NoteParent(NodeRow child, NodeId parent)
    {
        if (!FileMode.IsDirectory(child.Mode))
        {
            return;
        }

        lock (_gate)
        {
            if (_parents.Count >= ParentsMax)
            {
                _parents.Clear();
            }

            _parents[child.Node] = parent;
        }
    }

    private NodeAttributes Describe(NodeRow row)
    {
        NodeAttributes attributes = Node.FromRow(row).ToAttributes();
        if (FileMode.IsRegular(row.Mode) && row.Size > Volume.SmallFileBytes)
        {
            attributes.AllocatedBytes = Node.RoundUp(metadata.CountAllocated(row.Node, seq));
        }

        return attributes;
    }

    private FsStatus RefuseNew(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
    {
        // As with a volume that is read-only now: what is there is said first, for mkdir -p.
        FsStatus status = Lookup(parent, name, out attributes);
        attributes = default;
        return status switch
        {
            FsStatus.Ok => FsStatus.Exists,
            FsStatus.NotFound => FindDirectory(parent, out _) is FsStatus.Ok ? FsStatus.ReadOnly : FsStatus.NotFound,
            _ => status,
        };
    }

    private static FsStatus Refuse(out NodeAttributes attributes)
    {
        attributes = default;
        return FsStatus.ReadOnly;
    }

    private HandleId AddHandle(NodeId node)
    {
        lock (_gate)
        {
            HandleId handle = new(_nextHandle++);
            _handles.Add(handle, node);
            return handle;
        }
    }

    private NodeId NodeOf(HandleId handle)
    {
        if (handle.Node != NodeId.None)
        {
            return handle.Node;
        }

        lock (_gate)
        {
            return _handles.GetValueOrDefault(handle);
        }
    }
}
