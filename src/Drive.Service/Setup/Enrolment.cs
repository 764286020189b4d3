using System.Security.Cryptography;
using System.Text;
using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Engine;
using Drive.Service.Keys;
using Drive.Service.Settings;
using Drive.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Service.Setup;

/// <summary>
/// Makes this machine a device of a vault: of a new one, or of one that is there. Keys are kept before the settings name the vault, so a vault
/// that is named can be opened.
/// </summary>
public sealed class Enrolment(
    DrivePaths paths, VaultBook book, KeyStorage keys, IDisk disk, TimeProvider time, IRandomSource random)
{
    private readonly StoreOpener _stores = new(disk, time, random, keys.Logins);

    /// <summary>Refuses a name that stands for another vault already.</summary>
    public void RefuseTakenName(string name)
    {
        if (book.Find(name) is { } taken)
        {
            throw new DriveException(DriveError.InUse, $"'{name}' is the vault in '{taken.Store}' already: choose another name with --name.");
        }
    }

    /// <summary>Makes a vault. The recovery key is shown as soon as the vault exists, before anything else can fail.</summary>
    public async Task<VaultEntry> CreateAsync(
        NewVault wanted, Action<string> showRecoveryKey, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        RefuseTakenName(wanted.Name);
        if (wanted.IsAlone)
        {
            PassphraseStrength.RequireForAlone(wanted.Passphrase ?? "");
        }

        if (wanted.SingleWriter && wanted.LogStore is not null)
        {
            throw new DriveException(DriveError.Usage, "--single-writer is for a store that holds the log as well: leave one of --single-writer and --log-store out.");
        }

        (string place, string? logPlace) = Places(wanted.Store, wanted.LogStore);
        return await VaultErrors.TranslatedAsync(VaultEntry.Together(place, logPlace), async () =>
        {
            await RefuseStrangeFolderAsync(place);
            await (logPlace is null ? Task.CompletedTask : RefuseStrangeFolderAsync(logPlace));
            await using IObjectStore opened = _stores.Create(place, logPlace);
            if ((await VaultSetup.ProbeAsync(opened, cancellationToken)).Presence is VaultPresence.Present or VaultPresence.NewerFormat)
            {
                throw new VaultException(VaultErrorKind.AlreadyExists, "");
            }

            await (opened is SplitStore ? Task.CompletedTask : SplitMark.RequireAsync(opened, cancellationToken));
            if (await FindCarelessAsync(opened, wanted.SingleWriter ? ProbeUse.Packs : ProbeUse.Vault, cancellationToken) is { } refusal)
            {
                throw refusal;
            }

            await (opened is SplitStore split ? SplitMark.MakeAsync(split, random, cancellationToken) : Task.CompletedTask);
            using IDisposable? held = StoreLock.Take(opened, wanted.Name);
            byte[]? secret = Encode(wanted.Passphrase);
            CreateVaultOptions options = new()
            {
                DeviceName = Environment.MachineName,
                Passphrase = secret,
                PassphraseAlone = wanted.IsAlone,
                SingleWriter = wanted.SingleWriter,
                PassphraseIterations = secret is null ? PassphraseCost.IterationsMin : PassphraseCost.Calibrate(time),
                ReplaceInterrupted = true,
                RootUid = Linux.Native.EffectiveUser(),
                RootGid = Linux.Native.EffectiveGroup(),
            };
            CreatedVault created = await VaultSetup.CreateAsync(opened, options, time, random, cancellationToken);
            using (created.Keys)
            {
                showRecoveryKey(created.RecoveryKey);
                return await KeepAsync(wanted.Name, opened, created.Keys, secret, cancellationToken);
            }
        });
    }

    /// <summary>Refuses a place that holds no vault that can be opened, before anybody is asked for a secret.</summary>
    public async Task CheckVaultAsync(string store, string? logStore, CancellationToken cancellationToken)
    {
        (string place, string? logPlace) = Places(store, logStore);
        await VaultErrors.TranslatedAsync(VaultEntry.Together(place, logPlace), async () =>
        {
            await RefuseMissingVaultAsync(logPlace ?? place);
            await using IObjectStore opened = _stores.Open(place, logPlace);
            VaultInfo info = await VaultSetup.ProbeAsync(opened, cancellationToken);
            await SplitMark.RequireAsync(opened, cancellationToken);
            return info.Presence switch
            {
                VaultPresence.Present => info,
                VaultPresence.NewerFormat => throw new VaultException(VaultErrorKind.NewerFormat, ""),
                VaultPresence.Interrupted => throw new VaultException(VaultErrorKind.Interrupted, ""),
                _ => throw new VaultException(VaultErrorKind.NoVault, ""),
            };
        });
    }

    /// <summary>Makes this machine a device of a vault that is there.</summary>
    public async Task<VaultEntry> JoinAsync(JoinRequest request, Action<string> say, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        (string place, string? logPlace) = Places(request.Store, request.LogStore);
        return await VaultErrors.TranslatedAsync(VaultEntry.Together(place, logPlace), async () =>
        {
            await RefuseMissingVaultAsync(logPlace ?? place);
            await using IObjectStore opened = _stores.Open(place, logPlace);
            VaultInfo info = await VaultSetup.ProbeAsync(opened, cancellationToken);
            string? vaultId = info.VaultId?.ToString();
            RefuseKnown(request.Name, vaultId, request.IsAgain);
            using IDisposable? state = vaultId is null ? null : HoldState(vaultId);
            DriveException? careless = await FindCarelessAsync(opened, ProbeUse.Vault, cancellationToken);
            if (careless is not null && await FindCarelessAsync(opened, ProbeUse.Packs, cancellationToken) is not null)
            {
                throw careless;
            }

            using IDisposable? held = StoreLock.Take(opened, request.Name);
            RecoveredVault recovered = await VaultSetup.JoinAsync(opened, request.Secret with { RequiresSingleWriter = careless is not null }, request.DeviceName ?? Environment.MachineName, null, time, random, cancellationToken);
            using (recovered.Keys)
            {
                await SetAsideOldStateAsync(recovered.Keys.VaultId.ToString(), say, cancellationToken);
                VaultEntry entry = await KeepAsync(request.Name, opened, recovered.Keys, Encode(request.Passphrase), cancellationToken);
                KeepHead(recovered, say);
                return entry;
            }
        });
    }

    /// <summary>This device's keys to a vault.</summary>
    public async Task<VaultKeys> UnlockAsync(VaultEntry entry, string? passphrase, CancellationToken cancellationToken)
    {
        byte[] kept = await keys.LoadAsync(entry, cancellationToken);
        byte[]? secret = Encode(passphrase);
        try
        {
            return entry.Keys != KeyPlace.Passphrase ? VaultKeys.Import(kept)
                : secret is not null ? VaultKeys.ImportSealed(kept, secret)
                : throw new DriveException(DriveError.WrongSecret, $"'{entry.Name}' needs its passphrase: --passphrase-file FILE, or mount it on a terminal.");
        }
        catch (VaultException exception) when (exception.Kind == VaultErrorKind.WrongSecret)
        {
            throw new DriveException(DriveError.WrongSecret, $"That is not the passphrase of '{entry.Name}': try again, or 'drive recover {entry.Where}' with the recovery key.", exception);
        }
        catch (VaultException exception)
        {
            throw VaultErrors.Translate(exception, entry.Where)!;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(kept);
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Sets a new passphrase: in the vault, by a commit, and on the keys of this machine.</summary>
    public async Task ChangePassphraseAsync(VaultEntry entry, string? present, string next, bool isAlone, IDevices devices, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(devices);
        if (isAlone)
        {
            PassphraseStrength.RequireForAlone(next);
        }

        using VaultKeys unlocked = await UnlockAsync(entry, present, cancellationToken);
        await devices.SetPassphraseAsync(new PassphraseRequest(CanonicalForm.Compose(next), isAlone), cancellationToken);
        byte[] secret = Encode(next)!;
        keys.SaveSealed(entry.Name, unlocked.ExportSealed(secret, random, PassphraseCost.Calibrate(time)));
        CryptographicOperations.ZeroMemory(secret);
        book.Put(entry with { Keys = KeyPlace.Passphrase });
        await keys.ForgetUnsealedAsync(entry, cancellationToken);
    }

    private async Task<VaultEntry> KeepAsync(string name, IObjectStore store, VaultKeys vaultKeys, byte[]? passphrase, CancellationToken cancellationToken)
    {
        string vaultId = vaultKeys.VaultId.ToString();
        KeyPlace where;
        if (passphrase is not null)
        {
            keys.SaveSealed(name, vaultKeys.ExportSealed(passphrase, random, PassphraseCost.Calibrate(time)));
            where = KeyPlace.Passphrase;
        }
        else
        {
            byte[] plain = vaultKeys.Export();
            where = await keys.SaveAsync(name, vaultId, plain, cancellationToken);
            CryptographicOperations.ZeroMemory(plain);
        }

        SplitStore? split = store as SplitStore;
        VaultEntry entry = new() { Name = name, Store = (split?.Packs ?? store).Description.Url, LogStore = split?.Log.Description.Url, VaultId = vaultId, Keys = where };
        book.Put(entry);
        return entry;
    }

    /// <summary>Refuses a folder with other things in it, which is most likely a slip: a vault would be mixed into somebody's documents.</summary>
    internal async Task RefuseStrangeFolderAsync(string place)
    {
        if (StoreOpener.FolderOf(place) is not { } folder)
        {
            await RefuseStrangeObjectsAsync(place);
            return;
        }

        if (File.Exists(folder))
        {
            throw new DriveException(DriveError.BadVault, $"'{place}' is a file: a vault is kept in a folder that is empty or does not exist.");
        }

        IReadOnlyList<string> names = disk.List(folder);
        if (names.Count > 0 && !await _stores.IsStoreAsync(place))
        {
            throw new DriveException(DriveError.BadVault, $"'{place}' has other files in it: choose a folder that is empty or does not exist.");
        }
    }

    // A folder keeps names by the operating system's word; other servers may not know what they are asked for.
    private async Task<DriveException?> FindCarelessAsync(IObjectStore store, ProbeUse use, CancellationToken cancellationToken)
    {
        if (await StoreProbe.LookBrieflyAsync(store, random, use, cancellationToken) is not { Class: StoreClass.C } careless)
        {
            return null;
        }

        string next = store is SplitStore || use == ProbeUse.Packs ? "choose another server"
            : "choose another server; or keep the log in another store with --log-store URL2; or let one device alone write to the vault with --single-writer ('drive store check' says whether this store is good for that)";
        return new DriveException(DriveError.BadVault, $"'{store.Description.Url}' is no safe place for a vault ({careless.Reasons}): {next}.");
    }

    private static (string Place, string? LogPlace) Places(string store, string? logStore)
    {
        string place = StoreOpener.Normalize(store);
        string? logPlace = logStore is null ? null : StoreOpener.Normalize(logStore);
        return logPlace is not null && StoreOpener.IsSame(place, logPlace)
            ? throw new DriveException(DriveError.Usage, "--log-store must be another place than the store: leave it out to keep all in one.")
            : (place, logPlace);
    }

    private async Task RefuseStrangeObjectsAsync(string place)
    {
        await using IObjectStore opened = _stores.Create(place);
        await foreach (ObjectInfo found in opened.ListAsync("", CancellationToken.None))
        {
            if (!VaultNames.IsOne(found.Name))
            {
                throw new DriveException(DriveError.BadVault, $"'{place}' has other objects in it ({found.Name}): choose a prefix that nothing is below.");
            }

            return;
        }
    }

    private async Task RefuseMissingVaultAsync(string place)
    {
        if (StoreOpener.FolderOf(place) is { } folder && disk.DirectoryExists(folder) && !await _stores.IsStoreAsync(place))
        {
            throw new DriveException(DriveError.BadVault, $"'{place}' holds no vault: look at the path.");
        }
    }

    private void RefuseKnown(string name, string? vaultId, bool isAgain)
    {
        foreach (VaultEntry entry in book.All())
        {
            bool isUsed = disk.List(paths.StateOf(entry.VaultId)).Count > 0;
            if (entry.VaultId == vaultId && !isAgain && isUsed && entry.Keys != KeyPlace.Keyring && File.Exists(keys.FileOf(entry.Name)))
            {
                throw new DriveException(DriveError.InUse, $"This machine knows the vault already as '{entry.Name}': 'drive mount {entry.Name} DIR'. If it was revoked: --again makes it another device.");
            }

            if (entry.Name == name && entry.VaultId != vaultId)
            {
                throw new DriveException(DriveError.InUse, $"'{name}' is the vault in '{entry.Store}' already: choose another name with --name.");
            }
        }
    }

    // Before the vault is told of a new device: a daemon may have the state open.
    private IDisposable HoldState(string vaultId)
    {
        string lockPath = paths.StateOf(vaultId) + ".lock";
        disk.CreateDirectory(Path.GetDirectoryName(lockPath)!);
        return disk.TryLock(lockPath, $"process {Environment.ProcessId}", out _)
            ?? throw new DriveException(DriveError.InUse, "The vault is mounted here: 'drive umount' it first, then try again.");
    }

    // Local state is sealed under the keys of the device that wrote it, and this machine is a new device now. Neither is deleted unasked.
    private async Task SetAsideOldStateAsync(string vaultId, Action<string> say, CancellationToken cancellationToken)
    {
        string state = paths.StateOf(vaultId);
        string suffix = $".before-{time.GetUtcNow():yyyyMMdd-HHmmss}";
        foreach (VaultEntry entry in book.All().Where(entry => entry.VaultId == vaultId))
        {
            await keys.SetAsideAsync(entry, suffix, cancellationToken);
            book.Remove(entry.Name);
        }

        if (disk.List(state).Count > 0)
        {
            disk.Rename(state, state + suffix);
            disk.SyncDirectory(Path.GetDirectoryName(state)!);
            say($"State of an earlier device on this machine was set aside in '{state + suffix}'; it can't be read without that device's keys.");
        }
    }

    /// <summary>What the enrolment has proven lets the first mount start at the last checkpoint; without it that takes longer.</summary>
    private void KeepHead(RecoveredVault recovered, Action<string> say)
    {
        string vaultId = recovered.Keys.VaultId.ToString();
        try
        {
            Volume.KeepProvenHead(
                new VolumeSettings { StateDirectory = paths.StateOf(vaultId), CacheDirectory = paths.CacheOf(vaultId) }, recovered.Keys, disk, recovered.Head);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            say($"The first mount will read the whole log, as '{paths.StateOf(vaultId)}' could not be written: {error.Message}");
        }
    }

    /// <summary>What somebody typed, taken for what it looks like: recovery keys and pairing codes have checksums, all else is a passphrase.</summary>
    /// <exception cref="DriveException">A code with a typing error.</exception>
    public static JoinSecret ReadSecret(string typed, string? accountKey)
    {
        ArgumentNullException.ThrowIfNull(typed);
        return SecretText.Recovery.IsWellFormed(typed) ? new JoinSecret.RecoveryKey(typed)
            : SecretText.Pairing.IsWellFormed(typed) ? new JoinSecret.PairingCode(typed)
            : SecretText.LooksLikeOne(typed) ? throw new DriveException(DriveError.WrongSecret, "This is no recovery key and no pairing code: a character is mistyped, missing or swapped. Compare it with what was shown.")
            : new JoinSecret.Passphrase(Encode(typed)!, accountKey);
    }

    private static byte[]? Encode(string? passphrase) => passphrase is null ? null : Encoding.UTF8.GetBytes(CanonicalForm.Compose(passphrase));
}
