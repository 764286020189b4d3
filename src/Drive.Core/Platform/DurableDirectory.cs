namespace Drive.Core.Platform;

/// <summary>A directory that lasts. A file that was synced in a directory whose own name was not is lost with it when the power goes.</summary>
public static class DurableDirectory
{
    private const int NotPermitted = 1;
    private const int Denied = 13;
    private const int Invalid = 22;
    private const int ReadOnly = 30;
    private const int NotSupported = 95;

    /// <summary>
    /// Makes a directory and its parents, and their names durable, also when they are there already: who made them may have died before its sync. A parent that we
    /// may not open is somebody else's, and was there before.
    /// </summary>
    public static void Create(IDisk disk, string path)
    {
        ArgumentNullException.ThrowIfNull(disk);
        disk.CreateDirectory(path);
        for (string? parent = Path.GetDirectoryName(path); !string.IsNullOrEmpty(parent); parent = Path.GetDirectoryName(parent))
        {
            try
            {
                disk.SyncDirectory(parent);
            }
            catch (IOException error) when (error.HResult is NotPermitted or Denied or Invalid or ReadOnly or NotSupported)
            {
                return;
            }
        }
    }
}
