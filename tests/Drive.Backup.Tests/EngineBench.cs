using System.Text;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Backup.Tests;

/// <summary>A set on the engine itself: a vault in a store in memory, a device's state and a folder on the real disk.</summary>
internal sealed class EngineBench : IAsyncDisposable
{
    private readonly byte[] _keys;

    private EngineBench(FaultyStore store, byte[] keys)
    {
        Store = store;
        _keys = keys;
        Home = Directory.CreateTempSubdirectory("drive-backup-").FullName;
        Source = Path.Combine(Home, "source");
        Directory.CreateDirectory(Source);
        Sets = new BackupSets(Path.Combine(Home, "sets"));
        Sets.Put(Set);
    }

    public string Home { get; }

    public string Source { get; }

    public FaultyStore Store { get; }

    public BackupSets Sets { get; }

    public BackupSet Set => new() { Name = "docs", Paths = [Source] };

    /// <summary>Whether volumes that are opened take the store for one that is far away.</summary>
    public bool IsFar { get; init; }

    public string InVault => "/Backups/here/docs" + Source;

    public static async Task<EngineBench> CreateAsync(bool isFar = false)
    {
        FaultyStore store = new(new MemoryStore());
        CreatedVault created = await VaultSetup.CreateAsync(
            store, new CreateVaultOptions { DeviceName = "here" }, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        byte[] keys = created.Keys.Export();
        created.Keys.Dispose();
        return new EngineBench(store, keys) { IsFar = isFar };
    }

    public VolumeSettings Settings(string state) => new()
    {
        StateDirectory = Path.Combine(Home, state),
        CacheDirectory = Path.Combine(Home, state + "-cache"),
        UploadRest = TimeSpan.FromMilliseconds(50),
    };

    public Task<Volume> OpenAsync(string state = "state") => Volume.OpenAsync(
        Settings(state), VaultKeys.Import(_keys), new KeptStore(Store, IsFar), new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance, NullLogger.Instance, CancellationToken.None);

    public BackupRunner Runner(Volume volume, string sets = "sets", IVolume? inPlace = null) => new(
        inPlace ?? volume, volume, sets == "sets" ? Sets : new BackupSets(Path.Combine(Home, sets)), new BackupPlace { DeviceName = "here", Key = Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef") },
        TimeProvider.System, SystemRandomSource.Instance);

    public async Task<BackupReport> RunAsync(Volume volume, BackupOptions? options = null, CancellationToken cancellationToken = default)
    {
        using BackupRunner runner = Runner(volume);
        return await runner.RunAsync(Set, options ?? new BackupOptions(), null, cancellationToken);
    }

    public async Task AssertExactAsync(Volume volume) => TreeImage.AssertSame(TreeImage.OfDisk(Source), await TreeImage.OfVolumeAsync(volume, InVault));

    /// <summary>Packs in the store, with their lengths.</summary>
    public async Task<Dictionary<string, long>> PacksAsync()
    {
        Dictionary<string, long> packs = [];
        await foreach (ObjectInfo info in Store.Inner.ListAsync("packs/", CancellationToken.None))
        {
            packs.Add(info.Name.Value, info.Length);
        }

        return packs;
    }

    public void Write(string name, int seed, int length)
    {
        string path = Path.Combine(Source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>The device's state and what its runs remember as a kill at this moment leaves them, under another name.</summary>
    public void CopyState(string state, string sets)
    {
        foreach ((string from, string to) in (IEnumerable<(string, string)>)[(Path.Combine(Home, "state"), Path.Combine(Home, state)), (Sets.Folder, Path.Combine(Home, sets))])
        {
            foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            {
                string copy = Path.Combine(to, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        // Not by .NET: it does not delete names that are no text.
        ProgramRun.Of("sh", ["-c", $"chmod -R u+rwX '{Home}'; rm -rf '{Home}'"], TimeSpan.FromMinutes(1));
        return ValueTask.CompletedTask;
    }

    private sealed class KeptStore(IObjectStore store, bool isFar) : ForwardingStore(store)
    {
        public override StoreDescription Description => base.Description with { IsLocal = !isFar };
    }
}
