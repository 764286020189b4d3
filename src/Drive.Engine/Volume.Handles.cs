using Drive.Core;
using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>Open files and directories.</content>
public sealed partial class Volume
{
    private const long DotCookie = 1;
    private const long DotDotCookie = 2;

    /// <summary>Entries offered for one taking of the gate; a kernel's buffer of 4 KiB holds about 25 with attributes.</summary>
    private const int ListedMax = 64;

    /// <summary>How many names that are new since a listing began it may give, beside as many as there were: arbitrary.</summary>
    private const int ListedNewMin = 1000;

    private static readonly byte[] DotName = "."u8.ToArray();
    private static readonly byte[] DotDotName = ".."u8.ToArray();

    [ThreadStatic]
    private static List<Listed>? t_listed;

    private readonly Dictionary<HandleId, Handle> _handles = [];
    private ulong _nextHandle = 1;

    /// <inheritdoc/>
    public FsStatus Open(NodeId node, OpenOptions options, out HandleId handle)
    {
        handle = HandleId.None;
        lock (_gate)
        {
            if (FindNode(node) is not { } found)
            {
                return FsStatus.NotFound;
            }

            if (!found.IsRegular)
            {
                return found.IsDirectory ? FsStatus.IsDirectory : FileMode.IsSymbolicLink(found.Mode) ? FsStatus.Loop : FsStatus.NotSupported;
            }

            bool writes = (options & (OpenOptions.Write | OpenOptions.Truncate)) != 0;
            if (writes && RefusesChanges)
            {
                return FsStatus.ReadOnly;
            }

            if ((options & OpenOptions.Truncate) != 0)
            {
                BeginChange();
                FsStatus status = Resize(found, 0, Now());
                if (status != FsStatus.Ok)
                {
                    return status;
                }

                if ((options & OpenOptions.KillPrivileges) != 0)
                {
                    KillPrivileges(found);
                }

                TouchContent(found, Now());
            }

            handle = AddHandle(found, options);
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public FsStatus Flush(HandleId handle)
    {
        lock (_gate)
        {
            return handle.Node != NodeId.None ? FsStatus.Ok : _handles.TryGetValue(handle, out Handle? open) ? TakeError(open) : FsStatus.BadHandle;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<FsStatus> FsyncAsync(HandleId handle, bool dataOnly, CancellationToken cancellationToken)
    {
        Handle? open = null;
        lock (_gate)
        {
            if (handle != HandleId.None && handle.Node == NodeId.None && !_handles.TryGetValue(handle, out open))
            {
                return FsStatus.BadHandle;
            }
        }

        FsStatus status = Mistakes.Has(Mistake.FsyncSavesNothing) ? FsStatus.Ok : CommitToJournal();
        if (open is not null)
        {
            lock (_gate)
            {
                FsStatus earlier = TakeError(open);
                status = status == FsStatus.Ok ? earlier : status;
            }
        }

        return await ValueTask.FromResult(status);
    }

    /// <inheritdoc/>
    public void Close(HandleId handle)
    {
        lock (_gate)
        {
            if (_handles.Remove(handle, out Handle? open))
            {
                open.Node.OpenCount--;
                TryDrop(open.Node);
            }
        }
    }

    /// <inheritdoc/>
    public FsStatus OpenDirectory(NodeId node, out HandleId handle)
    {
        handle = HandleId.None;
        lock (_gate)
        {
            FsStatus status = FindDirectory(node, out Node directory);
            if (status == FsStatus.Ok)
            {
                handle = AddHandle(directory, OpenOptions.Read);
            }

            return status;
        }
    }

    /// <inheritdoc/>
    public FsStatus ReadDirectory(HandleId handle, long cookie, IDirectoryWriter writer)
    {
        // Entries are taken under the gate some at a time and offered outside it: the writer has locks of its own, under which it may call us.
        List<Listed> batch = t_listed ?? [];
        t_listed = null;
        try
        {
            while (true)
            {
                batch.Clear();
                FsStatus status = TakeListing(handle, cookie, batch);
                if (status != FsStatus.Ok || batch.Count == 0)
                {
                    return status;
                }

                foreach (Listed listed in batch)
                {
                    if (!writer.TryAdd(listed.Name, listed.Attributes, listed.Cookie))
                    {
                        return FsStatus.Ok;
                    }
                }

                cookie = batch[^1].Cookie;
            }
        }
        finally
        {
            t_listed = batch;
        }
    }

    private FsStatus TakeListing(HandleId handle, long cookie, List<Listed> batch)
    {
        while (true)
        {
            ReadAhead(handle, cookie - DotDotCookie);
            lock (_gate)
            {
                if (!_handles.TryGetValue(handle, out Handle? open) || !open.Node.IsDirectory)
                {
                    return FsStatus.BadHandle;
                }

                Node directory = open.Node;
                if (cookie < DotCookie)
                {
                    // What is renamed goes to the end. It may still be given there, but a program that renames all that it is given has to come to an end.
                    (open.ListingNew, open.ListingEnd) = (_nextEntryId, long.MaxValue);
                    batch.Add(new Listed(DotName, Describe(directory), DotCookie));
                }

                if (cookie < DotDotCookie)
                {
                    Node parent = FindNode(directory.Parent == NodeId.None ? NodeId.Root : directory.Parent) ?? directory;
                    batch.Add(new Listed(DotDotName, Describe(parent), DotDotCookie));
                    cookie = DotDotCookie;
                }

                TouchAccess(directory);
                if (directory.LinkCount == 0)
                {
                    return FsStatus.Ok;
                }

                DirectoryEntries entries = directory.Entries ??= new DirectoryEntries(directory.IsNew);
                bool isAtEnd = TakeEntries(open, entries, cookie - DotDotCookie, batch);
                if (batch.Count > 0 || isAtEnd)
                {
                    return FsStatus.Ok;
                }

                // All names of that page are gone.
                cookie = entries.ReadThrough + DotDotCookie;
            }
        }
    }

    /// <summary>Names that are known after one; whether there can be no more behind them.</summary>
    private bool TakeEntries(Handle open, DirectoryEntries entries, long after, List<Listed> batch)
    {
        for (int index = entries.IndexAfter(after); index < entries.Ordered.Count && batch.Count < ListedMax; index++)
        {
            Entry entry = entries.Ordered[index];
            if (open.ListingEnd == long.MaxValue && entry.EntryId >= open.ListingNew)
            {
                open.ListingEnd = open.ListingNew + ListedNewMin + entries.Count;
            }

            if (entry.EntryId >= open.ListingEnd)
            {
                return true;
            }

            if (!entry.IsGone && FindChild(open.Node, entry) is { } node)
            {
                batch.Add(new Listed(entry.Name, Describe(node), entry.EntryId + DotDotCookie));
            }
        }

        return entries.IsComplete;
    }

    /// <inheritdoc/>
    public void CloseDirectory(HandleId handle) => Close(handle);

    /// <summary>The regular file that a handle stands for, and how it was opened.</summary>
    private bool TryFindFile(HandleId handle, out Node node, out OpenOptions opened)
    {
        opened = OpenOptions.Read | OpenOptions.Write;
        if (handle.Node != NodeId.None)
        {
            node = FindNode(handle.Node)!;
            return node is { IsRegular: true };
        }

        bool isOpen = _handles.TryGetValue(handle, out Handle? open);
        node = open?.Node!;
        opened = open?.Options ?? OpenOptions.None;
        return isOpen && node.IsRegular;
    }

    private HandleId AddHandle(Node node, OpenOptions options)
    {
        HandleId id = new(_nextHandle++);
        node.OpenCount++;
        _handles.Add(id, new Handle(node, options) { ErrorsSeen = _errorCount });
        return id;
    }

    /// <summary>An error of a background write since the handle last asked: said once to each handle that was open.</summary>
    private FsStatus TakeError(Handle handle)
    {
        if (handle.ErrorsSeen == _errorCount || (handle.Options & OpenOptions.Write) == 0)
        {
            return FsStatus.Ok;
        }

        handle.ErrorsSeen = _errorCount;
        return _lastWriteError;
    }

    private readonly record struct Listed(byte[] Name, NodeAttributes Attributes, long Cookie);

    private sealed class Handle(Node node, OpenOptions options)
    {
        public Node Node { get; } = node;

        public OpenOptions Options { get; } = options;

        public long ErrorsSeen { get; set; }

        /// <summary>The first number of a name that is new since the listing began: entries are numbered as they come.</summary>
        public long ListingNew { get; set; } = long.MaxValue;

        /// <summary>Where the listing ends that is under way; known when it comes to the first name that is new.</summary>
        public long ListingEnd { get; set; } = long.MaxValue;
    }
}
