using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine;
using Drive.Stores.Folder;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Mount.Tests;

/// <summary>The engine on a vault in a folder, mounted. Uploads start soon, so that tests run across commits.</summary>
public sealed class DriveMountFixture : FuseMountFixture
{
    private string _home = "";

    protected override async Task<IVolume> CreateVolumeAsync()
    {
        _home = MakeTemporary("vault");
        LocalDisk disk = new();
        IObjectStore store = FolderStore.Open(disk, Path.Combine(_home, "store"), create: true, SystemRandomSource.Instance);
        CreatedVault created = await VaultSetup.CreateAsync(
            store, new CreateVaultOptions { DeviceName = "test" }, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        VolumeSettings settings = new()
        {
            StateDirectory = Path.Combine(_home, "state"),
            CacheDirectory = Path.Combine(_home, "cache"),
            UploadRest = TimeSpan.FromMilliseconds(300),
            UploadDeadline = TimeSpan.FromSeconds(2),
        };
        return await Volume.OpenAsync(
            settings, created.Keys, store, disk, TimeProvider.System, SystemRandomSource.Instance, NullLogger.Instance, CancellationToken.None);
    }

    protected override Task RemoveAsync()
    {
        Directory.Delete(_home, recursive: true);
        return Task.CompletedTask;
    }
}
