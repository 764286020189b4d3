using System.ComponentModel;
using System.Diagnostics;
using Drive.Control;

namespace Drive.Service.Linux;

/// <summary>Whether a directory can be mounted on, said before anything is opened.</summary>
internal static class MountPoint
{
    /// <summary>
    /// The absolute path of an empty directory that nothing is mounted on. What a killed daemon left mounted there is taken away first.
    /// </summary>
    public static string Check(string path)
    {
        string full = Resolve(path);
        for (MountLine? there = MountTable.At(full); there is not null; there = MountTable.At(full))
        {
            if (!IsDead(full, there))
            {
                throw new DriveException(DriveError.BadMountPoint, there.Type == MountTable.DriveType
                    ? $"'{full}' is busy: the drive '{there.Source}' is mounted there; 'drive umount {full}' first."
                    : $"'{full}' is busy: '{there.Source}' ({there.Type}) is mounted there; choose another directory.");
            }

            Detach(full);
        }

        return CheckDirectory(full);
    }

    /// <summary>Takes away what a daemon that is gone left mounted there; false when there is no such thing.</summary>
    public static bool DetachDead(string path)
    {
        string full = Resolve(path);
        if (MountTable.At(full) is not { } there || !IsDead(full, there))
        {
            return false;
        }

        Detach(full);
        return true;
    }

    // Mount tables hold paths without symbolic links. The last name is left alone: it may be a dead mount.
    private static string Resolve(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (MountTable.At(full) is not null || Path.GetDirectoryName(full) is not { } parent)
        {
            return full;
        }

        try
        {
            string? link = Directory.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName;
            return link is not null ? Resolve(link) : parent == "/" ? full : Path.Combine(Resolve(parent), Path.GetFileName(full));
        }
        catch (IOException)
        {
            return full;
        }
    }

    private static void Detach(string path)
    {
        if (Native.Unmount(path, Native.Detach) == 0)
        {
            return;
        }

        try
        {
            using Process process = Process.Start(new ProcessStartInfo("fusermount3", ["-u", "-z", "--", path]) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0)
            {
                return;
            }
        }
        catch (Win32Exception)
        {
        }

        throw new DriveException(DriveError.BadMountPoint, $"'{path}' still has the mount of a daemon that is gone, and it can't be taken away: 'sudo umount -l {path}'.");
    }

    private static string CheckDirectory(string full)
    {
        try
        {
            if (!Directory.Exists(full))
            {
                throw new DriveException(DriveError.BadMountPoint, File.Exists(full)
                    ? $"'{full}' is a file: a drive is mounted on an empty directory."
                    : $"'{full}' does not exist: 'mkdir -p {full}' first.");
            }

            if (Directory.EnumerateFileSystemEntries(full).Any())
            {
                throw new DriveException(DriveError.BadMountPoint, $"'{full}' is not empty: mounting would hide what is in it; choose an empty directory.");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DriveException(DriveError.BadMountPoint, $"'{full}' can't be read: give yourself access, or choose another directory.", exception);
        }

        return full;
    }

    private static bool IsDead(string full, MountLine there) =>
        there.Type.StartsWith("fuse", StringComparison.Ordinal) && Native.TryOpenDirectory(full) is Native.ErrorNotConnected or Native.ErrorAborted;
}
