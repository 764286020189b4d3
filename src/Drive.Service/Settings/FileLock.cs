using Drive.Control;

namespace Drive.Service.Settings;

/// <summary>A lock that the kernel gives back when its process ends, however it ends (flock(2)).</summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>The lock, or null when another process holds it. The file stays when it is released: removing it would race with the next one.</summary>
    public static FileLock? TryTake(string path)
    {
        OwnerOnly.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            return new FileLock(OwnerOnly.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception) when (exception.GetType() == typeof(IOException))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
