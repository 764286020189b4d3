using System.Text.Json;
using Drive.Control;
using Drive.Core.Platform;

namespace Drive.Service.Settings;

/// <summary>The vaults that this machine knows, in one small file. Changes are made whole and one at a time.</summary>
public sealed class VaultBook(DrivePaths paths, IDisk disk)
{
    /// <summary>All of them, by name.</summary>
    public IReadOnlyList<VaultEntry> All()
    {
        byte[]? content = DurableFile.Read(disk, paths.ConfigFile);
        if (content is null)
        {
            return [];
        }

        VaultFile file;
        try
        {
            file = VaultFile.Parse(content);
        }
        catch (JsonException exception)
        {
            throw new DriveException(DriveError.Failed, $"'{paths.ConfigFile}' is not what Drive wrote (line {exception.LineNumber + 1}): repair or remove it, then 'drive recover'.", exception);
        }

        catch (FormatException exception)
        {
            throw NotOurs(exception);
        }

        return file switch
        {
            { Version: VaultFile.KnownVersion } when file.Vaults.All(IsSound) => file.Vaults,
            { Version: > VaultFile.KnownVersion } => throw new DriveException(DriveError.Failed, $"'{paths.ConfigFile}' was written by a newer Drive: install that version."),
            _ => throw NotOurs(null),
        };
    }

    /// <summary>The vault of that name, or null.</summary>
    public VaultEntry? Find(string name) => All().FirstOrDefault(entry => entry.Name == name);

    /// <summary>The vault of that name, or a refusal that names those there are.</summary>
    public VaultEntry Get(string name)
    {
        IReadOnlyList<VaultEntry> all = All();
        return all.FirstOrDefault(entry => entry.Name == name) ?? throw new DriveException(
            DriveError.NotFound,
            all.Count == 0
                ? $"No vault '{name}': none is known on this machine yet; 'drive up' makes one, 'drive recover STORE' brings one here."
                : $"No vault '{name}': this machine knows {string.Join(", ", all.Select(entry => entry.Name))}.");
    }

    /// <summary>Adds a vault, or replaces the one of that name.</summary>
    public void Put(VaultEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        Change(others => others.Where(other => other.Name != entry.Name).Append(entry));
    }

    /// <summary>Forgets a vault; nothing else is touched.</summary>
    public void Remove(string name) => Change(all => all.Where(entry => entry.Name != name));

    private void Change(Func<IEnumerable<VaultEntry>, IEnumerable<VaultEntry>> change)
    {
        disk.CreateDirectory(paths.Config);
        using IDisposable held = disk.TryLock(Path.Combine(paths.Config, "lock"), "", out _)
            ?? throw new DriveException(DriveError.InUse, "Another drive command is changing the settings: try again.");
        VaultEntry[] vaults = [.. change(All()).OrderBy(other => other.Name, StringComparer.Ordinal)];
        DurableFile.Replace(disk, paths.ConfigFile, new VaultFile(VaultFile.KnownVersion, vaults).Encode());
    }

    private DriveException NotOurs(Exception? exception) =>
        new(DriveError.Failed, $"'{paths.ConfigFile}' is not what Drive wrote: repair or remove it, then 'drive recover'.", exception);

    // Names and ids become file names.
    private static bool IsSound(VaultEntry entry) =>
        entry is { Store.Length: > 0, VaultId.Length: 64 } && VaultName.IsValid(entry.Name) && entry.VaultId.All(char.IsAsciiHexDigitLower);
}
