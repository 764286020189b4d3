using Drive.Fuse.Transport;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Serving;

/// <summary>
/// The threads that read requests and serve them in place. They are threads of our own: pool threads may all be blocked in
/// files of this very mount. When every reader has been inside one and the same request for a while (the volume waits for its disk), one more is
/// started, up to a limit.
/// </summary>
internal sealed class ReaderPool : IDisposable
{
    /// <summary>
    /// Only address space: pages are touched as they are needed. Handlers run the volume and its database, so the usual 256 KiB of a protocol
    /// thread would be tight.
    /// </summary>
    public const int StackBytes = 1024 * 1024;

    private const int ReadersMax = 16;

    /// <summary>How long all readers must be stuck before one more is started.</summary>
    private static readonly TimeSpan StuckTime = TimeSpan.FromMilliseconds(2);

    private readonly ITransport _transport;
    private readonly Dispatcher _dispatcher;
    private readonly ReplyBufferPool _buffers;
    private readonly ILogger _logger;
    private readonly Func<bool> _startRings;
    private readonly Action _onFailure;
    private readonly ITimer _timer;
    private readonly TaskCompletionSource _initialized = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Reader?[] _readers = new Reader?[ReadersMax];
    private readonly long[] _seen = new long[ReadersMax];

    /// <summary>Guards starting and ending of readers.</summary>
    private readonly Lock _lock = new();
    private int _count;
    private int _alive;
    private int _idle;
    private int _isWatching;
    private bool _isEnding;

    /// <param name="transport">Where requests come from.</param>
    /// <param name="startRings">Called when the terms are agreed; true when rings carry the requests, so that only the rest comes here.</param>
    public ReaderPool(
        ITransport transport, Dispatcher dispatcher, ReplyBufferPool buffers, TimeProvider time, ILogger logger, Func<bool> startRings, Action onFailure)
    {
        _transport = transport;
        _startRings = startRings;
        _dispatcher = dispatcher;
        _buffers = buffers;
        _logger = logger;
        _onFailure = onFailure;
        _timer = time.CreateTimer(static pool => ((ReaderPool)pool!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends when the kernel and we agreed on terms; fails when not.</summary>
    public Task Initialized => _initialized.Task;

    /// <summary>Ends when the connection is gone and no reader runs any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>How many readers run.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Starts the reader that answers INIT; the others follow when that is done.</summary>
    public void Start()
    {
        lock (_lock)
        {
            StartReader();
        }
    }

    public void Dispose() => _timer.Dispose();

    private void StartReader()
    {
        // Before INIT there is only the main channel.
        IChannel channel = _count == 0 ? _transport.Main : _transport.OpenChannel();
        int index = _count;
        Reader reader = new(new Request(channel, _buffers, _logger));
        _readers[index] = reader;
        _alive++;
        Interlocked.Increment(ref _idle);
        Thread thread = new(() => Run(reader, index), StackBytes) { IsBackground = true, Name = $"fuse-{index}" };
        Volatile.Write(ref _count, _count + 1);
        thread.Start();
    }

    private void Run(Reader reader, int index)
    {
        try
        {
            if (index == 0)
            {
                Serve(reader, untilInitialized: true);
                StartOthers();
            }

            Serve(reader, untilInitialized: false);
        }
        catch (Exception exception)
        {
            FuseLog.ReaderFailed(_logger, exception);
            _initialized.TrySetException(exception);
            _onFailure();
        }
        finally
        {
            End(reader);
        }
    }

    private void Serve(Reader reader, bool untilInitialized)
    {
        Request request = reader.Request;
        while (!(untilInitialized && _dispatcher.IsInitialized))
        {
            int length = request.Channel.Receive(request.Input);
            if (length == 0)
            {
                return;
            }

            Volatile.Write(ref reader.Serial, reader.Serial + 1);
            if (Interlocked.Decrement(ref _idle) == 0 && Volatile.Read(ref _count) < ReadersMax)
            {
                StartWatching();
            }

            _dispatcher.Handle(request, length);
            Interlocked.Increment(ref _idle);
        }
    }

    private void StartOthers()
    {
        if (!_dispatcher.IsInitialized)
        {
            _initialized.TrySetException(new FuseException(_dispatcher.Refusal ?? "The connection ended before it began: the mount was undone."));
            return;
        }

        int count = _startRings() ? 1 : Math.Clamp(Environment.ProcessorCount, 2, 8);
        lock (_lock)
        {
            while (_count < count)
            {
                StartReader();
            }
        }

        _initialized.TrySetResult();
    }

    private void StartWatching()
    {
        if (Volatile.Read(ref _isWatching) == 0 && Interlocked.Exchange(ref _isWatching, 1) == 0)
        {
            Snapshot();
            Arm();
        }
    }

    private void Arm()
    {
        try
        {
            _timer.Change(StuckTime, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The connection has ended meanwhile.
        }
    }

    private void Watch()
    {
        lock (_lock)
        {
            if (_isEnding || _count == ReadersMax)
            {
                return;
            }

            if (Volatile.Read(ref _idle) > 0)
            {
                // A reader that goes busy either sees that nobody watches, or is seen here.
                Interlocked.Exchange(ref _isWatching, 0);
                if (Volatile.Read(ref _idle) > 0 || Interlocked.Exchange(ref _isWatching, 1) != 0)
                {
                    return;
                }
            }
            else if (AreAllStuck() && _dispatcher.IsInitialized)
            {
                StartReader();
                FuseLog.ReaderAdded(_logger, _count);
            }
        }

        Snapshot();
        Arm();
    }

    private void Snapshot()
    {
        for (int i = 0; i < Volatile.Read(ref _count); i++)
        {
            _seen[i] = Volatile.Read(ref _readers[i]!.Serial);
        }
    }

    private bool AreAllStuck()
    {
        for (int i = 0; i < _count; i++)
        {
            if (_seen[i] != Volatile.Read(ref _readers[i]!.Serial))
            {
                return false;
            }
        }

        return true;
    }

    private void End(Reader reader)
    {
        reader.Request.Dispose();
        lock (_lock)
        {
            _isEnding = true;
            if (--_alive == 0)
            {
                _ended.TrySetResult();
            }
        }
    }

    private sealed class Reader(Request request)
    {
        public readonly Request Request = request;

        /// <summary>Counts requests, so that the watch sees whether a reader moves.</summary>
        public long Serial;
    }
}
