using System.Text.Json;

namespace Drive.Control;

/// <summary>
/// Finds the daemons of this user: each writes a small file into the state directory, so a command finds it even when the two
/// disagree about XDG_RUNTIME_DIR. A record may be stale (the daemon was killed): only a connect tells.
/// </summary>
public static class DaemonRecords
{
    /// <summary>The record of a vault, or null.</summary>
    public static DaemonRecord? Find(DrivePaths paths, string name)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return Read(FileOf(paths, name));
    }

    /// <summary>All records, stale ones too.</summary>
    public static IReadOnlyList<DaemonRecord> All(DrivePaths paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return Directory.Exists(paths.Daemons)
            ? [.. Directory.EnumerateFiles(paths.Daemons, "*.json").Order(StringComparer.Ordinal).Select(Read).OfType<DaemonRecord>()]
            : [];
    }

    /// <summary>Says where a daemon is; replaced as a whole.</summary>
    public static void Write(DrivePaths paths, DaemonRecord record)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(record);
        OwnerOnly.CreateDirectory(paths.Daemons);
        string file = FileOf(paths, record.Name);
        string next = file + ".new";
        using (FileStream stream = File.Create(next))
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("name", record.Name);
            writer.WriteNumber("pid", record.Pid);
            writer.WriteString("socket", record.Socket);
            writer.WriteString("mountpoint", record.Mountpoint);
            writer.WriteEndObject();
        }

        File.Move(next, file, overwrite: true);
    }

    /// <summary>Takes the record back, unless another process wrote it.</summary>
    public static void Remove(DrivePaths paths, DaemonRecord record)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(record);
        if (Find(paths, record.Name) is { } found && found.Pid == record.Pid)
        {
            File.Delete(FileOf(paths, record.Name));
        }
    }

    private static string FileOf(DrivePaths paths, string name) => Path.Combine(paths.Daemons, name + ".json");

    private static DaemonRecord? Read(string file)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            return root.GetProperty("name").GetString() is { } name && root.GetProperty("socket").GetString() is { } socket && root.GetProperty("mountpoint").GetString() is { } mountpoint
                ? new DaemonRecord(name, root.GetProperty("pid").GetInt32(), socket, mountpoint)
                : null;
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }
}
