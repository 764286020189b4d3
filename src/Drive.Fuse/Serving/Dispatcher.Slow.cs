using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>
/// The requests that may wait for a store or for a disk's flush. Done at once they are answered in place; else they are handed on, and the
/// reader is free for the next request.
/// </summary>
internal sealed partial class Dispatcher
{
    /// <summary>What the older copy_file_range can answer, in whole pages.</summary>
    private const long NarrowCopyMax = 0xffff_f000;

    /// <summary>Takes large reads off the thread that they came to; null where it serves them itself.</summary>
    public LargeReads? LargeReads { get; set; }

    private void Read(Request request, NodeId node, RequestReader body)
    {
        // A READ larger than agreed must not be answered with less: that would mean the end of the file.
        if (!body.TryTake(out ReadIn input) || (long)input.Offset < 0 || input.Size > Terms.IoBytesMax)
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        int size = (int)input.Size;
        if (LargeReads is { } others && size >= LargeReads.BytesMin)
        {
            ReadElsewhere(others, request, HandleId.Of(node), (long)input.Offset, size);
            return;
        }

        ValueTask<IoResult> read = volume.ReadAsync(HandleId.Of(node), (long)input.Offset, request.PayloadMemory(size), request.Cancellation);
        if (read.IsCompleted)
        {
            IoResult result = read.GetAwaiter().GetResult();
            ReplyPayload(request, result.Status, (int)result.Count, size);
            return;
        }

        _ = FinishReadAsync(Detach(request), read, size);
    }

    /// <summary>For a file or a directory.</summary>
    private void Fsync(Request request, NodeId node, RequestReader body)
    {
        if (!body.TryTake(out FsyncIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        Sync(request, HandleId.Of(node), (input.Flags & FsyncIn.DataOnly) != 0);
    }

    private void SyncAll(Request request) => Sync(request, HandleId.None, dataOnly: false);

    private void Sync(Request request, HandleId asker, bool dataOnly)
    {
        ValueTask<FsStatus> sync = volume.FsyncAsync(asker, dataOnly, request.Cancellation);
        if (sync.IsCompleted)
        {
            request.Reply(sync.GetAwaiter().GetResult());
            return;
        }

        _ = FinishSyncAsync(Detach(request), sync);
    }

    private void CopyFileRange(Request request, NodeId source, RequestReader body, bool isWide)
    {
        if (!body.TryTake(out CopyFileRangeIn input) || input.Flags != 0 || (long)input.SourceOffset < 0 || (long)input.TargetOffset < 0)
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        if (!nodes.TryResolve(input.TargetNodeId, out NodeId target))
        {
            request.ReplyErrno(Errno.ESTALE);
            return;
        }

        TakePrivileges(request, target, input.TargetNodeId);
        long lengthMax = long.MaxValue - Math.Max((long)input.SourceOffset, (long)input.TargetOffset);
        long length = (long)Math.Min(input.Length, (ulong)(isWide ? lengthMax : Math.Min(lengthMax, NarrowCopyMax)));
        ValueTask<IoResult> copy = volume.CopyRangeAsync(
            HandleId.Of(source),
            (long)input.SourceOffset,
            HandleId.Of(target),
            (long)input.TargetOffset,
            length,
            request.Cancellation);
        if (!copy.IsCompleted)
        {
            _ = FinishCopyAsync(Detach(request), copy, isWide);
            return;
        }

        IoResult result = copy.GetAwaiter().GetResult();
        if (result.Status != FsStatus.Ok)
        {
            request.Reply(result.Status);
            return;
        }

        request.ReplyPayload(WriteCount(request.Payload, result.Count, isWide));
    }

    private PendingRequest Detach(Request request)
    {
        PendingRequest waiting = request.Detach();
        pending.Add(waiting);
        return waiting;
    }

    private void ReadElsewhere(LargeReads others, Request request, HandleId file, long offset, int size)
    {
        Memory<byte> destination = request.PayloadMemory(size);
        CancellationToken cancellation = request.Cancellation;
        PendingRequest waiting = Detach(request);
        others.Add(() => _ = FinishAsync(waiting, () => AnswerReadAsync(waiting, volume.ReadAsync(file, offset, destination, cancellation), size)));
    }

    private Task FinishReadAsync(PendingRequest waiting, ValueTask<IoResult> read, int size) => FinishAsync(waiting, () => AnswerReadAsync(waiting, read, size));

    private static async Task AnswerReadAsync(PendingRequest waiting, ValueTask<IoResult> read, int size)
    {
        IoResult result = await read;
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)result.Count, (ulong)size);
        if (result.Status == FsStatus.Ok)
        {
            waiting.ReplyPayload((int)result.Count);
        }
        else
        {
            waiting.Reply(result.Status);
        }
    }

    private Task FinishSyncAsync(PendingRequest waiting, ValueTask<FsStatus> sync) =>
        FinishAsync(waiting, async () => waiting.Reply(await sync));

    private Task FinishCopyAsync(PendingRequest waiting, ValueTask<IoResult> copy, bool isWide) => FinishAsync(waiting, async () =>
    {
        IoResult result = await copy;
        if (result.Status == FsStatus.Ok)
        {
            waiting.ReplyPayload(WriteCount(waiting.Payload, result.Count, isWide));
        }
        else
        {
            waiting.Reply(result.Status);
        }
    });

    /// <summary>The funnel of requests that waited: each is answered once and gives its buffer back.</summary>
    private async Task FinishAsync(PendingRequest waiting, Func<Task> answer)
    {
        try
        {
            await answer();
        }
        catch (OperationCanceledException)
        {
            waiting.ReplyErrno(Errno.EINTR);
        }
        catch (Exception exception)
        {
            FuseLog.HandlerFailed(logger, exception, waiting.Opcode, waiting.NodeId);
            waiting.ReplyErrno(Errno.EIO);
        }
        finally
        {
            pending.Remove(waiting);
        }
    }

    private static int WriteCount(Span<byte> payload, long count, bool isWide)
    {
        if (isWide)
        {
            MemoryMarshal.Write(payload, (ulong)count);
            return sizeof(ulong);
        }

        MemoryMarshal.Write(payload, new WriteOut { Size = (uint)count });
        return Unsafe.SizeOf<WriteOut>();
    }
}
