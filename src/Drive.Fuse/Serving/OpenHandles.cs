using Drive.Core.Volumes;

namespace Drive.Fuse.Serving;

/// <summary>The handles that the kernel holds, so that those left at the end of a mount can be closed.</summary>
internal sealed class OpenHandles(IVolume volume)
{
    private readonly Lock _lock = new();
    private readonly HashSet<HandleId> _files = [];
    private readonly HashSet<HandleId> _directories = [];

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _files.Count + _directories.Count;
            }
        }
    }

    public void AddFile(HandleId handle)
    {
        lock (_lock)
        {
            _files.Add(handle);
        }
    }

    public void AddDirectory(HandleId handle)
    {
        lock (_lock)
        {
            _directories.Add(handle);
        }
    }

    /// <summary>False when the handle is not open.</summary>
    public bool CloseFile(HandleId handle)
    {
        lock (_lock)
        {
            if (!_files.Remove(handle))
            {
                return false;
            }
        }

        volume.Close(handle);
        return true;
    }

    /// <summary>False when the handle is not open.</summary>
    public bool CloseDirectory(HandleId handle)
    {
        lock (_lock)
        {
            if (!_directories.Remove(handle))
            {
                return false;
            }
        }

        volume.CloseDirectory(handle);
        return true;
    }

    public void CloseAll()
    {
        HandleId[] files;
        HandleId[] directories;
        lock (_lock)
        {
            files = [.. _files];
            directories = [.. _directories];
        }

        Array.ForEach(files, handle => CloseFile(handle));
        Array.ForEach(directories, handle => CloseDirectory(handle));
    }
}
