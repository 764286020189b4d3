using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Engine.Tests;

/// <summary>One vault in memory with one device's state on the real disk: what engine tests open, close, crash and open again.</summary>
internal sealed class EngineFixture : IAsyncDisposable
{
    private readonly byte[] _keys;

    private EngineFixture(IObjectStore store, byte[] keys, string recoveryKey)
    {
        Store = store;
        _keys = keys;
        RecoveryKey = recoveryKey;
        Home = Directory.CreateTempSubdirectory("drive-engine-").FullName;
    }

    public IObjectStore Store { get; set; }

    public string RecoveryKey { get; }

    public string Home { get; }

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public static async Task<EngineFixture> CreateAsync(IObjectStore? store = null)
    {
        store ??= new MemoryStore();
        CreatedVault created = await VaultSetup.CreateAsync(
            store, new CreateVaultOptions { DeviceName = "first" }, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        byte[] keys = created.Keys.Export();
        created.Keys.Dispose();
        return new EngineFixture(store, keys, created.RecoveryKey);
    }

    public VolumeSettings Settings(string state = "state") => new()
    {
        StateDirectory = Path.Combine(Home, state),
        CacheDirectory = Path.Combine(Home, state + "-cache"),
    };

    public Task<Volume> OpenAsync(VolumeSettings? settings = null, byte[]? keys = null) =>
        Volume.OpenAsync(
            settings ?? Settings(), VaultKeys.Import(keys ?? _keys), new KeptStore(Store), new LocalDisk(), Time, SystemRandomSource.Instance,
            NullLogger.Instance, CancellationToken.None);

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Home, recursive: true);
        return ValueTask.CompletedTask;
    }
}
