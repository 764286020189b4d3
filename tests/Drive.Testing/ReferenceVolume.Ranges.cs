using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Space and holes: fallocate, lseek, copy_file_range.</summary>
public sealed partial class ReferenceVolume
{
    public FsStatus Allocate(HandleId handle, long offset, long length, AllocateOptions options)
    {
        lock (_lock)
        {
            FsStatus status = FindFile(handle, out ReferenceHandle open);
            if (status != FsStatus.Ok || !open.MayWrite)
            {
                return status == FsStatus.Ok ? FsStatus.BadHandle : status;
            }

            if (offset < 0 || length <= 0)
            {
                return FsStatus.Invalid;
            }

            if (!IsSupported(options))
            {
                return FsStatus.NotSupported;
            }

            bool clears = (options & (AllocateOptions.PunchHole | AllocateOptions.ZeroRange)) != 0;
            status = clears ? CheckRangeWithoutRoom(offset, length) : CheckRange(open.Node, offset, length);
            if (status == FsStatus.Ok)
            {
                Allocate(open.Node, offset, length, clears, (options & AllocateOptions.KeepSize) != 0);
            }

            return status;
        }
    }

    public FsStatus Seek(HandleId handle, long offset, SeekTarget target, out long found)
    {
        lock (_lock)
        {
            found = 0;
            FsStatus status = FindFile(handle, out ReferenceHandle open);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            SparseContent content = open.Node.Content!;
            if (offset < 0 || offset >= content.Size)
            {
                return FsStatus.NoSuchOffset;
            }

            long at = target == SeekTarget.Data ? content.FindData(offset) : content.FindHole(offset);
            found = Math.Max(at, 0);
            return at < 0 ? FsStatus.NoSuchOffset : FsStatus.Ok;
        }
    }

    public ValueTask<IoResult> CopyRangeAsync(
        HandleId source, long sourceOffset, HandleId target, long targetOffset, long length, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            FsStatus status = CheckCopy(source, sourceOffset, target, targetOffset, ref length, out ReferenceNode from, out ReferenceNode to);
            if (status != FsStatus.Ok)
            {
                return new(IoResult.Failed(status));
            }

            if (length > 0)
            {
                from.Content!.CopyTo(to.Content!, sourceOffset, targetOffset, length);
                long now = Now();
                from.MarkAccessed(now);
                to.MarkModified(now);
            }

            return new(IoResult.Done(length));
        }
    }

    /// <summary>Linux punches only with the size kept, and does not punch and zero at once.</summary>
    private static bool IsSupported(AllocateOptions options) => options is AllocateOptions.None or AllocateOptions.KeepSize
        or (AllocateOptions.PunchHole | AllocateOptions.KeepSize) or AllocateOptions.ZeroRange or (AllocateOptions.ZeroRange | AllocateOptions.KeepSize);

    private void Allocate(ReferenceNode node, long offset, long length, bool clears, bool keepsSize)
    {
        SparseContent content = node.Content!;
        if (clears)
        {
            content.Clear(offset, length);
        }

        if (!keepsSize && content.Size < offset + length)
        {
            content.SetSize(offset + length);
        }

        node.MarkModified(Now());
    }

    private FsStatus CheckRangeWithoutRoom(long offset, long length)
    {
        if (IsReadOnly)
        {
            return FsStatus.ReadOnly;
        }

        return offset > long.MaxValue - length ? FsStatus.TooLarge : FsStatus.Ok;
    }

    /// <summary>Cuts the length at the end of the source, as copy_file_range(2) does.</summary>
    private FsStatus CheckCopy(
        HandleId source, long sourceOffset, HandleId target, long targetOffset, ref long length, out ReferenceNode from, out ReferenceNode to)
    {
        FsStatus status = FindFile(source, out ReferenceHandle opened);
        from = opened?.Node!;
        status = status == FsStatus.Ok ? FindFile(target, out opened) : status;
        to = opened?.Node!;
        if (status != FsStatus.Ok || (opened!.Options & (OpenOptions.Write | OpenOptions.Append)) != OpenOptions.Write)
        {
            return FsStatus.BadHandle;
        }

        if (sourceOffset < 0 || targetOffset < 0 || length < 0)
        {
            return FsStatus.Invalid;
        }

        length = Math.Clamp(from.Content!.Size - sourceOffset, 0, length);
        if (from == to && Math.Abs(sourceOffset - targetOffset) < length)
        {
            return FsStatus.Invalid;
        }

        return CheckRange(to, targetOffset, length);
    }
}
