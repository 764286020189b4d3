using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Listing. The cookie of an entry is its id, which counts up, so names that come later come last.</summary>
public sealed partial class ReferenceVolume
{
    private const long SelfCookie = 1;
    private const long ParentCookie = 2;

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

    public FsStatus ReadDirectory(HandleId handle, long cookie, IDirectoryWriter writer)
    {
        lock (_lock)
        {
            if (!_handles.TryGetValue(handle, out ReferenceHandle? open) || open.Node.Directory is null)
            {
                return FsStatus.BadHandle;
            }

            ReferenceNode directory = open.Node;
            if (cookie < 0)
            {
                return FsStatus.Invalid;
            }

            if (directory.IsGone)
            {
                return FsStatus.Ok;
            }

            if (!IsReadOnly)
            {
                directory.MarkAccessed(Now());
            }

            List(directory, cookie, writer);
            return FsStatus.Ok;
        }
    }

    public void CloseDirectory(HandleId handle) => Close(handle);

    private void List(ReferenceNode directory, long cookie, IDirectoryWriter writer)
    {
        if (cookie < SelfCookie && !writer.TryAdd("."u8, directory.Describe(), SelfCookie))
        {
            return;
        }

        ReferenceNode parent = _nodes[directory.Directory!.Parent];
        if (cookie < ParentCookie && !writer.TryAdd(".."u8, parent.Describe(), ParentCookie))
        {
            return;
        }

        foreach (ReferenceEntry entry in directory.Directory.After(cookie))
        {
            if (!writer.TryAdd(entry.Name, entry.Node.Describe(), entry.Id))
            {
                return;
            }
        }
    }
}
