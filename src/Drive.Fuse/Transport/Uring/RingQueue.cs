using Drive.Fuse.Native;
using Drive.Fuse.Protocol;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Transport.Uring;

/// <summary>What a server finds at its queue.</summary>
internal enum QueueTurn
{
    /// <summary>A request was taken.</summary>
    Request,

    /// <summary>The queue's own thread is back; a helper is not needed.</summary>
    Rest,

    /// <summary>The connection has ended, and the kernel has given all entries back.</summary>
    Over,
}

/// <summary>
/// The requests of one processor (or, on machines with more than we serve with threads, of several), over one ring. Each entry is the kernel's (it may put
/// a request in), in a server's hands, or with a request that waits. Submissions come from serving threads only: when a thread ends, the kernel takes back what it submitted.
/// <para>
/// No request waits for one that waits: when a request goes slow, another entry takes its place, so that the entries without a slow request are always
/// as many as at the start. The kernel looks for requests in line only when an entry is handed in, not when one is new; so after one was added the kernel is made to send
/// something to this queue (<see cref="Kick"/>), whose answer fetches the first in line.
/// </para>
/// </summary>
internal sealed unsafe class RingQueue : IDisposable
{
    /// <summary>At most so many entries of one processor: arbitrary, each costs a page and what passed through it.</summary>
    public const int EntriesMax = 1024;

    private const uint SubmissionsMax = 128;
    private const uint CompletionsMax = 1024;

    /// <summary>Far from the numbers that the kernel gives its own requests, and even as they are.</summary>
    private const ulong KickMark = 1UL << 62;

    /// <summary>How long the kernel may take to give its entries back at the end: it needs milliseconds.</summary>
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    private static long _kicks;

    private readonly int _device;
    private readonly RingBell _bell;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IoRing _ring;

    /// <summary>Guards all below, the ring, and the entries' states. Held for the exchange with memory only, never while the kernel waits.</summary>
    private readonly Lock _lock = new();
    private readonly List<RingEntry> _entries = [];
    private readonly Queue<RingEntry> _early = new();
    private readonly Queue<RingEntry> _answered = new();
    private readonly Lane[] _lanes;
    private int _inKernel;
    private bool _isOver;
    private long _overSince;
    private bool _isLeaked;
    private bool _isOwnerBusy;

    /// <param name="device">The connection's descriptor.</param>
    /// <param name="home">The processor that the queue's thread is best tied to; null when several have their requests here.</param>
    /// <param name="lanes">The processors, and how many entries each has that do not wait.</param>
    public RingQueue(int device, ushort? home, IEnumerable<(ushort Processor, int Depth)> lanes, RingBell bell, TimeProvider time, ILogger logger)
    {
        _device = device;
        Home = home;
        _bell = bell;
        _time = time;
        _logger = logger;
        _lanes = [.. lanes.Select(static lane => new Lane(lane.Processor, lane.Depth))];
        _ring = new(SubmissionsMax, CompletionsMax);
        try
        {
            Probe();
        }
        catch
        {
            _ring.Dispose();
            throw;
        }
    }

    public ushort? Home { get; }

    /// <summary>Set by the queue's own thread, so that helpers rest when it is there.</summary>
    public bool IsOwnerBusy
    {
        get => Volatile.Read(ref _isOwnerBusy);
        set => Volatile.Write(ref _isOwnerBusy, value);
    }

    public int EntryCount
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>Gives the kernel its entries, on the thread that serves the queue. Returns 0, or the errno with which it refused one: it then does without.</summary>
    public int Register()
    {
        lock (_lock)
        {
            foreach (Lane lane in _lanes)
            {
                for (int i = 0; i < lane.Depth; i++)
                {
                    Add(lane);
                }
            }

            Enter(_ring.Unsubmitted, 0);
            int errno = 0;
            while (errno == 0 && _ring.TryTake(out IoUring.Completion completion))
            {
                _inKernel--;
                errno = Math.Max(0, -completion.Result);
                _early.Enqueue(_entries[(int)completion.UserData]);
            }

            return errno;
        }
    }

    /// <summary>Waits for the next request.</summary>
    public QueueTurn Take(bool isHelper, out RingEntry? entry)
    {
        while (true)
        {
            uint submit;
            TimeSpan? limit = null;
            ushort processor = 0;
            ulong kickedNode = 0;
            lock (_lock)
            {
                while (_answered.TryDequeue(out RingEntry? answered))
                {
                    Commit(answered);
                }

                if (TryTake(out entry))
                {
                    return QueueTurn.Request;
                }

                if (_isOver)
                {
                    if (IsDrained())
                    {
                        Nudge();
                        return QueueTurn.Over;
                    }

                    limit = TimeSpan.FromMilliseconds(100);
                }

                submit = _ring.Unsubmitted;
                if (isHelper && !IsOwnerBusy && !_isOver && submit == 0)
                {
                    return QueueTurn.Rest;
                }

                foreach (Lane lane in _lanes)
                {
                    if (lane.KickNode != 0)
                    {
                        (processor, kickedNode) = (lane.Processor, lane.KickNode);
                        lane.KickNode = 0;
                        break;
                    }
                }
            }

            // A helper that may rest hands over what it answered and looks again.
            bool waits = kickedNode == 0 && !(isHelper && !IsOwnerBusy && submit > 0);
            Enter(submit, waits ? 1u : 0u, limit);
            if (kickedNode != 0)
            {
                Kick(processor, kickedNode);
            }
        }
    }

    /// <summary>Takes the reply that stands in an entry, from any thread. Returns 0, or the errno that says why nobody takes it.</summary>
    public int Answer(RingEntry entry, in OutHeader header)
    {
        lock (_lock)
        {
            if (entry.CommitId != header.Unique || header.Unique == 0)
            {
                return Errno.ENOENT;
            }

            if (_isOver)
            {
                entry.CommitId = 0;
                return Errno.ENODEV;
            }

            ref RingHeader ring = ref entry.Header;
            ring.Out = header;
            ring.PayloadBytes = header.Length - OutHeader.Size;
            if (!entry.IsWaiting)
            {
                Commit(entry);
                return 0;
            }

            _answered.Enqueue(entry);
        }

        Nudge();
        return 0;
    }

    /// <summary>The request in this entry waits for something slow: another entry takes its place.</summary>
    public void Detach(RingEntry entry)
    {
        lock (_lock)
        {
            entry.IsWaiting = true;
            Lane lane = LaneOf(entry);
            lane.Waiting++;
            if (!_isOver && lane.Entries - lane.Waiting < lane.Depth && lane.Entries < EntriesMax)
            {
                Add(lane);

                // Flushes of directories wait for the local disk only, and the kernel takes no kick for them.
                InHeader request = entry.Header.In;
                lane.KickNode = request.Opcode is Opcode.Read or Opcode.Fsync or Opcode.CopyFileRange or Opcode.CopyFileRange64 ? request.NodeId : lane.KickNode;
            }
        }
    }

    /// <summary>Wakes a server that waits, so that it looks anew.</summary>
    public void Nudge() => _bell.TryRing(_ring.Descriptor);

    /// <summary>The connection has ended: servers leave when the kernel has given all back.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            End();
        }

        Nudge();
    }

    /// <summary>Only when no server is left and no request waits.</summary>
    public void Dispose()
    {
        _ring.Dispose();
        if (!_isLeaked)
        {
            _entries.ForEach(static entry => entry.Dispose());
        }

        _entries.Clear();
    }

    /// <summary>Whether this process may use a ring at all: setting one up may be allowed where entering it is not.</summary>
    private void Probe()
    {
        _ring.TrySubmit(new() { Operation = IoUring.OperationNothing, UserData = RingBell.Number });
        int errno = _ring.Enter(1, 1);
        if (errno != 0 || !_ring.TryTake(out IoUring.Completion completion) || completion.Result != 0)
        {
            throw new FuseException($"io_uring_enter failed (errno {errno})");
        }

        if (!_bell.TryRing(_ring.Descriptor) || !_ring.TryTake(out _))
        {
            throw new FuseException("io_uring does not carry messages between rings");
        }
    }

    private bool TryTake(out RingEntry? entry)
    {
        if (_early.TryDequeue(out entry))
        {
            entry.CommitId = entry.Header.CommitId;
            return true;
        }

        while (_ring.TryTake(out IoUring.Completion completion))
        {
            if (completion.UserData == RingBell.Number)
            {
                continue;
            }

            _inKernel--;
            entry = _entries[(int)completion.UserData];
            if (completion.Result == 0)
            {
                entry.CommitId = entry.Header.CommitId;
                return true;
            }

            if (-completion.Result is Errno.ENOTCONN or Errno.ECONNABORTED or Errno.ECANCELED or Errno.ENODEV)
            {
                End();
                continue;
            }

            // No memory for one entry more, or a mistake of ours: the queue goes on without this one.
            LaneOf(entry).Entries--;
            FuseLog.EntryRefused(_logger, -completion.Result);
        }

        entry = null;
        return false;
    }

    private void End()
    {
        if (!_isOver)
        {
            _isOver = true;
            _overSince = _time.GetTimestamp();
        }
    }

    private bool IsDrained()
    {
        if (_inKernel == 0)
        {
            return true;
        }

        if (_time.GetElapsedTime(_overSince) < DrainTime)
        {
            return false;
        }

        // The kernel may still write there: the memory is given up instead of being used for something else.
        _isLeaked = true;
        FuseLog.RingNotDrained(_logger, _inKernel);
        return true;
    }

    private Lane LaneOf(RingEntry entry)
    {
        int i = 0;
        while (_lanes[i].Processor != entry.Processor)
        {
            i++;
        }

        return _lanes[i];
    }

    private void Add(Lane lane)
    {
        RingEntry entry = new(this, _entries.Count, lane.Processor);
        _entries.Add(entry);
        lane.Entries++;
        Submit(new()
        {
            Operation = IoUring.OperationCommand,
            Descriptor = _device,
            Offset = (ulong)RingCommand.Register,
            Address = entry.Vectors,
            Length = 2,
            UserData = (ulong)entry.Index,
            QueueId = entry.Processor,
        });
    }

    private void Commit(RingEntry entry)
    {
        ulong commitId = entry.CommitId;
        entry.CommitId = 0;
        if (entry.IsWaiting)
        {
            entry.IsWaiting = false;
            LaneOf(entry).Waiting--;
        }

        Submit(new()
        {
            Operation = IoUring.OperationCommand,
            Descriptor = _device,
            Offset = (ulong)RingCommand.CommitAndFetch,
            UserData = (ulong)entry.Index,
            CommitId = commitId,
            QueueId = entry.Processor,
        });
    }

    private void Submit(in IoUring.Submission submission)
    {
        while (!_ring.TrySubmit(submission))
        {
            Enter(_ring.Unsubmitted, 0);
        }

        _inKernel++;
    }

    private void Enter(uint submit, uint complete, TimeSpan? limit = null)
    {
        int errno = _ring.Enter(submit, complete, limit);
        if (errno != 0)
        {
            throw new FuseException($"io_uring_enter failed (errno {errno}).");
        }
    }

    /// <summary>
    /// Makes the kernel send a request to a processor's queue: none of the bytes that its page cache has of a file, whose request waits and so keeps it there.
    /// Takes no lock in the kernel that a request may hold.
    /// </summary>
    private void Kick(ushort processor, ulong node)
    {
        // A request goes to the queue of the processor that its sender runs on.
        Processors.TryPin(processor);

        NotifyMessage<RetrieveOut> message = new()
        {
            Header = new() { Length = (uint)sizeof(NotifyMessage<RetrieveOut>), Error = (int)NotifyCode.Retrieve },
            Body = new() { NotifyUnique = KickMark | (ulong)(Interlocked.Increment(ref _kicks) * 2), NodeId = node },
        };
        if (Libc.Write(_device, &message, message.Header.Length) < 0 && Libc.LastError is not (Errno.ENOENT or Errno.ENODEV or Errno.ENOTCONN or Errno.ECONNABORTED))
        {
            FuseLog.NotificationRefused(_logger, NotifyCode.Retrieve, Libc.LastError);
        }

        if (Home is ushort home && home != processor)
        {
            Processors.TryPin(home);
        }
    }

    private struct NotifyMessage<T>
        where T : unmanaged
    {
        public OutHeader Header;
        public T Body;
    }

    private sealed class Lane(ushort processor, int depth)
    {
        public readonly ushort Processor = processor;
        public readonly int Depth = depth;
        public int Entries;
        public int Waiting;

        /// <summary>The file of a request that waits, when the kernel is to be made to look for requests in line; else 0.</summary>
        public ulong KickNode;
    }
}
