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

    public byte[] Keys => _keys;

    public string RecoveryKey { get; }

    public string Home { get; }

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public IDisk Disk { get; set; } = new LocalDisk();

    public static async Task<EngineFixture> CreateAsync(IObjectStore? store = null, bool singleWriter = false)
    {
        store ??= new MemoryStore();
        CreatedVault created = await VaultSetup.CreateAsync(
            store, new CreateVaultOptions { DeviceName = "first", SingleWriter = singleWriter }, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        byte[] keys = created.Keys.Export();
        created.Keys.Dispose();
        return new EngineFixture(store, keys, created.RecoveryKey);
    }

    /// <summary>A vault that is in the store already, with no state of any device yet.</summary>
    public static EngineFixture Of(IObjectStore store, byte[] keys, string recoveryKey) => new(store, keys, recoveryKey);

    public VolumeSettings Settings(string state = "state") => new()
    {
        StateDirectory = Path.Combine(Home, state),
        CacheDirectory = Path.Combine(Home, state + "-cache"),
    };

    public Task<Volume> OpenAsync(VolumeSettings? settings = null, byte[]? keys = null) =>
        Volume.OpenAsync(
            settings ?? Settings(), VaultKeys.Import(keys ?? _keys), new KeptStore(Store), Disk, Time, SystemRandomSource.Instance,
            NullLogger.Instance, CancellationToken.None);

    /// <summary>A second device in its own directory, enrolled with the recovery key; <paramref name="store"/> instead of the fixture's.</summary>
    public async Task<Volume> RecoverAsync(string state, IObjectStore? store = null)
    {
        IObjectStore from = store ?? Store;
        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            from, RecoveryKey, state, null, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        return await Volume.OpenAsync(
            Settings(state), recovered.Keys, new KeptStore(from), new LocalDisk(), Time, SystemRandomSource.Instance, NullLogger.Instance,
            CancellationToken.None);
    }

    /// <summary>
    /// The local state as a crash at this moment leaves it, under another name. Only while nobody writes there: no save loop, and the uploader idle
    /// or waiting for the store.
    /// </summary>
    public VolumeSettings CopyState(string image, string state = "state")
    {
        string from = Settings(state).StateDirectory;
        VolumeSettings settings = Settings(image);
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(settings.StateDirectory, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return settings;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Home, recursive: true);
        return ValueTask.CompletedTask;
    }
}
