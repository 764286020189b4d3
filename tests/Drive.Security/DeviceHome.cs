using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Engine;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Security;

/// <summary>State directories of whole volumes: in memory where the machine has such a file system, since nothing here is about the disk. Removed when disposed.</summary>
public sealed class DeviceHome : IAsyncDisposable
{
    private readonly string _root;

    public DeviceHome()
    {
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        _root = Directory.CreateDirectory(Path.Combine(parent, "drive-security-" + Guid.NewGuid().ToString("n"))).FullName;
    }

    public VolumeSettings Settings(string state) => new()
    {
        StateDirectory = Path.Combine(_root, state, "state"),
        CacheDirectory = Path.Combine(_root, state, "cache"),
    };

    /// <summary>Opens a volume on a store that outlives it, under a clock that the caller moves.</summary>
    public Task<Volume> OpenAsync(string state, VaultKeys keys, IObjectStore store, TimeProvider time, CancellationToken cancellationToken) =>
        Volume.OpenAsync(
            Settings(state), keys, new NotedStore(store, []), new LocalDisk(), time, SystemRandomSource.Instance, NullLogger.Instance, cancellationToken);

    /// <summary>What a device's enrolment has proven, so that its volume starts at the last checkpoint.</summary>
    public void KeepHead(string state, RecoveredVault recovered)
    {
        ArgumentNullException.ThrowIfNull(recovered);
        Volume.KeepProvenHead(Settings(state), recovered.Keys, new LocalDisk(), recovered.Head);
    }

    /// <summary>Another device's directory with the same state: of a volume that is closed.</summary>
    public void Copy(string from, string to)
    {
        string source = Settings(from).StateDirectory;
        string target = Settings(to).StateDirectory;
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    public void Remove(string state)
    {
        string directory = Path.Combine(_root, state);
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }
}
