using Drive.Core.Volumes;
using Drive.Fuse.Mounting;
using Drive.Fuse.Protocol;
using Drive.Fuse.Transport;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Serving;

/// <summary>
/// One volume served over one transport: readers, notifier, and all that the kernel holds. Ends when the other side ends; then everything held is given
/// back to the volume, in this order: readers have ended, requests that wait are interrupted and answered, the notifier stops, handles are closed,
/// nodes forgotten, the transport closed.
/// </summary>
internal sealed class Connection : IDisposable
{
    private readonly IVolume _volume;
    private readonly ITransport _transport;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly ReplyBufferPool _buffers = new();
    private readonly PendingRequests _pending = new();
    private readonly NodeTable _nodes;
    private readonly OpenDirectories _directories;
    private readonly Notifier _notifier;
    private readonly Dispatcher _dispatcher;
    private readonly RingServers _rings;
    private readonly ReaderPool _readers;
    private readonly FuseTransport _choice;

    /// <param name="volume">What is served; not owned.</param>
    /// <param name="transport">Owned.</param>
    /// <param name="name">For logs.</param>
    /// <param name="choice">Whether requests may, or must, come over rings.</param>
    /// <param name="onFailure">Called when a thread of ours failed: the other side must be made to end.</param>
    public Connection(IVolume volume, ITransport transport, TimeProvider time, ILogger logger, string name, FuseTransport choice, Action onFailure)
    {
        _choice = choice;
        _volume = volume;
        _transport = transport;
        _logger = logger;
        _name = name;
        ChangeClock changes = new();
        _nodes = new(volume);
        _directories = new(volume);
        _notifier = new(transport, _nodes, changes, logger, onFailure);
        _dispatcher = new(volume, _nodes, _directories, _pending, changes, logger) { PrepareRings = PrepareRings };
        _rings = new(transport, _dispatcher, time, logger, onFailure);
        _readers = new(transport, _dispatcher, _buffers, time, logger, StartRings, onFailure);
    }

    /// <summary>Ends when all is given back.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public uint Minor => _dispatcher.Minor;

    public InitFlags Agreed => _dispatcher.Agreed;

    public NodeTable Nodes => _nodes;

    public OpenDirectories Directories => _directories;

    public PendingRequests Pending => _pending;

    /// <summary>How many threads serve requests.</summary>
    public int ReaderCount => _readers.Count + _rings.Count;

    /// <summary>Whether requests come over rings.</summary>
    public bool IsOverRings => _rings.IsRunning;

    /// <summary>Serves; the task ends when both sides agreed on terms.</summary>
    public Task StartAsync()
    {
        _readers.Start();
        Task begun = BeginNotifyingAsync();
        Completion = RunAsync(begun);
        return begun;
    }

    public void Dispose()
    {
        _readers.Dispose();
        _rings.Dispose();
        _notifier.Dispose();
        _transport.Dispose();
    }

    private async Task RunAsync(Task begun)
    {
        // Whether it succeeded is for the one who started us.
        await begun.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await _readers.Ended;
        _readers.Dispose();
        _rings.Stop();
        await _rings.Ended;
        await _pending.StopAsync();
        try
        {
            _volume.Observe(null);
            _notifier.Dispose();
            _directories.CloseAll();
            foreach (ulong number in _nodes.Held())
            {
                _nodes.Release(number, ulong.MaxValue);
            }
        }
        catch (Exception exception)
        {
            FuseLog.CleanUpFailed(_logger, exception, _name);
        }
        finally
        {
            _dispatcher.LargeReads?.Dispose();
            _rings.Dispose();
            _transport.Dispose();
            _buffers.Dispose();
        }
    }

    private async Task BeginNotifyingAsync()
    {
        await _readers.Initialized;
        _notifier.HasEpochs = _dispatcher.Minor >= Terms.EpochMinor;
        _notifier.Start();
        _volume.Observe(_notifier);
    }

    private bool PrepareRings(bool isOffered)
    {
        if (_choice == FuseTransport.Device)
        {
            return false;
        }

        string? obstacle = null;
        if (isOffered && _rings.TryPrepare(out obstacle))
        {
            return true;
        }

        FuseLog.RingUnused(_logger, obstacle ?? UringParameter.Describe());
        return false;
    }

    private bool StartRings()
    {
        if ((_dispatcher.Agreed & InitFlags.OverIoUring) == 0 || !_rings.TryStart())
        {
            return false;
        }

        _dispatcher.LargeReads = new();
        return true;
    }
}
