using System.Text;
using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Engine.History;

/// <summary>
/// A volume with its past: the folder <c>.snapshots</c> at the root, in which every state that history keeps is a folder. The present is handed through, and pays a look at one bit of a node's id.
/// </summary>
/// <remarks>
/// <para><b>The folder</b> is not listed in the root, unless asked for, and found by its name. A user's own entry of that name stays what it is; then the past is not to be seen this way. While
/// there is none, the name can't be taken: <see cref="FsStatus.Exists"/> or <see cref="FsStatus.Busy"/>.</para>
/// <para><b>Names in it</b> are those of <see cref="Moments.Find"/>; listed are the snapshots, <c>latest</c>, and <see cref="Moments.List"/>. Each is a directory of its own, also where two show one
/// state. What a name means is looked at once more when a commit comes that may change it, and the observer is told.</para>
/// <para><b>Changes</b> of the past are refused with <see cref="FsStatus.ReadOnly"/>; a range of a past file can be copied into one of now, by sharing its blocks.</para>
/// </remarks>
public sealed partial class HistoryVolume : IVolume
{
    /// <summary>States whose answers are remembered. Arbitrary.</summary>
    private const int ViewsMax = 32;

    /// <summary>Names that the kernel may remember, beyond which what they mean is not followed one by one. Arbitrary.</summary>
    private const int NamesMax = 10_000;

    /// <summary>Handles of open directories of the past are above all those of now.</summary>
    private const ulong PastHandle = 1UL << 62;

    private static readonly byte[] FolderName = ".snapshots"u8.ToArray();

    private readonly Volume _present;
    private readonly Moments _moments;
    private readonly bool _isListed;
    private readonly PastIds _ids = new();
    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly Dictionary<long, PastVolume> _pasts = [];
    private readonly Dictionary<HandleId, OpenedDirectory> _handles = [];
    private readonly Dictionary<string, FoundMoment?> _named = [];
    private ulong _nextHandle = PastHandle;
    private long _headSeen;
    private IVolumeObserver? _observer;

    /// <summary>Shows a volume with its past. The volume is owned from now on.</summary>
    /// <param name="present">The volume.</param>
    /// <param name="isListed">Whether listings of the root show the folder.</param>
    public HistoryVolume(Volume present, bool isListed)
    {
        ArgumentNullException.ThrowIfNull(present);
        _present = present;
        _moments = present.Moments;
        _isListed = isListed;
        _headSeen = _moments.Head;
        present.Landed += NoteCommit;
    }

    /// <inheritdoc/>
    public bool IsReadOnly => _present.IsReadOnly;

    /// <inheritdoc/>
    public void Observe(IVolumeObserver? observer)
    {
        lock (_gate)
        {
            _observer = observer;
        }

        _present.Observe(observer);
    }

    /// <inheritdoc/>
    public FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
    {
        if (PastIds.IsPast(parent))
        {
            return LookupPast(parent, name, out attributes);
        }

        FsStatus status = _present.Lookup(parent, name, out attributes);
        if (status == FsStatus.NotFound && IsFolderName(parent, name))
        {
            return DescribeFolder(out attributes);
        }

        return status;
    }

    /// <inheritdoc/>
    public FsStatus GetAttributes(NodeId node, out NodeAttributes attributes)
    {
        if (!PastIds.IsPast(node))
        {
            return _present.GetAttributes(node, out attributes);
        }

        if (node == PastIds.Folder)
        {
            return DescribeFolder(out attributes);
        }

        FsStatus status = Find(node, out View view, out NodeId past);
        attributes = default;
        status = status == FsStatus.Ok ? view.Past.GetAttributes(past, out attributes) : status;
        return Show(status, view, ref attributes);
    }

    /// <inheritdoc/>
    public FsStatus SetAttributes(NodeId node, HandleId handle, in AttributeChange change, out NodeAttributes attributes) =>
        PastIds.IsPast(node) ? Refuse(out attributes) : _present.SetAttributes(node, handle, change, out attributes);

    /// <inheritdoc/>
    public FsStatus ReadLink(NodeId node, Span<byte> target, out int length)
    {
        if (!PastIds.IsPast(node))
        {
            return _present.ReadLink(node, target, out length);
        }

        length = 0;
        FsStatus status = Find(node, out View view, out NodeId past);
        return status == FsStatus.Ok ? view.Past.ReadLink(past, target, out length) : status;
    }

    /// <inheritdoc/>
    public FsStatus MakeNode(NodeId parent, ReadOnlySpan<byte> name, uint mode, uint deviceNumber, Caller caller, out NodeAttributes attributes) =>
        MayMake(parent, name, out attributes) is var status && status == FsStatus.Ok ? _present.MakeNode(parent, name, mode, deviceNumber, caller, out attributes) : status;

    /// <inheritdoc/>
    public FsStatus MakeDirectory(NodeId parent, ReadOnlySpan<byte> name, uint mode, Caller caller, out NodeAttributes attributes) =>
        MayMake(parent, name, out attributes) is var status && status == FsStatus.Ok ? _present.MakeDirectory(parent, name, mode, caller, out attributes) : status;

    /// <inheritdoc/>
    public FsStatus MakeSymbolicLink(NodeId parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Caller caller, out NodeAttributes attributes) =>
        MayMake(parent, name, out attributes) is var status && status == FsStatus.Ok ? _present.MakeSymbolicLink(parent, name, target, caller, out attributes) : status;

    /// <inheritdoc/>
    public FsStatus Link(NodeId node, NodeId newParent, ReadOnlySpan<byte> newName, out NodeAttributes attributes)
    {
        FsStatus status = MayMake(newParent, newName, out attributes);
        return status != FsStatus.Ok ? status : PastIds.IsPast(node) ? FsStatus.CrossVolume : _present.Link(node, newParent, newName, out attributes);
    }

    /// <inheritdoc/>
    public FsStatus Unlink(NodeId parent, ReadOnlySpan<byte> name) => PastIds.IsPast(parent) ? FsStatus.ReadOnly : Translate(parent, name, _present.Unlink(parent, name), FsStatus.IsDirectory);

    /// <inheritdoc/>
    public FsStatus RemoveDirectory(NodeId parent, ReadOnlySpan<byte> name) =>
        PastIds.IsPast(parent) ? FsStatus.ReadOnly : Translate(parent, name, _present.RemoveDirectory(parent, name), FsStatus.Busy);

    /// <inheritdoc/>
    public FsStatus Rename(NodeId parent, ReadOnlySpan<byte> name, NodeId newParent, ReadOnlySpan<byte> newName, RenameOptions options)
    {
        if (PastIds.IsPast(parent) || PastIds.IsPast(newParent))
        {
            return FsStatus.ReadOnly;
        }

        return IsShown(newParent, newName) ? FsStatus.Busy : Translate(parent, name, _present.Rename(parent, name, newParent, newName, options), FsStatus.Busy);
    }

    /// <inheritdoc/>
    public FsStatus Open(NodeId node, OpenOptions options, out HandleId handle)
    {
        if (!PastIds.IsPast(node))
        {
            return _present.Open(node, options, out handle);
        }

        handle = HandleId.None;
        FsStatus status = node == PastIds.Folder ? FsStatus.IsDirectory : Find(node, out View view, out NodeId past) is var found && found != FsStatus.Ok ? found : view.Past.Open(past, options, out handle);
        handle = status == FsStatus.Ok ? HandleId.Of(node) : HandleId.None;
        return status;
    }

    /// <inheritdoc/>
    public FsStatus Create(
        NodeId parent, ReadOnlySpan<byte> name, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle)
    {
        FsStatus status = MayMake(parent, name, out attributes);
        if (status == FsStatus.Ok)
        {
            return _present.Create(parent, name, mode, options, caller, out attributes, out handle);
        }

        handle = HandleId.None;
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
        return PastIds.IsPast(parent) ? Refuse(out attributes) : _present.CreateUnnamed(parent, mode, options, caller, out attributes, out handle);
    }

    /// <inheritdoc/>
    public ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (!PastIds.IsPast(handle.Node))
        {
            return _present.ReadAsync(handle, offset, destination, cancellationToken);
        }

        FsStatus status = FindFile(handle, out PastFile file);
        return status == FsStatus.Ok ? _present.ReadPastAsync(file, offset, destination, cancellationToken) : ValueTask.FromResult(IoResult.Failed(status));
    }

    /// <inheritdoc/>
    public FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options) =>
        PastIds.IsPast(handle.Node) ? FsStatus.ReadOnly : _present.Write(handle, offset, data, options);

    /// <inheritdoc/>
    public FsStatus Flush(HandleId handle) => _present.Flush(handle);

    /// <inheritdoc/>
    public ValueTask<FsStatus> FsyncAsync(HandleId handle, bool dataOnly, CancellationToken cancellationToken) =>
        IsOfThePast(handle) ? ValueTask.FromResult(FsStatus.Ok) : _present.FsyncAsync(handle, dataOnly, cancellationToken);

    /// <inheritdoc/>
    public FsStatus Allocate(HandleId handle, long offset, long length, AllocateOptions options) =>
        PastIds.IsPast(handle.Node) ? FsStatus.ReadOnly : _present.Allocate(handle, offset, length, options);

    /// <inheritdoc/>
    public FsStatus Seek(HandleId handle, long offset, SeekTarget target, out long found)
    {
        if (!PastIds.IsPast(handle.Node))
        {
            return _present.Seek(handle, offset, target, out found);
        }

        found = 0;
        FsStatus status = FindFile(handle, out PastFile file);
        return status == FsStatus.Ok ? file.Seek(offset, target, out found) : status;
    }

    /// <inheritdoc/>
    public ValueTask<IoResult> CopyRangeAsync(
        HandleId source, long sourceOffset, HandleId target, long targetOffset, long length, CancellationToken cancellationToken)
    {
        if (PastIds.IsPast(target.Node))
        {
            return ValueTask.FromResult(IoResult.Failed(FsStatus.ReadOnly));
        }

        if (!PastIds.IsPast(source.Node))
        {
            return _present.CopyRangeAsync(source, sourceOffset, target, targetOffset, length, cancellationToken);
        }

        FsStatus status = FindFile(source, out PastFile file);
        return ValueTask.FromResult(status == FsStatus.Ok ? _present.CopyPast(file, sourceOffset, target, targetOffset, length) : IoResult.Failed(status));
    }

    /// <inheritdoc/>
    public void Close(HandleId handle)
    {
        if (!IsOfThePast(handle))
        {
            _present.Close(handle);
        }
    }

    /// <inheritdoc/>
    public FsStatus GetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        if (!PastIds.IsPast(node))
        {
            return _present.GetExtendedAttribute(node, name, value, out length);
        }

        length = 0;
        FsStatus status = Find(node, out View view, out NodeId past);
        return node == PastIds.Folder ? FsStatus.NoAttribute : status == FsStatus.Ok ? view.Past.GetExtendedAttribute(past, name, value, out length) : status;
    }

    /// <inheritdoc/>
    public FsStatus ListExtendedAttributes(NodeId node, Span<byte> names, out int length)
    {
        if (!PastIds.IsPast(node))
        {
            return _present.ListExtendedAttributes(node, names, out length);
        }

        length = 0;
        FsStatus status = Find(node, out View view, out NodeId past);
        return node == PastIds.Folder ? FsStatus.Ok : status == FsStatus.Ok ? view.Past.ListExtendedAttributes(past, names, out length) : status;
    }

    /// <inheritdoc/>
    public FsStatus SetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, AttributeSetOptions options) =>
        PastIds.IsPast(node) ? FsStatus.ReadOnly : _present.SetExtendedAttribute(node, name, value, options);

    /// <inheritdoc/>
    public FsStatus RemoveExtendedAttribute(NodeId node, ReadOnlySpan<byte> name) =>
        PastIds.IsPast(node) ? FsStatus.ReadOnly : _present.RemoveExtendedAttribute(node, name);

    /// <inheritdoc/>
    public FsStatus GetSpace(out VolumeSpace space) => _present.GetSpace(out space);

    /// <inheritdoc/>
    public void Forget(NodeId node)
    {
        if (!PastIds.IsPast(node))
        {
            _present.Forget(node);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _present.Landed -= NoteCommit;
        return _present.DisposeAsync();
    }

    private static bool IsFolderName(NodeId parent, ReadOnlySpan<byte> name) => parent == NodeId.Root && name.SequenceEqual(FolderName);

    private static bool IsOfThePast(HandleId handle) => (handle.Value & PastHandle) != 0;

    private static FsStatus Refuse(out NodeAttributes attributes)
    {
        attributes = default;
        return FsStatus.ReadOnly;
    }

    /// <summary>Whether a name is that of the folder, and no entry of the user's has it.</summary>
    private bool IsShown(NodeId parent, ReadOnlySpan<byte> name) => IsFolderName(parent, name) && _present.Lookup(parent, name, out _) == FsStatus.NotFound;

    /// <summary>Ok for a name of now.</summary>
    private FsStatus MayMake(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
    {
        attributes = default;
        return PastIds.IsPast(parent) ? Lookup(parent, name, out _) == FsStatus.Ok ? FsStatus.Exists : FsStatus.ReadOnly
            : IsShown(parent, name) ? FsStatus.Exists
            : FsStatus.Ok;
    }

    /// <summary>What a call on the folder itself comes to, of which the present knows nothing.</summary>
    private FsStatus Translate(NodeId parent, ReadOnlySpan<byte> name, FsStatus status, FsStatus forFolder) => status == FsStatus.NotFound && IsShown(parent, name) ? forFolder : status;

    private FsStatus FindFile(HandleId handle, out PastFile file)
    {
        file = null!;
        FsStatus status = Find(handle.Node, out View view, out NodeId past);
        return status == FsStatus.Ok ? view.Past.FindFile(HandleId.Of(past), out file) : FsStatus.BadHandle;
    }

    /// <summary>The view and the node that an id of the past stands for.</summary>
    private FsStatus Find(NodeId node, out View view, out NodeId past)
    {
        if (!_ids.TryFind(node, out int number, out long seq, out past))
        {
            view = default;
            return FsStatus.Stale;
        }

        view = new View(number, Past(seq));
        return FsStatus.Ok;
    }

    private PastVolume Past(long seq)
    {
        lock (_gate)
        {
            if (!_pasts.TryGetValue(seq, out PastVolume? past))
            {
                if (_pasts.Count >= ViewsMax)
                {
                    _pasts.Clear();
                }

                _pasts[seq] = past = _present.Past(seq);
            }

            return past;
        }
    }

    /// <summary>Gives what a view told the id by which the caller knows it.</summary>
    private FsStatus Show(FsStatus status, in View view, ref NodeAttributes attributes)
    {
        if (status != FsStatus.Ok)
        {
            attributes = default;
            return status;
        }

        attributes.Node = _ids.Show(view.Number, view.Past.Seq, attributes.Node);
        return attributes.Node == NodeId.None ? FsStatus.NotSupported : FsStatus.Ok;
    }

    private readonly record struct View(int Number, PastVolume Past);
}
