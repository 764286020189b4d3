using System.Security.Cryptography;
using System.Text;
using Drive.Control;
using Drive.Core.Platform;
using Drive.Service.Settings;
using Drive.Stores;

namespace Drive.Service.Keys;

/// <summary>
/// Keeps who signs in to stores, by the same rules as keys: in the desktop's keyring where there is one, else in a file of mode 0600 for each store. Nothing of it is in the settings.
/// </summary>
public sealed class StoreLogins
{
    private const string Attribute = "store";

    private readonly KeyStorage _keys;
    private readonly DrivePaths _paths;
    private readonly IDisk _disk;
    private readonly SecretTool _keyring;

    internal StoreLogins(KeyStorage keys, DrivePaths paths, IDisk disk, SecretTool keyring)
    {
        _keys = keys;
        _paths = paths;
        _disk = disk;
        _keyring = keyring;
    }

    /// <summary>Keeps a login, in place of an older one, and says where.</summary>
    public async Task<KeyPlace> SaveAsync(LoginForm form, StoreLogin login, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(form);
        ArgumentNullException.ThrowIfNull(login);
        byte[] secret = Encoding.UTF8.GetBytes($"{login.User}\n{login.Secret}");
        if (_keys.HasKeyring && await _keyring.StoreAsync($"Drive store {form.Key}", Attribute, IdOf(form), secret, cancellationToken))
        {
            DurableFile.Remove(_disk, FileOf(form));
            return KeyPlace.Keyring;
        }

        DurableFile.Replace(_disk, FileOf(form), secret);
        return KeyPlace.File;
    }

    /// <summary>The login that is kept, or null. A file that others may read is refused.</summary>
    public async Task<StoreLogin?> FindAsync(LoginForm form, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(form);
        byte[]? kept = _keys.HasKeyring ? await _keyring.LookupAsync(Attribute, IdOf(form), cancellationToken) : null;
        if (kept is null)
        {
            kept = DurableFile.Read(_disk, FileOf(form));
            if (kept is not null)
            {
                KeyStorage.RefuseOpenFile(FileOf(form));
            }
        }

        return kept is not null && Encoding.UTF8.GetString(kept).Split('\n', 2) is [var user, var secret] ? new StoreLogin(user.Length == 0 ? null : user, secret) : null;
    }

    /// <summary>Forgets a login; false when none was kept.</summary>
    public async Task<bool> RemoveAsync(LoginForm form, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(form);
        bool wasKept = DurableFile.Read(_disk, FileOf(form)) is not null;
        if (_keys.HasKeyring)
        {
            wasKept |= await _keyring.LookupAsync(Attribute, IdOf(form), cancellationToken) is not null;
            await _keyring.ClearAsync(Attribute, IdOf(form), cancellationToken);
        }

        DurableFile.Remove(_disk, FileOf(form));
        return wasKept;
    }

    /// <summary>The file that keeps, or would keep, a login.</summary>
    public string FileOf(LoginForm form) => Path.Combine(_paths.Keys, $"store-{IdOf(form)}.login");

    // A URL makes no file name, and a short part of a sum is enough to tell a user's stores apart.
    private static string IdOf(LoginForm form)
    {
        ArgumentNullException.ThrowIfNull(form);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(form.Key)))[..32];
    }
}
