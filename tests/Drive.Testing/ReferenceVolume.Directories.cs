using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Listing. The cookie of an entry is its id, which counts up, so names that come later come last.</summary>
public sealed partial class ReferenceVolume
{
    private const long SelfCookie = 1;
    private const long ParentCookie = 2;

    /// <summary>About what a kernel takes at once.</summary>
    private const int BatchEntriesMax = 256;

    public FsStatus OpenDirectory(NodeId node, out HandleId handle)
    {
        lock (_lock)
        {
            handle = HandleId.None;
            FsStatus status = FindDirectory(node, out ReferenceNode directory);
            if (status == FsStatus.Ok)
            {
                handle = AddHandle(directory, OpenOptions.Read);
            }

            return status;
        }
    }

    /// <summary>
    /// The writer is called outside the lock: it takes a lock of the adapter's, under which the adapter may be calling this volume.
    /// </summary>
    public FsStatus ReadDirectory(HandleId handle, long cookie, IDirectoryWriter writer)
    {
        List<(byte[] Name, NodeAttributes Attributes, long Cookie)> batch = [];
        do
        {
            batch.Clear();
            FsStatus status = Collect(handle, cookie, batch);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            foreach ((byte[] name, NodeAttributes attributes, long next) in batch)
            {
                if (!writer.TryAdd(name, attributes, next))
                {
                    return FsStatus.Ok;
                }

                cookie = next;
            }
        }
        while (batch.Count > 0);
        return FsStatus.Ok;
    }

    public void CloseDirectory(HandleId handle) => Close(handle);

    private FsStatus Collect(HandleId handle, long cookie, List<(byte[] Name, NodeAttributes Attributes, long Cookie)> batch)
    {
        lock (_lock)
        {
            if (!_handles.TryGetValue(handle, out ReferenceHandle? open) || open.Node.Directory is null)
            {
                return FsStatus.BadHandle;
            }

            if (cookie < 0)
            {
                return FsStatus.Invalid;
            }

            ReferenceNode directory = open.Node;
            if (directory.IsGone)
            {
                return FsStatus.Ok;
            }

            if (!IsReadOnly)
            {
                directory.MarkAccessed(Now());
            }

            if (cookie < SelfCookie)
            {
                batch.Add(("."u8.ToArray(), directory.Describe(), SelfCookie));
            }

            if (cookie < ParentCookie)
            {
                batch.Add((".."u8.ToArray(), _nodes[directory.Directory!.Parent].Describe(), ParentCookie));
            }

            batch.AddRange(directory.Directory!.After(cookie).Take(BatchEntriesMax).Select(entry => (entry.Name, entry.Node.Describe(), entry.Id)));
            return FsStatus.Ok;
        }
    }
}
