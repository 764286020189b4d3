using Drive.Core.Platform;
using Drive.Stores.Wrappers;

namespace Drive.Stores.Http;

/// <summary>
/// A connection on which a server tells of new objects, made again whenever it ends. Its loop ends when it is disposed; <see cref="Ended"/> is for the owner
/// to await. The caller's action runs on the loop, one at a time.
/// </summary>
/// <param name="changed">Called when something is new, and each time when the connection stands again.</param>
internal abstract class StoreWatch(Action changed, TimeProvider time, IRandomSource random) : IDisposable
{
    private static readonly RetryOptions Pace = new() { FirstDelay = TimeSpan.FromMilliseconds(250), DelayMax = TimeSpan.FromSeconds(30) };

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Complete when the loop has ended, or was never begun.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>How long a connection may be silent until it is taken for dead.</summary>
    protected abstract TimeSpan SilenceMax { get; }

    /// <summary>Begins the loop, once.</summary>
    public void Start()
    {
        // It outlives the call that may have opened the store, and is no part of it.
        using AsyncFlowControl own = ExecutionContext.SuppressFlow();
        Ended = Task.Run(RunAsync);
    }

    public void Dispose() => _stop.Cancel();

    /// <summary>
    /// Makes a connection and follows it to its end. Says by <paramref name="alive"/> that the server was heard of, and by <paramref name="tell"/> that something
    /// is new; the first of these says that the connection stands.
    /// </summary>
    protected abstract Task FollowAsync(Action alive, Action tell, CancellationToken cancellationToken);

    /// <summary>Whether the failure is one of the network or the server, after which it is tried again.</summary>
    protected abstract bool IsAway(Exception error);

    private async Task RunAsync()
    {
        int failures = 0;
        try
        {
            while (true)
            {
                if (await FollowOnceAsync())
                {
                    failures = 0;
                }

                await Task.Delay(Pace.DelayAfter(++failures, random), time, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Nobody wants to know any more.
        }
    }

    /// <summary>Whether there was a connection.</summary>
    private async Task<bool> FollowOnceAsync()
    {
        using CancellationTokenSource silence = new(SilenceMax, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, silence.Token);
        bool isConnected = false;
        try
        {
            await FollowAsync(() => silence.CancelAfter(SilenceMax), Tell, either.Token);
        }
        catch (Exception error) when (IsAway(error) || (error is OperationCanceledException && !_stop.IsCancellationRequested))
        {
            // The server is away: tried again.
        }

        return isConnected;

        void Tell()
        {
            isConnected = true;
            changed();
        }
    }
}

/// <summary>The watches of one store, which end with it. Threads: any.</summary>
internal sealed class StoreWatches : IAsyncDisposable
{
    private readonly Lock _gate = new();

    // Guarded by _gate.
    private readonly List<StoreWatch> _watches = [];

    /// <summary>Begins a watch; it ends when what is given back is disposed.</summary>
    public IDisposable Add(StoreWatch watch)
    {
        watch.Start();
        lock (_gate)
        {
            _watches.RemoveAll(static ended => ended.Ended.IsCompleted);
            _watches.Add(watch);
        }

        return watch;
    }

    public async ValueTask DisposeAsync()
    {
        StoreWatch[] watches;
        lock (_gate)
        {
            watches = [.. _watches];
            _watches.Clear();
        }

        foreach (StoreWatch watch in watches)
        {
            watch.Dispose();
            await watch.Ended;
        }
    }
}
