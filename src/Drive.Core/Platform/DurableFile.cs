namespace Drive.Core.Platform;

/// <summary>Small files that are replaced as a whole: after a crash the old or the new one is there, complete.</summary>
public static class DurableFile
{
    /// <summary>The content, or null when there is no such file.</summary>
    public static byte[]? Read(IDisk disk, string path)
    {
        ArgumentNullException.ThrowIfNull(disk);
        using IDiskFile? file = disk.Open(path, DiskOpenMode.Read);
        if (file is null)
        {
            return null;
        }

        byte[] content = new byte[file.Length];
        int length = file.Read(0, content);
        return length == content.Length ? content : content[..length];
    }

    /// <summary>Replaces the file, mode 0600, its directories 0700.</summary>
    public static void Replace(IDisk disk, string path, ReadOnlySpan<byte> content)
    {
        ArgumentNullException.ThrowIfNull(disk);
        string directory = Path.GetDirectoryName(path)!;
        string next = path + ".new";
        DurableDirectory.Create(disk, directory);
        disk.Delete(next);
        using (IDiskFile file = disk.Open(next, DiskOpenMode.CreateNew) ?? throw new IOException($"'{next}' is being written by somebody else."))
        {
            file.Write(0, content);
            file.Sync();
        }

        disk.Rename(next, path);
        disk.SyncDirectory(directory);
    }

    /// <summary>Removes the file for good; nothing when it is not there.</summary>
    public static void Remove(IDisk disk, string path)
    {
        ArgumentNullException.ThrowIfNull(disk);
        if (disk.Delete(path))
        {
            disk.SyncDirectory(Path.GetDirectoryName(path)!);
        }
    }
}
