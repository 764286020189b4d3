namespace Drive.Control;

/// <summary>Files and directories for nobody but their owner: modes 0600 and 0700.</summary>
public static class OwnerOnly
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes a directory with mode 0700; what is there already is left as it is.</summary>
    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, DirectoryMode);
        }
    }

    /// <summary>Makes a directory and insists that nobody else may enter it, for places that others can write next to.</summary>
    public static void ClaimDirectory(string path)
    {
        CreateDirectory(path);
        if (!OperatingSystem.IsWindows())
        {
            if (new DirectoryInfo(path).LinkTarget is not null)
            {
                throw new DriveException(DriveError.Failed, $"'{path}' is a link that somebody else may have put there: remove it.");
            }

            // Fails unless it is ours, which is the point.
            File.SetUnixFileMode(path, DirectoryMode);
        }
    }

    /// <summary>Opens a file; one that is made gets mode 0600.</summary>
    public static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        FileStreamOptions options = new() { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    /// <summary>Takes all rights on a file from others.</summary>
    public static void Restrict(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }
}
