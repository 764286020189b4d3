using System.Text;
using Drive.Backup.Remembering;
using Drive.Backup.Source;
using Drive.Core.Volumes;

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
            index.TakeWithin(root, CountGone, CountGone);
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
        catch (SourceException error)
        {
            tally.AddUnreadable(folder.Path, error.Message);
            Keep(folder.Path);
            if (folder.Entry is null)
            {
                Make(folder);
                Settle(folder, wasChanged: false);
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

        IndexRecord? record = index.Take(folder.Path, isFolderEnd: true, CountGone);
        bool isAsLeft = !folder.IsTouched && folder.Entry is { } entry
            && (folder.IsAncestor ? IsSameAncestor(folder.Source, entry) : record is not null && IsAsLeft(record, folder.Source, entry));
        if (!isAsLeft)
        {
            Settle(folder, wasChanged: false);
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
            LeaveOut(path);
            return;
        }

        SourceNode source;
        try
        {
            // What a person named is meant, also where a link leads there.
            source = SourceTree.Look(path, follows: folder.IsAncestor);
        }
        catch (SourceException error) when (error.IsGone && !folder.IsAncestor)
        {
            return;
        }
        catch (SourceException error)
        {
            // A disk that is not there says nothing of what is on it.
            tally.AddUnreadable(path, error.Message);
            folder.Left.Remove(name);
            Keep(path);
            return;
        }

        string relative = folder.IsAncestor ? "" : folder.Relative.Length == 0 || folder.Rules is null ? SourcePath.Show(name) : $"{folder.Relative}/{SourcePath.Show(name)}";
        if (!folder.IsAncestor && folder.Rules?.IsExcluded(relative, source.IsDirectory) == true)
        {
            LeaveOut(path);
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
            Keep(path);
        }
        else if (source.IsRegular)
        {
            await VisitFileAsync(folder, name, path, source, isThere ? entry : null, cancellationToken);
        }
        else
        {
            VisitOther(folder, name, path, source, isThere ? entry : null);
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

            LeaveOut(path);
            return;
        }

        IndexRecord? record = index.Take(path, isFolderEnd: false, CountGone);
        bool isAsLeft = record is not null && entry is { } there && IsAsLeft(record, source, there) && there.Size == source.Size;
        tally.Files++;
        tally.Bytes += source.Size;
        tally.Met += record is null ? 0 : 1;
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
            xattrs = SourceTree.ReadXattrs(path);
        }
        catch (SourceException error)
        {
            // Gone since it was listed, or not to be read: what the vault has of the latter stays.
            if (error.IsGone)
            {
                RestoreLeft(folder, name, entry);
                tally.Gone += record is null ? 0 : 1;
                return;
            }

            tally.AddUnreadable(path, error.Message);
            if (record is not null)
            {
                _batch.Add(new RememberStep(record with { ChangeTime = 0 }));
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
        bool isChanged = record is not null && (record.Size != content.Source.Size || record.ModifyTime != content.Source.ModifyTime || isAsLeft || (record.ChangeTime != content.Source.ChangeTime && record.ChangeTime != 0));
        tally.New += record is null ? 1 : 0;
        tally.Changed += isChanged ? 1 : 0;
        folder.IsTouched |= entry is not { } same || !same.HasType(source.Mode) || same.Links > 1 || source.Links > 1;
        _batch.Add(new PutFileStep(folder, name, content, xattrs, isChanged));
        Say(path);
    }

    private void VisitOther(RunFolder folder, byte[] name, byte[] path, SourceNode source, VaultEntry? entry)
    {
        IndexRecord? record = index.Take(path, isFolderEnd: false, CountGone);
        if (record is not null && entry is { } there && IsAsLeft(record, source, there))
        {
            _batch.Add(new RememberStep(record));
            return;
        }

        try
        {
            byte[]? target = source.IsSymbolicLink ? SourceTree.ReadLink(path) : null;
            IReadOnlyList<(byte[] Name, byte[] Value)> xattrs = SourceTree.ReadXattrs(path);
            folder.IsTouched = true;
            _batch.Add(new PutOtherStep(folder, name, source, target, xattrs, record is not null));
        }
        catch (SourceException error) when (error.IsGone)
        {
            RestoreLeft(folder, name, entry);
        }
        catch (SourceException error)
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
        tally.Changed += record.WasChanged ? 1 : 0;
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

    private void Settle(RunFolder folder, bool wasChanged)
    {
        IReadOnlyList<(byte[] Name, byte[] Value)> xattrs = [];
        try
        {
            xattrs = SourceTree.ReadXattrs(folder.Path);
        }
        catch (SourceException error)
        {
            if (!error.IsGone)
            {
                tally.AddUnreadable(folder.Path, $"Its extended attributes can't be read: {error.Message}");
            }
        }

        _batch.Add(new SettleFolderStep(folder, xattrs, wasChanged));
    }

    /// <summary>What can't be looked at stays as the last run left it.</summary>
    private void Keep(byte[] path) => index.TakeWithin(path, CountGone, record => _batch.Add(new RememberStep(record)));

    /// <summary>What is not to be in the set: no record of it counts as a file that vanished.</summary>
    private void LeaveOut(byte[] path) => index.TakeWithin(path, CountGone, static _ => { });

    private static void RestoreLeft(RunFolder folder, byte[] name, VaultEntry? entry)
    {
        if (entry is { } gone)
        {
            folder.Left[name] = gone;
        }
    }

    private void CountGone(IndexRecord record) => tally.Gone += record.IsFile ? 1 : 0;

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
        catch (SourceException error)
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
