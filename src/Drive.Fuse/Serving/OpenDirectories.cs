using Drive.Core.Volumes;

namespace Drive.Fuse.Serving;

/// <summary>The directories that the kernel has open, so that those left at the end of a mount can be closed.</summary>
internal sealed class OpenDirectories(IVolume volume)
{
    private readonly Lock _lock = new();
    private readonly HashSet<HandleId> _handles = [];

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _handles.Count;
            }
        }
    }

    public void Add(HandleId handle)
    {
        lock (_lock)
        {
            _handles.Add(handle);
        }
    }

    /// <summary>False when the handle is not open.</summary>
    public bool Close(HandleId handle)
    {
        lock (_lock)
        {
            if (!_handles.Remove(handle))
            {
                return false;
            }
        }

        volume.CloseDirectory(handle);
        return true;
    }

    public void CloseAll()
    {
        HandleId[] handles;
        lock (_lock)
        {
            handles = [.. _handles];
        }

        Array.ForEach(handles, handle => Close(handle));
    }
}
