using Drive.Core.Volumes;
using Drive.Engine;

namespace Drive.Service.Hosting;

/// <summary>
/// What the daemon asks of an open volume beside showing it. The engine's volume is the one in the product; the daemon's own tests
/// bring the reference volume, which keeps nothing.
/// </summary>
internal sealed record OpenDrive
{
    /// <summary>What is mounted. Disposing it gives back the store and its lock.</summary>
    public required IVolume Volume { get; init; }

    /// <summary>The store, for people.</summary>
    public required string Store { get; init; }

    /// <summary>Where the data is.</summary>
    public required Func<VolumeStatus> GetStatus { get; init; }

    /// <summary>Completes when everything done before the call is committed in the store.</summary>
    public required Func<Action<UploadProgress>, CancellationToken, Task<UploadProgress>> WaitUploadedAsync { get; init; }

    /// <summary>Makes everything durable on this machine and stops the work with the store.</summary>
    public required Func<CancellationToken, Task> StopAsync { get; init; }

    /// <summary>Something the user should know, or null.</summary>
    public string? Notice { get; init; }
}
