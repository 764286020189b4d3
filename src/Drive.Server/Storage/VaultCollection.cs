using System.Collections.Concurrent;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Http;
using Microsoft.Extensions.Logging;

namespace Drive.Server.Storage;

/// <summary>All vaults of all users, each in <c>vaults/USER/VAULT</c>. Owns them.</summary>
/// <remarks>Threads: any.</remarks>
internal sealed class VaultCollection : IAsyncDisposable
{
    private const string FolderName = "vaults";

    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly IRandomSource _random;
    private readonly ConcurrentDictionary<(string User, string Vault), StoredVault> _vaults = new();
    private readonly ConcurrentDictionary<string, UserSpace> _spaces = new();
    private readonly SemaphoreSlim _making = new(1);

    private VaultCollection(IDisk disk, string directory, IRandomSource random)
    {
        _disk = disk;
        _folder = FolderOf(directory);
        _random = random;
    }

    /// <summary>How many there are.</summary>
    public int Count => _vaults.Count;

    /// <summary>What all objects take.</summary>
    public long UsedBytes => _spaces.Values.Sum(static space => space.Used);

    /// <summary>Opens every vault that is there and counts what is in it.</summary>
    public static async Task<VaultCollection> OpenAsync(IDisk disk, string directory, IRandomSource random, ILogger logger, CancellationToken cancellationToken)
    {
        VaultCollection all = new(disk, directory, random);
        try
        {
            foreach ((string user, string vault, string folder) in Find(disk, directory))
            {
                try
                {
                    all._vaults[(user, vault)] = await StoredVault.OpenAsync(disk, folder, create: false, all.SpaceOf(user), random, cancellationToken);
                }
                catch (StoreException exception) when (exception.Kind == StoreErrorKind.Unreachable)
                {
                    // Begun and never finished, or a folder of somebody else's. Who makes that vault again gets it.
                    logger.NoVault(user, vault, exception.Message);
                }
            }

            return all;
        }
        catch
        {
            await all.DisposeAsync();
            throw;
        }
    }

    /// <summary>Every folder that may be a vault.</summary>
    public static IEnumerable<(string User, string Vault, string Folder)> Find(IDisk disk, string directory)
    {
        string all = FolderOf(directory);
        return
            from user in disk.List(all).Where(static name => ServerWire.IsName(name)).Order(StringComparer.Ordinal)
            from vault in disk.List(Path.Combine(all, user)).Where(static name => ServerWire.IsName(name)).Order(StringComparer.Ordinal)
            let folder = Path.Combine(all, user, vault)
            where disk.DirectoryExists(folder)
            select (user, vault, folder);
    }

    public StoredVault? Find(string user, string vault) => _vaults.GetValueOrDefault((user, vault));

    /// <summary>Makes a vault. True: made. False: it is there. Null: the user has as many as allowed.</summary>
    public async Task<bool?> CreateAsync(string user, string vault, int vaultsMax, CancellationToken cancellationToken)
    {
        await _making.WaitAsync(cancellationToken);
        try
        {
            if (_vaults.ContainsKey((user, vault)))
            {
                return false;
            }

            if (_vaults.Keys.Count(key => key.User == user) >= vaultsMax)
            {
                return null;
            }

            _vaults[(user, vault)] = await StoredVault.OpenAsync(_disk, Path.Combine(_folder, user, vault), create: true, SpaceOf(user), _random, CancellationToken.None);
            return true;
        }
        finally
        {
            _making.Release();
        }
    }

    public UserSpace SpaceOf(string user) => _spaces.GetOrAdd(user, static _ => new UserSpace());

    /// <summary>Room on the disk below.</summary>
    public long DiskFreeBytes() => _disk.GetSpace(_folder).FreeBytes;

    public async ValueTask DisposeAsync()
    {
        foreach (StoredVault vault in _vaults.Values)
        {
            await vault.DisposeAsync();
        }
    }

    private static string FolderOf(string directory) => Path.Combine(directory, FolderName);
}
