using Drive.Fuse.Transport;
using Drive.Fuse.Transport.Uring;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Serving;

/// <summary>
/// The threads that serve requests over io_uring, in place: one for each processor, at that processor's queue, so that a request and its reply need not
/// leave it. When a queue's servers have all been inside one and the same request for a while, a helper joins them; it rests as soon as the queue's own thread is back, and
/// ends with the connection only, because the kernel takes back what an ended thread submitted.
/// </summary>
internal sealed class RingServers : IDisposable
{
    /// <summary>Requests of one processor that are in hand at once, besides those that wait for something slow: as many as libfuse has; other depths were not measured.</summary>
    public const int Depth = 8;

    /// <summary>More processors than this share threads: arbitrary.</summary>
    private const int QueuesMax = 64;

    private const int ServersMax = 16;

    /// <summary>How long all servers of a queue must be stuck before they get help.</summary>
    private static readonly TimeSpan StuckTime = TimeSpan.FromMilliseconds(2);

    private readonly ITransport _transport;
    private readonly Dispatcher _dispatcher;
    private readonly ILogger _logger;
    private readonly Action _onFailure;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Guards starting and ending of servers.</summary>
    private readonly Lock _lock = new();
    private RingBell? _bell;
    private Team[] _teams = [];
    private int _alive;
    private int _count;
    private int _isWatching;
    private bool _isEnding;

    public RingServers(ITransport transport, Dispatcher dispatcher, TimeProvider time, ILogger logger, Action onFailure)
    {
        _transport = transport;
        _dispatcher = dispatcher;
        _time = time;
        _logger = logger;
        _onFailure = onFailure;
        _timer = time.CreateTimer(static servers => ((RingServers)servers!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends when no server runs; at once when none was started.</summary>
    public Task Ended => _alive == 0 ? Task.CompletedTask : _ended.Task;

    /// <summary>How many threads serve.</summary>
    public int Count => Volatile.Read(ref _count);

    public bool IsRunning { get; private set; }

    /// <summary>
    /// Sets the rings up, before the kernel is told that there will be some: after that it waits for them. False, with the reason, when this process
    /// may not or cannot.
    /// </summary>
    public bool TryPrepare(out string? obstacle)
    {
        obstacle = null;
        if (_transport.Device is not int device)
        {
            obstacle = "there is no device";
            return false;
        }

        try
        {
            _bell = new();
            IReadOnlyList<int> online = Processors.Online();
            IReadOnlyList<(ushort Processor, int Depth)>[] shares = Processors.Share(online, Processors.Possible().Count, QueuesMax, Depth);
            foreach (IReadOnlyList<(ushort Processor, int Depth)> share in shares)
            {
                ushort? home = online.Count > QueuesMax ? null : share[0].Processor;
                _teams = [.. _teams, new(new(device, home, share, _bell, _time, _logger))];
            }

            return true;
        }
        catch (Exception exception) when (exception is FuseException or IOException or UnauthorizedAccessException or FormatException)
        {
            obstacle = exception.Message;
            Release();
            return false;
        }
    }

    /// <summary>After the kernel agreed: gives it the entries. False when it refused them; it then sends everything to the device.</summary>
    public bool TryStart()
    {
        CountdownEvent registered = new(_teams.Length);
        int refusal = 0;
        foreach (Team team in _teams)
        {
            lock (_lock)
            {
                StartServer(team, () =>
                {
                    int errno = Errno.EIO;
                    try
                    {
                        errno = team.Queue.Register();
                    }
                    finally
                    {
                        Interlocked.CompareExchange(ref refusal, errno, 0);
                        registered.Signal();
                    }
                });
            }
        }

        registered.Wait();
        if (refusal == 0)
        {
            IsRunning = true;
            return true;
        }

        FuseLog.RingUnused(_logger, $"the kernel refused the queues (errno {refusal})");
        Stop();
        return false;
    }

    /// <summary>The connection has ended: all servers end.</summary>
    public void Stop()
    {
        foreach (Team team in _teams)
        {
            team.Queue.Stop();
            team.WakeHelpers();
        }
    }

    /// <summary>After <see cref="Ended"/>, when no request waits any more.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Release();
    }

    private void Release()
    {
        foreach (Team team in _teams)
        {
            team.Dispose();
        }

        _teams = [];
        _bell?.Dispose();
        _bell = null;
    }

    private void StartServer(Team team, Action? begin)
    {
        int index = team.Count;
        Server server = new(new(_transport.Main, _logger), isHelper: index > 0);
        team.Servers[index] = server;
        _alive++;
        Volatile.Write(ref _count, _count + 1);
        Thread thread = new(() => Run(team, server, begin), ReaderPool.StackBytes) { IsBackground = true, Name = $"fuse-ring-{team.Queue.Home}-{index}" };
        Volatile.Write(ref team.Count, index + 1);
        thread.Start();
    }

    private void Run(Team team, Server server, Action? begin)
    {
        try
        {
            if (!server.IsHelper && team.Queue.Home is ushort processor)
            {
                // Where the system forbids that processor, it serves from wherever it runs.
                Processors.TryPin(processor);
            }

            begin?.Invoke();
            Serve(team, server);
        }
        catch (Exception exception)
        {
            FuseLog.ReaderFailed(_logger, exception);
            _onFailure();
        }
        finally
        {
            End(team, server);
        }
    }

    private void Serve(Team team, Server server)
    {
        RingQueue queue = team.Queue;
        Request request = server.Request;
        while (true)
        {
            switch (queue.Take(server.IsHelper, out RingEntry? entry))
            {
                case QueueTurn.Over:
                    return;
                case QueueTurn.Rest:
                    server.Rest.Wait();
                    server.Rest.Reset();
                    continue;
            }

            Enter(queue, server);
            _dispatcher.Handle(request, request.Load(entry!));
            Leave(queue, server);
        }
    }

    private void Enter(RingQueue queue, Server server)
    {
        Volatile.Write(ref server.Serial, server.Serial + 1);
        Volatile.Write(ref server.IsBusy, true);
        if (!server.IsHelper)
        {
            queue.IsOwnerBusy = true;
        }

        if (Volatile.Read(ref _isWatching) == 0 && Interlocked.Exchange(ref _isWatching, 1) == 0)
        {
            Arm();
        }
    }

    private static void Leave(RingQueue queue, Server server)
    {
        Volatile.Write(ref server.IsBusy, false);
        if (!server.IsHelper)
        {
            queue.IsOwnerBusy = false;
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

    /// <summary>Sends help to each queue whose servers all stand where they stood at the last look.</summary>
    private void Watch()
    {
        bool isAnyBusy = false;
        lock (_lock)
        {
            if (_isEnding)
            {
                return;
            }

            foreach (Team team in _teams)
            {
                bool isBusy = Volatile.Read(ref team.Servers[0]!.IsBusy);
                isAnyBusy |= isBusy;
                if (team.LookForStuck() && isBusy)
                {
                    Help(team);
                }
            }
        }

        if (!isAnyBusy)
        {
            // A server that goes busy after this look arms the timer itself; one that did so just before is caught at the next request, or here.
            Volatile.Write(ref _isWatching, 0);
            if (!_teams.Any(static team => Volatile.Read(ref team.Servers[0]!.IsBusy)) || Interlocked.Exchange(ref _isWatching, 1) != 0)
            {
                return;
            }
        }

        Arm();
    }

    private void Help(Team team)
    {
        // What was answered before the stuck request goes out.
        team.Queue.Nudge();
        for (int i = 1; i < team.Count; i++)
        {
            if (!Volatile.Read(ref team.Servers[i]!.IsBusy))
            {
                team.Servers[i]!.Rest.Set();
                return;
            }
        }

        if (team.Count < ServersMax)
        {
            StartServer(team, begin: null);
            FuseLog.ReaderAdded(_logger, _count);
        }
    }

    private void End(Team team, Server server)
    {
        server.Request.Dispose();
        lock (_lock)
        {
            _isEnding = true;
            team.WakeHelpers();
            if (--_alive == 0)
            {
                _ended.TrySetResult();
            }
        }
    }

    /// <summary>One queue and its servers: the first is its own thread.</summary>
    private sealed class Team(RingQueue queue) : IDisposable
    {
        public readonly RingQueue Queue = queue;
        public readonly Server?[] Servers = new Server?[ServersMax];
        public int Count;
        private readonly long[] _seen = new long[ServersMax];

        public void WakeHelpers()
        {
            for (int i = 1; i < Volatile.Read(ref Count); i++)
            {
                Servers[i]!.Rest.Set();
            }
        }

        public void Dispose()
        {
            Queue.Dispose();
            for (int i = 0; i < Count; i++)
            {
                Servers[i]!.Dispose();
            }
        }

        /// <summary>Whether no server that is at work has moved since the last look.</summary>
        public bool LookForStuck()
        {
            bool isStuck = true;
            for (int i = 0; i < Volatile.Read(ref Count); i++)
            {
                long serial = Volatile.Read(ref Servers[i]!.Serial);
                isStuck &= serial == _seen[i];
                _seen[i] = serial;
            }

            return isStuck;
        }
    }

    private sealed class Server(Request request, bool isHelper) : IDisposable
    {
        public readonly Request Request = request;
        public readonly bool IsHelper = isHelper;
        public readonly ManualResetEventSlim Rest = new();

        /// <summary>Counts requests, so that the watch sees whether a server moves.</summary>
        public long Serial;
        public bool IsBusy;

        public void Dispose() => Rest.Dispose();
    }
}
