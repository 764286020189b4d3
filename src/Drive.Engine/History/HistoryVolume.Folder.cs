using System.Text;
using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Vault.Log;

namespace Drive.Engine.History;

/// <content>The folder <c>.snapshots</c>: what its names mean, and listings of directories of the past.</content>
public sealed partial class HistoryVolume
{
    private const long DotCookie = 1;
    private const long DotDotCookie = 2;

    /// <summary>Readable and searchable by whom the root is.</summary>
    private const uint FolderAccess = 0x16D;

    /// <summary>Where the listing of the root goes on that showed the folder: beyond every entry.</summary>
    private const long FolderCookie = long.MaxValue;

    /// <inheritdoc/>
    public FsStatus OpenDirectory(NodeId node, out HandleId handle)
    {
        if (!PastIds.IsPast(node))
        {
            FsStatus opened = _present.OpenDirectory(node, out handle);
            if (opened == FsStatus.Ok && node == NodeId.Root && _isListed)
            {
                lock (_gate)
                {
                    _handles[handle] = new OpenedDirectory(node, []);
                }
            }

            return opened;
        }

        handle = HandleId.None;
        List<string> names = node == PastIds.Folder ? ListFolder() : [];
        if (node != PastIds.Folder)
        {
            FsStatus status = Find(node, out View view, out NodeId past);
            status = status == FsStatus.Ok ? view.Past.OpenDirectory(past, out handle) : status;
            if (status != FsStatus.Ok)
            {
                return status;
            }

            view.Past.Close(handle);
        }

        lock (_gate)
        {
            handle = new HandleId(++_nextHandle);
            _handles[handle] = new OpenedDirectory(node, names);
        }

        return FsStatus.Ok;
    }

    /// <inheritdoc/>
    public FsStatus ReadDirectory(HandleId handle, long cookie, IDirectoryWriter writer)
    {
        if (!IsOfThePast(handle) && !_isListed)
        {
            return _present.ReadDirectory(handle, cookie, writer);
        }

        OpenedDirectory? opened;
        lock (_gate)
        {
            opened = _handles.GetValueOrDefault(handle);
        }

        if (opened is null || opened.Node == NodeId.Root)
        {
            return opened is null ? _present.ReadDirectory(handle, cookie, writer) : ListRoot(handle, cookie, writer);
        }

        if (opened.Node == PastIds.Folder)
        {
            return ListFolder(opened.Names, cookie, writer);
        }

        FsStatus status = Find(opened.Node, out View view, out NodeId past);
        return status == FsStatus.Ok ? view.Past.List(past, cookie, new ShowingWriter(this, view, writer)) : status;
    }

    /// <inheritdoc/>
    public void CloseDirectory(HandleId handle)
    {
        if (IsOfThePast(handle) || _isListed)
        {
            lock (_gate)
            {
                _handles.Remove(handle);
            }
        }

        if (!IsOfThePast(handle))
        {
            _present.CloseDirectory(handle);
        }
    }

    private FsStatus LookupPast(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
    {
        attributes = default;
        if (parent == PastIds.Folder)
        {
            return name.SequenceEqual("."u8) ? DescribeFolder(out attributes)
                : name.SequenceEqual(".."u8) ? _present.GetAttributes(NodeId.Root, out attributes)
                : FileName.Validate(name) is var valid && valid != FsStatus.Ok ? valid
                : DescribeNamed(Encoding.UTF8.GetString(name), out attributes);
        }

        FsStatus status = Find(parent, out View view, out NodeId past);
        if (status == FsStatus.Ok && past == NodeId.Root && name.SequenceEqual(".."u8))
        {
            return DescribeFolder(out attributes);
        }

        status = status == FsStatus.Ok ? view.Past.Lookup(past, name, out attributes) : status;
        return Show(status, view, ref attributes);
    }

    private FsStatus DescribeFolder(out NodeAttributes attributes)
    {
        FsStatus status = _present.GetAttributes(NodeId.Root, out attributes);
        if (status == FsStatus.Ok)
        {
            attributes.Node = PastIds.Folder;
            attributes.Mode = FileMode.Directory | (attributes.Mode & FolderAccess);

            // As where nobody counts them.
            attributes.LinkCount = 1;
        }

        return status;
    }

    /// <summary>The folder that a name in <c>.snapshots</c> leads to.</summary>
    private FsStatus DescribeNamed(string name, out NodeAttributes attributes)
    {
        attributes = default;
        FoundMoment? found = _moments.Find(name);
        lock (_gate)
        {
            if (_named.Count < NamesMax)
            {
                _named[name] = found;
            }
        }

        if (found is not { } moment)
        {
            return FsStatus.NotFound;
        }

        View view = new(_ids.ViewOf(name, moment.Seq), Past(moment.Seq));
        FsStatus status = view.Past.GetAttributes(NodeId.Root, out attributes);
        return Show(status == FsStatus.Stale ? FsStatus.NotFound : status, view, ref attributes);
    }

    private List<string> ListFolder() =>
        [.. _moments.Snapshots.Select(static snapshot => snapshot.Name).Prepend(MomentName.Latest).Concat(_moments.List().Select(static listed => listed.Name)).Distinct()];

    private FsStatus ListFolder(List<string> names, long cookie, IDirectoryWriter writer)
    {
        DescribeFolder(out NodeAttributes folder);
        _present.GetAttributes(NodeId.Root, out NodeAttributes root);
        if ((cookie < DotCookie && !writer.TryAdd("."u8, folder, DotCookie)) || (cookie < DotDotCookie && !writer.TryAdd(".."u8, root, DotDotCookie)))
        {
            return FsStatus.Ok;
        }

        for (long index = Math.Max(0, cookie - DotDotCookie); index < names.Count; index++)
        {
            string name = names[(int)index];
            if (DescribeNamed(name, out NodeAttributes attributes) == FsStatus.Ok && !writer.TryAdd(Encoding.UTF8.GetBytes(name), attributes, index + 1 + DotDotCookie))
            {
                break;
            }
        }

        return FsStatus.Ok;
    }

    /// <summary>The root as it is, and then the folder.</summary>
    private FsStatus ListRoot(HandleId handle, long cookie, IDirectoryWriter writer)
    {
        EndSeeingWriter entries = new(writer);
        FsStatus status = cookie == FolderCookie ? FsStatus.Ok : _present.ReadDirectory(handle, cookie, entries);
        if (status == FsStatus.Ok && cookie != FolderCookie && !entries.IsFull && IsShown(NodeId.Root, FolderName) && DescribeFolder(out NodeAttributes folder) == FsStatus.Ok)
        {
            writer.TryAdd(FolderName, folder, FolderCookie);
        }

        return status;
    }

    /// <summary>A commit came, from here or elsewhere: what names mean that it may change is looked at anew. Called with no lock held.</summary>
    private void NoteCommit()
    {
        List<string> changed = [];
        IVolumeObserver? observer;
        lock (_gate)
        {
            observer = _observer;
            long head = _moments.Head;
            List<MomentRow> come = [.. _moments.Read(_headSeen + 1, head)];
            long earliest = come.Count == 0 ? long.MaxValue : come.Min(static moment => moment.Time);
            _headSeen = head;
            Dictionary<string, long> snapshots = _moments.Snapshots.ToDictionary(static snapshot => snapshot.Name, static snapshot => snapshot.Seq);
            foreach ((string name, FoundMoment? known) in _named)
            {
                bool isSame = snapshots.TryGetValue(name, out long seq)
                    ? known is { } named && named.Seq == seq
                    : known is { Moves: false } moment && moment.Until is { } until && Moments.TimeOf(earliest) > until && _moments.IsKept(moment.Seq);
                if (!isSame && _moments.Find(name)?.Seq != known?.Seq)
                {
                    changed.Add(name);
                }
            }

            changed.ForEach(name => _named.Remove(name));
        }

        foreach (string name in changed)
        {
            observer?.EntryChanged(PastIds.Folder, Encoding.UTF8.GetBytes(name));
        }

        if (changed.Count > 0)
        {
            observer?.NodeChanged(PastIds.Folder, contentChanged: true);
        }
    }

    /// <summary>An open directory of the past, or the root when its listing shows the folder.</summary>
    private sealed record OpenedDirectory(NodeId Node, List<string> Names);

    private sealed class ShowingWriter(HistoryVolume history, View view, IDirectoryWriter inner) : IDirectoryWriter
    {
        public bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie)
        {
            NodeAttributes shown = attributes;
            return history.Show(FsStatus.Ok, view, ref shown) != FsStatus.Ok || inner.TryAdd(name, shown, nextCookie);
        }
    }

    private sealed class EndSeeingWriter(IDirectoryWriter inner) : IDirectoryWriter
    {
        public bool IsFull { get; private set; }

        public bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie)
        {
            IsFull = !inner.TryAdd(name, attributes, nextCookie);
            return !IsFull;
        }
    }
}
