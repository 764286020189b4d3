using System.Text;
using Drive.Backup.Remembering;
using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Runs;

/// <summary>
/// One run of a set: goes through its folders in order beside what the last run remembers and what the vault has, and gathers what differs in batches; while one is brought into the vault, the next is read. What
/// can't be read stays in the vault as it is.
/// </summary>
internal sealed class BackupRun(
    IVolume volume, IContentImport import, BackupSet set, BackupOptions options, SetPaths paths, RunIndex index, RunTally tally, FileReader reader, RunSample sample, Action<BackupProgress>? progress)
{
    private const string IgnoreFile = ".driveignore";
    private const int IgnoreBytesMax = 1 << 20;

    /// <summary>Files between two words of progress. Arbitrary.</summary>
    private const int ProgressFiles = 256;

    private static readonly byte[] IgnoreName = Encoding.ASCII.GetBytes(IgnoreFile);

    private readonly RunApplier _applier = new(volume, import, index, tally, sample);
    private readonly RunHeap _heap = new();
    private RunBatch _batch = new();
    private Task _applying = Task.CompletedTask;

    /// <summary>Makes the directory in the vault be what the set's folders are.</summary>
    public async Task RunAsync(VaultEntry top, CancellationToken cancellationToken)
    {
        reader.Moving = Say;
        byte[] root = [(byte)'/'];
        RunFolder folder = new()
        {
            Path = root,
            Name = [],
            Parent = null,
            Source = SourceTree.Look(root),
            Entry = top,
            Node = top.Node,
            Left = VaultListing.Read(volume, top.Node),
            IsAncestor = !paths.IsPath(root),
        };
        if (!folder.IsAncestor)
        {
            folder = WithRules(folder);
        }

        try
        {
            await WalkAsync(folder, cancellationToken);
            await TakeWithinAsync(root, CountGoneAsync, cancellationToken);
            await TurnBatchAsync(cancellationToken);
            await _applying;
        }
        finally
        {
            // Whatever ended it: nothing goes on behind its back.
            await _applying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_batch.Import is { } left)
            {
                await left.DisposeAsync();
            }
        }
    }

    private async Task WalkAsync(RunFolder folder, CancellationToken cancellationToken)
    {
        List<byte[]> names;
        try
        {
            names = folder.IsAncestor ? paths.NamesIn(folder.Path) : SourceTree.List(folder.Path);
        }
        catch (TreeException error)
        {
            tally.AddUnreadable(folder.Path, error.Message);
            await KeepAsync(folder.Path, cancellationToken);
            if (folder.Entry is null)
            {
                Make(folder);
                Settle(folder);
            }

            return;
        }

        if (folder.Entry is null)
        {
            Make(folder);
        }

        if (folder.Rules is { } rules && names.Exists(static name => name.AsSpan().SequenceEqual(IgnoreName)))
        {
            folder.Rules = rules.Enter(folder.Relative, ReadIgnored(folder));
        }

        foreach (byte[] name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await VisitAsync(folder, name, cancellationToken);
            if (_batch.IsFull)
            {
                await TurnBatchAsync(cancellationToken);
            }
        }

        foreach (byte[] name in folder.Left.Keys)
        {
            folder.IsTouched = true;
            _batch.Add(new RemoveStep(folder, name));
        }

        IndexRecord? record = await TakeAsync(folder.Path, isFolderEnd: true, cancellationToken);
        bool isAsLeft = !folder.IsTouched && folder.Entry is { } entry
            && (folder.IsAncestor ? IsSameAncestor(folder.Source, entry) : record is not null && IsAsLeft(record, folder.Source, entry));
        if (!isAsLeft)
        {
            Settle(folder);
        }
        else if (record is not null)
        {
            _batch.Add(new RememberStep(record));
        }
    }

    private async ValueTask VisitAsync(RunFolder folder, byte[] name, CancellationToken cancellationToken)
    {
        byte[] path = SourcePath.Join(folder.Path, name);
        bool isPath = folder.IsAncestor && paths.IsPath(path);
        if (paths.IsNever(path))
        {
            await LeaveOutAsync(path, cancellationToken);
            return;
        }

        SourceNode source;
        try
        {
            // What a person named is meant, also where a link leads there.
            source = SourceTree.Look(path, follows: folder.IsAncestor);
        }
        catch (TreeException error) when (error.IsGone && !folder.IsAncestor)
        {
            return;
        }
        catch (TreeException error)
        {
            // A disk that is not there says nothing of what is on it.
            tally.AddUnreadable(path, error.Message);
            folder.Left.Remove(name);
            await KeepAsync(path, cancellationToken);
            return;
        }

        string relative = folder.IsAncestor ? "" : folder.Relative.Length == 0 || folder.Rules is null ? SourcePath.Show(name) : $"{folder.Relative}/{SourcePath.Show(name)}";
        if (!folder.IsAncestor && folder.Rules?.IsExcluded(relative, source.IsDirectory) == true)
        {
            await LeaveOutAsync(path, cancellationToken);
            return;
        }

        bool isThere = folder.Left.Remove(name, out VaultEntry entry);
        if (source.IsDirectory)
        {
            RunFolder child = new()
            {
                Path = path,
                Name = name,
                Parent = folder,
                Source = source,
                Entry = isThere && entry.IsDirectory ? entry : null,
                Node = isThere && entry.IsDirectory ? entry.Node : NodeId.None,
                Left = isThere && entry.IsDirectory ? VaultListing.Read(volume, entry.Node) : [],
                IsAncestor = folder.IsAncestor && !isPath,
                RootDevice = folder.RootDevice,
                Relative = relative,
                Rules = folder.Rules,
            };
            if (!folder.IsAncestor && set.IsOneFileSystem && source.Device != folder.RootDevice)
            {
                // Where another file system is mounted, the set has the empty folder.
                child = child with { IsAncestor = true, Rules = null };
            }

            await WalkAsync(isPath ? WithRules(child) : child, cancellationToken);
        }
        else if (folder.IsAncestor && !isPath)
        {
            tally.AddUnreadable(path, "It is no folder.");
            await KeepAsync(path, cancellationToken);
        }
        else if (source.IsRegular)
        {
            await VisitFileAsync(folder, name, path, source, isThere ? entry : null, cancellationToken);
        }
        else
        {
            await VisitOtherAsync(folder, name, path, source, isThere ? entry : null, cancellationToken);
        }
    }

    private async ValueTask VisitFileAsync(RunFolder folder, byte[] name, byte[] path, SourceNode source, VaultEntry? entry, CancellationToken cancellationToken)
    {
        if (set.FileBytesMax is { } max && source.Size > max)
        {
            if (entry is { } tooLarge)
            {
                folder.Left[name] = tooLarge;
            }

            await LeaveOutAsync(path, cancellationToken);
            return;
        }

        IndexRecord? record = await TakeAsync(path, isFolderEnd: false, cancellationToken);
        bool isNew = record is null or { Fate: FileFate.New };
        bool isAsLeft = record is not null && entry is { } there && IsAsLeft(record, source, there) && there.Size == source.Size;
        tally.Files++;
        tally.Bytes += source.Size;
        tally.Met += isNew ? 0 : 1;
        if (tally.Files % ProgressFiles == 0)
        {
            Say(path);
        }

        if (isAsLeft && !options.IsParanoid)
        {
            Remember(record!, path, source);
            return;
        }

        FileContent content;
        IReadOnlyList<(byte[] Name, byte[] Value)> xattrs;
        long before = reader.ReadBytes;
        try
        {
            _batch.Import ??= await import.BeginImportAsync(cancellationToken);
            content = await reader.ReadAsync(path, _batch.Import, cancellationToken);
            xattrs = AccessLists.Keep(SourceTree.ReadXattrs(path));
        }
        catch (TreeException error)
        {
            // Gone since it was listed, or not to be read: what the vault has of the latter stays.
            if (error.IsGone)
            {
                RestoreLeft(folder, name, entry);
                if (record is not null)
                {
                    await CountGoneAsync(record, cancellationToken);
                }

                return;
            }

            tally.AddUnreadable(path, error.Message);
            if (record is not null)
            {
                _batch.Add(new RememberStep(record with { ChangeTime = 0, LacksXattrs = false }));
            }

            return;
        }
        finally
        {
            _batch.ReadBytes += reader.ReadBytes - before;
        }

        if (isAsLeft && content.IsSteady && Shows(entry!.Value.Node, content))
        {
            Remember(record!, path, source);
            return;
        }

        if (!content.IsSteady)
        {
            tally.AddUnreadable(path, "It changed again and again while it was read: what was read last is kept, and the next run reads it anew.");
        }

        // One that only its links or its name's folder moved is no changed file; what its attributes can't tell counts as one.
        bool isChanged = record is not null && (record.Fate == FileFate.Changed || record.Size != content.Source.Size || record.ModifyTime != content.Source.ModifyTime || isAsLeft || (record.ChangeTime != content.Source.ChangeTime && record.ChangeTime != 0));
        FileFate fate = isNew ? FileFate.New : isChanged ? FileFate.Changed : FileFate.Same;
        Count(fate);
        folder.IsTouched |= entry is not { } same || !same.HasType(source.Mode) || same.Links > 1 || source.Links > 1;
        _batch.Add(new PutFileStep(folder, name, content, xattrs, fate));
        Say(path);
    }

    private async ValueTask VisitOtherAsync(RunFolder folder, byte[] name, byte[] path, SourceNode source, VaultEntry? entry, CancellationToken cancellationToken)
    {
        IndexRecord? record = await TakeAsync(path, isFolderEnd: false, cancellationToken);
        if (record is not null && entry is { } there && IsAsLeft(record, source, there))
        {
            _batch.Add(new RememberStep(record));
            return;
        }

        try
        {
            byte[]? target = source.IsSymbolicLink ? SourceTree.ReadLink(path) : null;
            IReadOnlyList<(byte[] Name, byte[] Value)> xattrs = AccessLists.Keep(SourceTree.ReadXattrs(path));
            folder.IsTouched = true;
            _batch.Add(new PutOtherStep(folder, name, source, target, xattrs));
        }
        catch (TreeException error) when (error.IsGone)
        {
            RestoreLeft(folder, name, entry);
        }
        catch (TreeException error)
        {
            tally.AddUnreadable(path, error.Message);
        }
    }

    /// <summary>Whether both sides are as the last run left them.</summary>
    private static bool IsAsLeft(IndexRecord record, in SourceNode source, in VaultEntry entry) =>
        record.IsUnchanged(source) && record.Node == entry.Node.Value && entry.HasType(source.Mode) && (record.VaultChangeTime == 0 || record.VaultChangeTime == entry.ChangeTime);

    /// <summary>The times of a folder that only leads to the set tell of what else is in it: they alone are no change.</summary>
    private static bool IsSameAncestor(in SourceNode source, in VaultEntry entry) => source.Mode == entry.Mode && source.Uid == entry.Uid && source.Gid == entry.Gid;

    private void Remember(IndexRecord record, byte[] path, in SourceNode source)
    {
        Count(record.Fate);
        sample.Offer(path, source, new NodeId(record.Node));
        _batch.Add(new RememberStep(record));
    }

    private bool Shows(NodeId node, FileContent content)
    {
        List<StoredPiece> stored = [];
        if (import.ListStored(node, stored) != FsStatus.Ok || stored.Count != content.Pieces.Count)
        {
            return false;
        }

        for (int i = 0; i < stored.Count; i++)
        {
            if (new ContentPiece(stored[i].Offset, stored[i].Length, stored[i].Block) != content.Pieces[i] || stored[i].BlockOffset != 0)
            {
                return false;
            }
        }

        return true;
    }

    private void Make(RunFolder folder)
    {
        folder.Parent!.IsTouched = true;
        folder.IsTouched = true;
        _batch.Add(new MakeFolderStep(folder));
    }

    private void Settle(RunFolder folder)
    {
        IReadOnlyList<(byte[] Name, byte[] Value)> xattrs = [];
        try
        {
            xattrs = AccessLists.Keep(SourceTree.ReadXattrs(folder.Path));
        }
        catch (TreeException error)
        {
            if (!error.IsGone)
            {
                tally.AddUnreadable(folder.Path, $"Its extended attributes can't be read: {error.Message}");
            }
        }

        _batch.Add(new SettleFolderStep(folder, xattrs));
    }

    /// <summary>What can't be looked at stays as the last run left it.</summary>
    private ValueTask KeepAsync(byte[] path, CancellationToken cancellationToken) =>
        TakeWithinAsync(path, (record, token) => record.Fate == FileFate.Gone ? CountGoneAsync(record, token) : AddAsync(new RememberStep(record), token), cancellationToken);

    /// <summary>What is not to be in the set: no record of it counts as a file that vanished.</summary>
    private ValueTask LeaveOutAsync(byte[] path, CancellationToken cancellationToken) => TakeWithinAsync(path, static (_, _) => ValueTask.CompletedTask, cancellationToken);

    /// <summary>What is remembered of a path that is there; what stands before it is gone.</summary>
    private async ValueTask<IndexRecord?> TakeAsync(byte[] path, bool isFolderEnd, CancellationToken cancellationToken)
    {
        await PassAsync(path, isFolderEnd, cancellationToken);

        // One that is back after a run that was ended found it gone is new.
        return index.Take(path, isFolderEnd) is { Fate: not FileFate.Gone } record ? record : null;
    }

    private async ValueTask PassAsync(byte[] path, bool isFolderEnd, CancellationToken cancellationToken)
    {
        while (index.TakeBefore(path, isFolderEnd) is { } gone)
        {
            await CountGoneAsync(gone, cancellationToken);
        }
    }

    private async ValueTask TakeWithinAsync(byte[] path, Func<IndexRecord, CancellationToken, ValueTask> within, CancellationToken cancellationToken)
    {
        await PassAsync(path, isFolderEnd: false, cancellationToken);
        while (index.TakeWithin(path) is { } record)
        {
            await within(record, cancellationToken);
        }
    }

    private static void RestoreLeft(RunFolder folder, byte[] name, VaultEntry? entry)
    {
        if (entry is { } gone)
        {
            folder.Left[name] = gone;
        }
    }

    private void Count(FileFate fate)
    {
        tally.New += fate == FileFate.New ? 1 : 0;
        tally.Changed += fate == FileFate.Changed ? 1 : 0;
    }

    /// <summary>Remembered until a run is through: the vault and this machine do not tell of it any more.</summary>
    private async ValueTask CountGoneAsync(IndexRecord record, CancellationToken cancellationToken)
    {
        if (record.IsFile && record.Fate != FileFate.New)
        {
            tally.Gone++;
            await AddAsync(new RememberStep(record with { Fate = FileFate.Gone }), cancellationToken);
        }
    }

    private async ValueTask AddAsync(RunStep step, CancellationToken cancellationToken)
    {
        _batch.Add(step);
        if (_batch.IsFull)
        {
            await TurnBatchAsync(cancellationToken);
        }
    }

    private RunFolder WithRules(RunFolder folder) => folder with { RootDevice = folder.Source.Device, Relative = "", Rules = options.Rules?.Invoke(set, SourcePath.Show(folder.Path)) };

    private List<string> ReadIgnored(RunFolder folder)
    {
        byte[] path = SourcePath.Join(folder.Path, IgnoreName);
        try
        {
            using SourceFile file = SourceFile.Open(path);
            byte[] text = new byte[(int)Math.Min(IgnoreBytesMax, file.Look().Size)];
            int length = file.Read(0, text);
            return [.. Encoding.UTF8.GetString(text, 0, length).Split('\n').Select(static line => line.TrimEnd('\r'))];
        }
        catch (TreeException error)
        {
            tally.AddUnreadable(path, error.Message);
            return [];
        }
    }

    private void Say(byte[] path) => progress?.Invoke(new BackupProgress(tally.Files, tally.Bytes, reader.ReadBytes, tally.Sent + (_batch.Import?.SentBytes ?? 0), SourcePath.Show(path)));

    /// <summary>Begins to bring what was gathered into the vault, when the batch before is there.</summary>
    private async Task TurnBatchAsync(CancellationToken cancellationToken)
    {
        await _applying;
        _heap.Settle();
        RunBatch full = _batch;
        _batch = new RunBatch();
        _applying = Task.Run(() => _applier.ApplyAsync(full, cancellationToken), CancellationToken.None);
    }
}
