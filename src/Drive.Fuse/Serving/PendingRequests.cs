using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Drive.Fuse.Transport;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Serving;

/// <summary>A request that waits for something slow, away from its reader. Answered once, then completed; any thread.</summary>
internal sealed class PendingRequest(
    ulong unique,
    Opcode opcode,
    ulong nodeId,
    ReplySlot reply,
    CancellationTokenSource cancellation,
    ILogger logger)
{
    public ulong Unique => unique;

    public Opcode Opcode => opcode;

    public ulong NodeId => nodeId;

    public Span<byte> Payload => reply.Payload;

    public void Reply(FsStatus status) => ReplyErrno(Errno.From(status));

    public void ReplyErrno(int errno) => ReplyFormat.Send(reply, 0, -errno, unique, opcode, logger);

    public void ReplyPayload(int length) => ReplyFormat.Send(reply, length, 0, unique, opcode, logger);

    /// <summary>Asks the work to end early. Its callbacks run elsewhere: the caller is a reader.</summary>
    public void Interrupt() => _ = cancellation.CancelAsync();

    /// <summary>Only after the work ended: nobody touches the buffer any more.</summary>
    public void Release() => reply.Release();
}

/// <summary>
/// The requests that wait, so that the kernel can interrupt them. Only slow requests come here. An interrupt may be read before its
/// request was registered (another reader has it): those are remembered for a while.
/// </summary>
internal sealed class PendingRequests
{
    /// <summary>Interrupts that found no request: nearly all came just too late. As many as readers can have requests in hand, and to spare.</summary>
    private const int EarlyMax = 64;

    private readonly Lock _lock = new();
    private readonly HashSet<PendingRequest> _all = [];
    private readonly Dictionary<ulong, PendingRequest> _byUnique = [];
    private readonly ulong[] _early = new ulong[EarlyMax];
    private int _earlyNext;
    private bool _isStopping;
    private TaskCompletionSource? _drained;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _all.Count;
            }
        }
    }

    public void Add(PendingRequest request)
    {
        bool interrupt;
        lock (_lock)
        {
            _all.Add(request);
            _byUnique[request.Unique] = request;
            interrupt = _isStopping || Array.IndexOf(_early, request.Unique) >= 0;
        }

        if (interrupt)
        {
            request.Interrupt();
        }
    }

    /// <summary>After the answer was sent.</summary>
    public void Remove(PendingRequest request)
    {
        request.Release();
        lock (_lock)
        {
            _all.Remove(request);
            if (_byUnique.TryGetValue(request.Unique, out PendingRequest? registered) && registered == request)
            {
                _byUnique.Remove(request.Unique);
            }

            if (_all.Count == 0)
            {
                _drained?.TrySetResult();
            }
        }
    }

    public void Interrupt(ulong unique)
    {
        PendingRequest? request;
        lock (_lock)
        {
            if (!_byUnique.TryGetValue(unique, out request))
            {
                _early[_earlyNext] = unique;
                _earlyNext = (_earlyNext + 1) % EarlyMax;
                return;
            }
        }

        request.Interrupt();
    }

    /// <summary>Interrupts all and waits for them to end.</summary>
    public async Task StopAsync()
    {
        PendingRequest[] waiting;
        Task drained;
        lock (_lock)
        {
            _isStopping = true;
            waiting = [.. _all];
            _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
            drained = _all.Count == 0 ? Task.CompletedTask : _drained.Task;
        }

        foreach (PendingRequest request in waiting)
        {
            request.Interrupt();
        }

        await drained;
    }
}
