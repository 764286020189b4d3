using Drive.Control;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Service.Backups;
using Drive.Stores.Wrappers;

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

    /// <summary>What went to and from the store since it was opened; null where there is none.</summary>
    public StoreTraffic? Traffic { get; init; }

    /// <summary>The engine's volume, for what only it can; null where there is none.</summary>
    public Volume? Engine { get; init; }

    /// <summary>Limits of what goes to and from the store; null where there is none.</summary>
    public StoreLimits? Limits { get; init; }

    /// <summary>What a call to the store that is under way meets, in one line for people; null when all goes well.</summary>
    public Func<string?> GetTrouble { get; init; } = static () => null;

    /// <summary>Completes when everything done before the call is committed in the store.</summary>
    public required Func<Action<UploadProgress>, CancellationToken, Task<UploadProgress>> WaitUploadedAsync { get; init; }

    /// <summary>Makes everything durable on this machine and stops the work with the store.</summary>
    public required Func<CancellationToken, Task> StopAsync { get; init; }

    /// <summary>The members of the vault; null where there is no vault.</summary>
    public IDevices? Devices { get; init; }

    /// <summary>Looks at the vault; null where there is none.</summary>
    public IHealth? Health { get; init; }

    /// <summary>Backup sets; null where there is no vault, or it may not be changed.</summary>
    public BackupDesk? Backups { get; init; }

    /// <summary>Something the user should know, or null.</summary>
    public string? Notice { get; init; }
}
