using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Service.Logs;
using Drive.Stores;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Hosting;

/// <summary>
/// Looks once after each mount whether a store that is not a local disk still lets one writer have a name: servers change. One that does not is sent nothing more.
/// The mount does not wait for it; a store that is away is looked at when it is back.
/// </summary>
internal sealed class BackgroundProbe : IAsyncDisposable
{
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    // A part of the time that stopping has. What is left of the look then is a few objects that nobody reads.
    private static readonly TimeSpan StopTime = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeProvider _time;
    private readonly Task _look;

    private BackgroundProbe(IObjectStore store, ProbeUse use, Action<string> stopSending, TimeProvider time, IRandomSource random, ILogger logger)
    {
        _time = time;
        _look = Task.Run(() => LookAsync(store, use, stopSending, random, logger));
    }

    /// <summary>Begins. The store is not owned.</summary>
    public static BackgroundProbe Start(IObjectStore store, ProbeUse use, Action<string> stopSending, TimeProvider time, IRandomSource random, ILogger logger) =>
        new(store, use, stopSending, time, random, logger);

    /// <summary>Ends it, soon at the latest.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (await Task.WhenAny(_look, Task.Delay(StopTime, _time, CancellationToken.None)) == _look)
        {
            _stopping.Dispose();
        }
    }

    private async Task LookAsync(IObjectStore store, ProbeUse use, Action<string> stopSending, IRandomSource random, ILogger logger)
    {
        try
        {
            while (true)
            {
                try
                {
                    ProbeResult result = await StoreProbe.LookBrieflyAsync(store, random, use, _stopping.Token);
                    if (result.Class == StoreClass.C)
                    {
                        logger.StoreUnsafe(result.Reasons);
                        stopSending($"'{store.Description.Url}' is no safe place for a vault any more, so nothing is sent ({result.Reasons}): 'drive store check' looks closer. What is on this machine is kept.");
                    }

                    return;
                }
                catch (StoreException)
                {
                    await Task.Delay(Again, _time, _stopping.Token);
                }
            }
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // Stopping: the next mount looks again.
        }
        catch (Exception error)
        {
            logger.StopProblem("looking at the store", error);
        }
    }
}
