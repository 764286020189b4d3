using Drive.Control;
using Drive.Core.Platform;
using Drive.Service.Settings;

namespace Drive.Service.Keys;

/// <summary>
/// Keeps this machine's keys to its vaults: in the desktop's keyring where there is one, else in a file of mode 0600. Keys that a passphrase
/// seals always lie in the file. With DRIVE_HOME nothing lies outside it, so no keyring is used.
/// </summary>
public sealed class KeyStorage
{
    private const string VaultAttribute = "vault";
    private const UnixFileMode OthersMayRead = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly DrivePaths _paths;
    private readonly IDisk _disk;
    private readonly Func<string, string?> _environment;
    private readonly SecretTool _keyring;

    public KeyStorage(DrivePaths paths, IDisk disk, TimeProvider time, Func<string, string?> environment)
    {
        _paths = paths;
        _disk = disk;
        _environment = environment;
        _keyring = new SecretTool(time);
        Logins = new StoreLogins(this, paths, disk, _keyring);
    }

    /// <summary>Who signs in to stores.</summary>
    public StoreLogins Logins { get; }

    /// <summary>Whether <see cref="SaveAsync"/> will try the keyring first.</summary>
    public bool HasKeyring => !_paths.IsSelfContained && SecretTool.IsPresent(_environment);

    /// <summary>The file that keeps, or would keep, the keys of a vault.</summary>
    public string FileOf(string name) => Path.Combine(_paths.Keys, name + ".key");

    /// <summary>Keeps keys that nothing else protects, and says where.</summary>
    public async Task<KeyPlace> SaveAsync(string name, string vaultId, byte[] keys, CancellationToken cancellationToken)
    {
        if (HasKeyring && await _keyring.StoreAsync($"Drive vault {name}", VaultAttribute, vaultId, keys, cancellationToken))
        {
            // A file of earlier days would outlive the keyring's protection.
            DurableFile.Remove(_disk, FileOf(name));
            return KeyPlace.Keyring;
        }

        DurableFile.Replace(_disk, FileOf(name), keys);
        return KeyPlace.File;
    }

    /// <summary>Keeps keys that a passphrase seals.</summary>
    public void SaveSealed(string name, byte[] sealedKeys) => DurableFile.Replace(_disk, FileOf(name), sealedKeys);

    /// <summary>Takes the unsealed keys out of the keyring, once sealed ones are kept.</summary>
    public async Task ForgetUnsealedAsync(VaultEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Keys == KeyPlace.Keyring)
        {
            await _keyring.ClearAsync(VaultAttribute, entry.VaultId, cancellationToken);
        }
    }

    /// <summary>The keys as they were kept; sealed ones still sealed.</summary>
    public async Task<byte[]> LoadAsync(VaultEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Keys == KeyPlace.Keyring)
        {
            return await _keyring.LookupAsync(VaultAttribute, entry.VaultId, cancellationToken) ?? throw new DriveException(
                DriveError.WrongSecret,
                $"The desktop's keyring does not give the key of '{entry.Name}': log in to the desktop and unlock it, or 'drive recover {entry.Where}'.");
        }

        string file = FileOf(entry.Name);
        byte[] keys = DurableFile.Read(_disk, file) ?? throw new DriveException(
            DriveError.WrongSecret, $"'{file}' is missing: bring it back, or 'drive recover {entry.Where}' with the recovery key.");
        RefuseOpenFile(file);
        return keys;
    }

    /// <summary>Refuses a file with a secret that others may read.</summary>
    internal static void RefuseOpenFile(string file)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & OthersMayRead) != 0)
        {
            throw new DriveException(DriveError.WrongSecret, $"Others may read '{file}': 'chmod 600' it, and think about who did.");
        }
    }

    /// <summary>Copies keys that are about to be replaced into a file beside: what the device had not sent opens with nothing else.</summary>
    public async Task SetAsideAsync(VaultEntry entry, string suffix, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        byte[]? kept = entry.Keys == KeyPlace.Keyring ? await _keyring.LookupAsync(VaultAttribute, entry.VaultId, cancellationToken) : DurableFile.Read(_disk, FileOf(entry.Name));
        if (kept is not null)
        {
            DurableFile.Replace(_disk, FileOf(entry.Name) + suffix, kept);
        }
    }

    /// <summary>Where keys are, in words for people.</summary>
    public string Describe(VaultEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Keys switch
        {
            KeyPlace.Keyring => "the desktop's keyring",
            KeyPlace.Passphrase => $"'{FileOf(entry.Name)}', sealed by the passphrase",
            KeyPlace.File => $"'{FileOf(entry.Name)}' (mode 0600)",
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }
}
