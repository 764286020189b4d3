using System.Security.Cryptography;
using System.Text;
using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Service.Keys;
using Drive.Service.Settings;
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
    private readonly StoreOpener _stores = new(disk, random);

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
        string name, string store, string? passphrase, Action<string> showRecoveryKey, CancellationToken cancellationToken)
    {
        RefuseTakenName(name);
        string place = StoreOpener.Normalize(store);
        return await TranslatedAsync(place, async () =>
        {
            await RefuseStrangeFolderAsync(place);
            await using IObjectStore opened = _stores.Create(place);
            if ((await VaultSetup.ProbeAsync(opened, cancellationToken)).Presence is VaultPresence.Present or VaultPresence.NewerFormat)
            {
                throw new VaultException(VaultErrorKind.AlreadyExists, "");
            }

            using IDisposable? held = StoreLock.Take(opened, name);
            byte[]? secret = Encode(passphrase);
            CreateVaultOptions options = new()
            {
                DeviceName = Environment.MachineName,
                Passphrase = secret,
                PassphraseIterations = secret is null ? PassphraseCost.IterationsMin : PassphraseCost.Calibrate(time),
                ReplaceInterrupted = true,
                RootUid = Linux.Native.EffectiveUser(),
                RootGid = Linux.Native.EffectiveGroup(),
            };
            CreatedVault created = await VaultSetup.CreateAsync(opened, options, time, random, cancellationToken);
            using (created.Keys)
            {
                showRecoveryKey(created.RecoveryKey);
                return await KeepAsync(name, place, created.Keys, secret, cancellationToken);
            }
        });
    }

    /// <summary>Refuses a place that holds no vault that can be opened, before anybody is asked for a secret.</summary>
    public async Task CheckVaultAsync(string store, CancellationToken cancellationToken)
    {
        string place = StoreOpener.Normalize(store);
        await TranslatedAsync(place, async () =>
        {
            await RefuseMissingVaultAsync(place);
            await using IObjectStore opened = _stores.Open(place);
            VaultInfo info = await VaultSetup.ProbeAsync(opened, cancellationToken);
            return info.Presence switch
            {
                VaultPresence.Present => info,
                VaultPresence.NewerFormat => throw new VaultException(VaultErrorKind.NewerFormat, ""),
                VaultPresence.Interrupted => throw new VaultException(VaultErrorKind.Interrupted, ""),
                _ => throw new VaultException(VaultErrorKind.NoVault, ""),
            };
        });
    }

    /// <summary>Opens a vault on this machine from nothing but its recovery key.</summary>
    public async Task<VaultEntry> RecoverAsync(
        string name, string store, string recoveryKey, string? passphrase, Action<string> say, CancellationToken cancellationToken)
    {
        string place = StoreOpener.Normalize(store);
        return await TranslatedAsync(place, async () =>
        {
            await RefuseMissingVaultAsync(place);
            await using IObjectStore opened = _stores.Open(place);
            VaultInfo info = await VaultSetup.ProbeAsync(opened, cancellationToken);
            string? vaultId = info.VaultId?.ToString();
            RefuseKnown(name, vaultId);
            using IDisposable? held = StoreLock.Take(opened, name);
            RecoveredVault recovered = await VaultSetup.RecoverAsync(opened, recoveryKey, Environment.MachineName, null, time, random, cancellationToken);
            using (recovered.Keys)
            {
                SetAsideOldState(recovered.Keys.VaultId.ToString(), say);
                return await KeepAsync(name, place, recovered.Keys, Encode(passphrase), cancellationToken);
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
            throw new DriveException(DriveError.WrongSecret, $"That is not the passphrase of '{entry.Name}': try again, or 'drive recover {entry.Store}' with the recovery key.", exception);
        }
        catch (VaultException exception)
        {
            throw VaultErrors.Translate(exception, entry.Store)!;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(kept);
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Sets a new passphrase: in the vault's slot, and on the keys of this machine.</summary>
    public async Task ChangePassphraseAsync(VaultEntry entry, string? present, string next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        using VaultKeys unlocked = await UnlockAsync(entry, present, cancellationToken);
        await TranslatedAsync(entry.Store, async () =>
        {
            byte[] secret = Encode(next)!;
            int iterations = PassphraseCost.Calibrate(time);
            await using IObjectStore opened = _stores.Open(entry.Store);
            VaultState head = await VaultSetup.ReadHeadAsync(opened, unlocked, random, cancellationToken);
            await VaultSetup.ChangePassphraseAsync(opened, unlocked, head, secret, iterations, random, cancellationToken);
            keys.SaveSealed(entry.Name, unlocked.ExportSealed(secret, random, iterations));
            book.Put(entry with { Keys = KeyPlace.Passphrase });
            await keys.ForgetUnsealedAsync(entry, cancellationToken);
            return entry;
        });
    }

    private async Task<VaultEntry> KeepAsync(string name, string place, VaultKeys vaultKeys, byte[]? passphrase, CancellationToken cancellationToken)
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

        VaultEntry entry = new() { Name = name, Store = place, VaultId = vaultId, Keys = where };
        book.Put(entry);
        return entry;
    }

    // A folder with other things in it is most likely a slip: a vault would be mixed into somebody's documents.
    private async Task RefuseStrangeFolderAsync(string place)
    {
        if (File.Exists(place))
        {
            throw new DriveException(DriveError.BadVault, $"'{place}' is a file: a vault is kept in a folder that is empty or does not exist.");
        }

        IReadOnlyList<string> names = disk.List(place);
        if (names.Count > 0 && !await _stores.IsStoreAsync(place))
        {
            throw new DriveException(DriveError.BadVault, $"'{place}' has other files in it: choose a folder that is empty or does not exist.");
        }
    }

    private async Task RefuseMissingVaultAsync(string place)
    {
        if (disk.DirectoryExists(place) && !await _stores.IsStoreAsync(place))
        {
            throw new DriveException(DriveError.BadVault, $"'{place}' holds no vault: look at the path.");
        }
    }

    private void RefuseKnown(string name, string? vaultId)
    {
        foreach (VaultEntry entry in book.All())
        {
            bool isUsed = disk.List(paths.StateOf(entry.VaultId)).Count > 0;
            if (entry.VaultId == vaultId && isUsed && entry.Keys != KeyPlace.Keyring && File.Exists(keys.FileOf(entry.Name)))
            {
                throw new DriveException(DriveError.InUse, $"This machine knows the vault already as '{entry.Name}': 'drive mount {entry.Name} DIR'.");
            }

            if (entry.Name == name && entry.VaultId != vaultId)
            {
                throw new DriveException(DriveError.InUse, $"'{name}' is the vault in '{entry.Store}' already: choose another name with --name.");
            }
        }
    }

    // Local state is sealed under the keys of the device that wrote it, and this machine is a new device now. It is never deleted unasked.
    private void SetAsideOldState(string vaultId, Action<string> say)
    {
        string state = paths.StateOf(vaultId);
        if (disk.List(state).Count > 0)
        {
            string aside = $"{state}.before-{time.GetUtcNow():yyyyMMdd-HHmmss}";
            disk.Rename(state, aside);
            disk.SyncDirectory(Path.GetDirectoryName(state)!);
            say($"State of an earlier device on this machine was set aside in '{aside}'; it can't be read without that device's keys.");
        }
    }

    private static byte[]? Encode(string? passphrase) => passphrase is null ? null : Encoding.UTF8.GetBytes(CanonicalForm.Compose(passphrase));

    private static async Task<T> TranslatedAsync<T>(string store, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception is not DriveException && VaultErrors.Translate(exception, store) is { } known)
        {
            throw known;
        }
    }
}
