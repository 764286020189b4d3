using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>
/// The executable specification of <see cref="IVolume"/>: everything in memory, one lock around each call, plain dictionaries.
/// It is slow and right. The engine is held against it by the model tests, and adapters can be tested over it.
/// Content that is written, but not holes, counts against the capacity. Nothing changes from elsewhere, so an observer is only told what a test
/// tells it through <see cref="Observer"/>.
/// </summary>
public sealed partial class ReferenceVolume : IVolume
{
    private const long NodesMax = 1L << 32;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly long _capacityBytes;
    private readonly Dictionary<NodeId, ReferenceNode> _nodes = [];
    private readonly Dictionary<HandleId, ReferenceHandle> _handles = [];
    private readonly PageCount _pages = new();
    private ulong _lastNode = NodeId.Root.Value;
    private ulong _lastHandle;
    private long _lastEntry = ParentCookie;

    public ReferenceVolume(TimeProvider time, long capacityBytes = 1L << 40)
    {
        _time = time;
        _capacityBytes = capacityBytes;
        long now = Now();
        _nodes.Add(NodeId.Root, new ReferenceNode
        {
            Id = NodeId.Root,
            Mode = FileMode.Directory | 0x1ED,
            LinkCount = 2,
            Directory = new ReferenceDirectory(NodeId.Root),
            AccessTime = now,
            ModifyTime = now,
            ChangeTime = now,
            BirthTime = now,
        });
    }

    /// <summary>May be turned on and off by a test.</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>Whom the adapter asked to be told; a test that changes this volume behind the adapter's back tells it.</summary>
    public IVolumeObserver? Observer { get; private set; }

    public void Observe(IVolumeObserver? observer) => Observer = observer;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public FsStatus GetAttributes(NodeId node, out NodeAttributes attributes)
    {
        lock (_lock)
        {
            attributes = default;
            FsStatus status = FindNode(node, out ReferenceNode found);
            if (status == FsStatus.Ok)
            {
                attributes = found.Describe();
            }

            return status;
        }
    }

    public FsStatus SetAttributes(NodeId node, HandleId handle, in AttributeChange change, out NodeAttributes attributes)
    {
        lock (_lock)
        {
            attributes = default;
            FsStatus status = CheckChange(node, handle, change, out ReferenceNode found);
            if (status == FsStatus.Ok)
            {
                Apply(found, change);
                attributes = found.Describe();
            }

            return status;
        }
    }

    public FsStatus GetSpace(out VolumeSpace space)
    {
        lock (_lock)
        {
            space = new(_capacityBytes, _capacityBytes - UsedBytes(), _nodes.Count, NodesMax - _nodes.Count);
            return FsStatus.Ok;
        }
    }

    public void Forget(NodeId node)
    {
        lock (_lock)
        {
            if (_nodes.TryGetValue(node, out ReferenceNode? found) && found.LinkCount == 0)
            {
                found.IsForgotten = true;
                DropIfUnused(found);
            }
        }
    }

    private FsStatus CheckChange(NodeId node, HandleId handle, in AttributeChange change, out ReferenceNode found)
    {
        FsStatus status = FindNode(node, out found);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        if (IsReadOnly && change.Fields != AttributeFields.None)
        {
            return FsStatus.ReadOnly;
        }

        if ((change.Fields & AttributeFields.Mode) != 0 && found.Target is not null)
        {
            return FsStatus.NotSupported;
        }

        if ((change.Fields & AttributeFields.Size) == 0)
        {
            return FsStatus.Ok;
        }

        if (found.Content is null)
        {
            return found.Directory is null ? FsStatus.Invalid : FsStatus.IsDirectory;
        }

        if (handle != HandleId.None
            && (FindFile(handle, out ReferenceHandle open) != FsStatus.Ok || open.Node != found || !open.MayWrite))
        {
            return FsStatus.BadHandle;
        }

        return change.Size < 0 ? FsStatus.Invalid : FsStatus.Ok;
    }

    private void Apply(ReferenceNode node, in AttributeChange change)
    {
        AttributeFields fields = change.Fields;
        if (fields == AttributeFields.None)
        {
            return;
        }

        long now = Now();
        node.ChangeTime = now;
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

        if ((fields & AttributeFields.Size) != 0)
        {
            node.Content!.SetSize(change.Size);
            node.ModifyTime = now;
        }

        ApplyTimes(node, change, now);
        if ((fields & AttributeFields.KillPrivileges) != 0)
        {
            node.KillPrivileges();
        }
    }

    private static void ApplyTimes(ReferenceNode node, in AttributeChange change, long now)
    {
        AttributeFields fields = change.Fields;
        if ((fields & (AttributeFields.AccessTime | AttributeFields.AccessTimeNow)) != 0)
        {
            node.AccessTime = (fields & AttributeFields.AccessTimeNow) != 0 ? now : change.AccessTime;
        }

        if ((fields & (AttributeFields.ModifyTime | AttributeFields.ModifyTimeNow)) != 0)
        {
            node.ModifyTime = (fields & AttributeFields.ModifyTimeNow) != 0 ? now : change.ModifyTime;
        }

        if ((fields & AttributeFields.ChangeTime) != 0)
        {
            node.ChangeTime = change.ChangeTime;
        }
    }

    /// <summary>Nanoseconds since 1970; the provider's clock has ticks of 100 ns.</summary>
    private long Now() => (_time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * 100;

    private long UsedBytes() => _pages.Value * SparseContent.PageSize;

    private bool HasRoom(ReferenceNode node, long offset, long length)
    {
        long needed = node.Content!.CountMissingPages(offset, length) * SparseContent.PageSize;
        return needed == 0 || needed <= _capacityBytes - UsedBytes();
    }

    private FsStatus FindNode(NodeId id, out ReferenceNode node)
    {
        bool found = _nodes.TryGetValue(id, out ReferenceNode? value);
        node = value!;
        return found ? FsStatus.Ok : FsStatus.NotFound;
    }

    private void DropIfUnused(ReferenceNode node)
    {
        if (node is { LinkCount: 0, OpenHandles: 0, IsForgotten: true })
        {
            node.Content?.SetSize(0);
            _nodes.Remove(node.Id);
        }
    }
}
