namespace Drive.Control;

/// <summary>Directories that only their owner may enter.</summary>
public static class PrivateDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes a directory with mode 0700; what is there already is left as it is.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
    }

    /// <summary>Makes a directory and insists that nobody else may enter it, for places that others can write next to.</summary>
    public static void CreateExclusive(string path)
    {
        Create(path);
        if (!OperatingSystem.IsWindows())
        {
            if (new DirectoryInfo(path).LinkTarget is not null)
            {
                throw new DriveException(DriveError.Failed, $"'{path}' is a link that somebody else may have put there: remove it.");
            }

            // Fails unless it is ours, which is the point.
            File.SetUnixFileMode(path, OwnerOnly);
        }
    }
}
