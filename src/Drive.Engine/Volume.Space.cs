using Drive.Core.Stores;
using Drive.Core.Volumes;

namespace Drive.Engine;

/// <content>The room that statfs tells: the store's, as it said last.</content>
public sealed partial class Volume
{
    private const long UnknownSpaceBytes = 1L << 40;
    private const long NodesMax = 1L << 40;

    private static readonly TimeSpan SpaceInterval = TimeSpan.FromSeconds(10);

    private StoreSpace? _storeSpace;

    /// <inheritdoc/>
    public FsStatus GetSpace(out VolumeSpace space)
    {
        long total = _storeSpace?.TotalBytes ?? UnknownSpaceBytes;
        long free = _storeSpace?.FreeBytes ?? UnknownSpaceBytes / 2;
        free = Math.Max(0, Math.Min(free, total));
        lock (_gate)
        {
            long nodes = _nodeCount;
            space = new VolumeSpace(total, free, nodes, NodesMax - nodes);
        }

        return FsStatus.Ok;
    }

    /// <summary>Asks the store from time to time. A loop of its own, because a store may leave a question open for ever, and saving can't wait for it.</summary>
    private async Task SpaceLoopAsync(CancellationToken cancellationToken)
    {
        try
        {
            using PeriodicTimer timer = new(SpaceInterval, _time);
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await RefreshSpaceAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task RefreshSpaceAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Not every store notices a cancellation while it works.
            _storeSpace = await _store.GetSpaceAsync(cancellationToken).WaitAsync(cancellationToken) ?? _storeSpace;
        }
        catch (StoreException)
        {
            // The last answer stands; the upload loop tells that the store is away.
        }
    }
}
