using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Drive.Core.Platform;
using Drive.Disk;

namespace Drive.Backup;

/// <summary>
/// The sets of this device and the reports of their runs, each set in a folder of its own below one of the state directory. Files are for their owner alone and are replaced as a whole; what was put
/// survives a power loss. Threads: all calls may run at once.
/// </summary>
public sealed class BackupSets
{
    /// <summary>Reports that are kept of a set.</summary>
    public const int ReportsMax = 100;

    /// <summary>Reports that keep the list of what could not be read. The others keep its length, so that the file stays small enough to be read each minute.</summary>
    private const int ListsMax = 3;

    private const string SetFile = "set.json";
    private const string ReportsFile = "reports.json";

    private readonly Lock _gate = new();
    private readonly IDisk _disk;

    /// <summary>The sets that a folder holds; it is made when there is something to keep.</summary>
    public BackupSets(string folder, IDisk? disk = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = folder;
        _disk = disk ?? new LocalDisk();
    }

    /// <summary>Where they lie.</summary>
    public string Folder { get; }

    /// <summary>All sets, by name.</summary>
    public IReadOnlyList<BackupSet> All()
    {
        lock (_gate)
        {
            return [.. _disk.List(Folder).Select(name => Read(Path.Combine(Folder, name, SetFile), BackupJson.Default.BackupSet)).OfType<BackupSet>().OrderBy(static set => set.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>A set, or null.</summary>
    public BackupSet? Find(string name)
    {
        lock (_gate)
        {
            return IsName(name) ? Read(Path.Combine(FolderOf(name), SetFile), BackupJson.Default.BackupSet) : null;
        }
    }

    /// <summary>Adds a set, or replaces the one of its name.</summary>
    public void Put(BackupSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        Require(set.Name);
        lock (_gate)
        {
            Write(set.Name, SetFile, set, BackupJson.Default.BackupSet);
        }
    }

    /// <summary>Forgets a set with its reports and what its runs remember. What is in the vault stays.</summary>
    public void Remove(string name)
    {
        lock (_gate)
        {
            if (!IsName(name))
            {
                return;
            }

            // First what makes it a set: what a crash leaves of the rest is nobody's, and goes when a set of this name is removed again.
            DurableFile.Remove(_disk, Path.Combine(FolderOf(name), SetFile));
            foreach (string file in _disk.List(FolderOf(name)))
            {
                _disk.Delete(Path.Combine(FolderOf(name), file));
            }

            _disk.DeleteDirectory(FolderOf(name));
        }
    }

    /// <summary>The reports of a set, newest first.</summary>
    public IReadOnlyList<BackupReport> Reports(string set)
    {
        lock (_gate)
        {
            return IsName(set) ? Read(Path.Combine(FolderOf(set), ReportsFile), BackupJson.Default.ListBackupReport) ?? [] : [];
        }
    }

    /// <summary>Keeps a report as the newest, whatever the clock said meanwhile; one of the same start takes the older one's place.</summary>
    public void AddReport(BackupReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        Require(report.Set);
        lock (_gate)
        {
            List<BackupReport> reports = [.. Reports(report.Set)];
            int older = reports.FindIndex(other => other.Started == report.Started);
            if (older >= 0)
            {
                reports[older] = report;
            }
            else
            {
                reports.Insert(0, report);
            }

            for (int i = ListsMax; i < reports.Count; i++)
            {
                reports[i] = reports[i].Unreadable.Count == 0 ? reports[i] : reports[i] with { Unreadable = [] };
            }

            Write(report.Set, ReportsFile, reports[..Math.Min(reports.Count, ReportsMax)], BackupJson.Default.ListBackupReport);
        }
    }

    internal IDisk Disk => _disk;

    /// <summary>Where runs of a set keep what they remember.</summary>
    internal string FolderOf(string set) => Path.Combine(Folder, set);

    private static bool IsName(string name) =>
        !string.IsNullOrEmpty(name) && name is not ("." or "..") && name.AsSpan().IndexOfAny('/', '\0') < 0 && System.Text.Encoding.UTF8.GetByteCount(name) <= 200;

    private static void Require(string name)
    {
        if (!IsName(name))
        {
            throw new ArgumentException($"'{name}' can't be the name of a set: choose one without '/', of at most 200 bytes.", nameof(name));
        }
    }

    private T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return DurableFile.Read(_disk, path) is { } bytes ? JsonSerializer.Deserialize(bytes, type) : null;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} is damaged: move it away, and add the set anew.", error);
        }
    }

    private void Write<T>(string set, string file, T value, JsonTypeInfo<T> type) =>
        DurableFile.Replace(_disk, Path.Combine(FolderOf(set), file), JsonSerializer.SerializeToUtf8Bytes(value, type));
}

/// <summary>The shape of what is kept.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(BackupSet))]
[JsonSerializable(typeof(List<BackupReport>))]
internal sealed partial class BackupJson : JsonSerializerContext;
