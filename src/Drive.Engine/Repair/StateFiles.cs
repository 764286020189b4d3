using System.Globalization;
using Drive.Core.Platform;
using Drive.Metadata;

namespace Drive.Engine.Repair;

/// <summary>The database's files in a state directory: where they are, whether they are missing, and how a new database takes the place of an old one.</summary>
internal sealed class StateFiles(IDisk disk, string directory)
{
    public const string DirtyLog = "dirty";
    private const string Name = "metadata.db";
    private const string Wal = "-wal";
    private const string UnfinishedName = Name + ".rebuilding";
    private const string SalvageName = Name + ".salvage";
    private const string AsidePrefix = Name + ".damaged-";

    public string Database => Path.Combine(directory, Name);

    /// <summary>Where the new one is built.</summary>
    public string Unfinished => Path.Combine(directory, UnfinishedName);

    /// <summary>
    /// Why the database, which is not there or empty, cannot be a new one: something else of this device's state is there. Null when all is new, or the database has bytes.
    /// </summary>
    public string? FindMissing()
    {
        IReadOnlyList<string> names = disk.List(directory);
        if (names.Contains(Name) && LengthOf(Database) > 0)
        {
            return null;
        }

        bool hasMore = names.Any(name => name == Name + Wal ? LengthOf(Database + Wal) > 0 : name.StartsWith(AsidePrefix, StringComparison.Ordinal))
            || disk.List(Path.Combine(directory, DirtyLog)).Any(static name => name.EndsWith(".log", StringComparison.Ordinal));
        return hasMore ? "The local database is missing, though there is a dirty log." : null;
    }

    public void DeleteUnfinished() => DeleteDatabase(Unfinished);

    /// <summary>What can be read of the database that is there, or of the one that was put aside last.</summary>
    public MetadataSalvage? Salvage(ReadOnlySpan<byte> key)
    {
        string? source = LengthOf(Database) > 0 ? Database
            : disk.List(directory).Where(static name => name.StartsWith(AsidePrefix, StringComparison.Ordinal) && !name.EndsWith(Wal, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal).LastOrDefault() is { } aside ? Path.Combine(directory, aside) : null;
        if (source is null)
        {
            return null;
        }

        string copy = Path.Combine(directory, SalvageName);
        DeleteDatabase(copy);
        try
        {
            Copy(source, copy);
            Copy(source + Wal, copy + Wal);
            return MetadataSalvage.Read(copy, key);
        }
        finally
        {
            DeleteDatabase(copy);
        }
    }

    /// <summary>
    /// The new database, closed and durable, takes the place of the old one, whose files get names that say when. In this order: at any moment there is the old
    /// database with its WAL, or none, or the new one alone. Returns the old one's new path.
    /// </summary>
    public string? Swap(DateTimeOffset now)
    {
        if (LengthOf(Unfinished + Wal) > 0)
        {
            throw new IOException($"{Unfinished} could not be closed; the old state is as it was.");
        }

        disk.Delete(Unfinished + Wal);
        string aside = Path.Combine(directory, AsidePrefix + now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        for (int i = 2; disk.List(directory).Contains(Path.GetFileName(aside)); i++)
        {
            aside = Path.Combine(directory, $"{AsidePrefix}{now:yyyyMMdd-HHmmss}-{i}");
        }

        bool isThere = false;
        foreach (string suffix in (string[])["", Wal, "-journal", "-shm"])
        {
            if (disk.List(directory).Contains(Name + suffix))
            {
                disk.Rename(Database + suffix, aside + suffix);
                disk.SyncDirectory(directory);
                isThere = true;
            }
        }

        disk.Rename(Unfinished, Database);
        disk.SyncDirectory(directory);
        return isThere ? aside : null;
    }

    /// <summary>
    /// The new database, closed and durable, takes the place of the old one, which is closed and held nothing that is missed. One rename: at any moment there is the
    /// one or the other.
    /// </summary>
    public void Replace()
    {
        if (LengthOf(Unfinished + Wal) > 0 || LengthOf(Database + Wal) > 0)
        {
            throw new IOException($"{Database} could not be closed; the old state is as it was.");
        }

        disk.Delete(Unfinished + Wal);
        disk.Delete(Database + Wal);
        disk.SyncDirectory(directory);
        disk.Rename(Unfinished, Database);
        disk.SyncDirectory(directory);
    }

    private long LengthOf(string path)
    {
        using IDiskFile? file = disk.Open(path, DiskOpenMode.Read);
        return file?.Length ?? 0;
    }

    private void DeleteDatabase(string path)
    {
        foreach (string suffix in (string[])["", Wal, "-journal", "-shm"])
        {
            disk.Delete(path + suffix);
        }
    }

    private void Copy(string path, string newPath)
    {
        using IDiskFile? from = disk.Open(path, DiskOpenMode.Read);
        if (from is null)
        {
            return;
        }

        using IDiskFile to = disk.Open(newPath, DiskOpenMode.CreateNew)!;
        byte[] buffer = new byte[1 << 20];
        for (long offset = 0; from.Read(offset, buffer) is > 0 and var count; offset += count)
        {
            to.Write(offset, buffer.AsSpan(0, count));
        }
    }
}
