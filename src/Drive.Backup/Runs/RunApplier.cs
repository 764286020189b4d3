using Drive.Backup.Remembering;
using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Runs;

/// <summary>
/// Does the steps of a run's batches, one batch after the other: content into the vault's log, then the tree, then what is remembered of it, so that what is remembered is there whatever happens. For one thread.
/// </summary>
internal sealed class RunApplier(IVolume volume, IContentImport import, RunIndex index, RunTally tally, RunSample sample)
{
    /// <summary>A block that the vault forgets while a run counts on it is sent anew so often. Arbitrary: that is a rare accident each time.</summary>
    private const int TriesMax = 5;

    private const uint Directory = Core.Volumes.FileMode.Directory;
    private const uint OwnerOnly = 0x1C0;

    private readonly VaultTree _tree = new(volume, import);

    // Not the run's: that reads the next batch meanwhile.
    private readonly FileReader _reader = new();

    /// <summary>Bytes that were read once more.</summary>
    public long ReadBytes => _reader.ReadBytes;

    /// <summary>Does a batch, and disposes its content.</summary>
    public async Task ApplyAsync(RunBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            if (batch.Import is not null)
            {
                await batch.Import.CommitAsync(cancellationToken);
            }

            List<IndexRecord> records = new(batch.Steps.Count);
            try
            {
                foreach (RunStep step in batch.Steps)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (await DoAsync(step, cancellationToken) is { } record)
                    {
                        records.Add(record);
                    }
                }
            }
            finally
            {
                _tree.Tell();
            }

            if (batch.Changes > 0)
            {
                VaultTree.Require(await volume.FsyncAsync(HandleId.None, dataOnly: false, cancellationToken));
            }

            records.ForEach(index.Add);
            if (batch.Changes > 0)
            {
                index.Flush();
            }
        }
        finally
        {
            if (batch.Import is { } content)
            {
                tally.Sent += content.SentBytes;
                await content.DisposeAsync();
            }
        }
    }

    private async ValueTask<IndexRecord?> DoAsync(RunStep step, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case RememberStep remember:
                return remember.Record is { LacksXattrs: true, Fate: not FileFate.Gone } ? TellAgain(remember.Record) : remember.Record;
            case MakeFolderStep make:
                make.Folder.Node = _tree.EnsureDirectory(make.Folder.Parent!.Node, make.Folder.Name, Directory | OwnerOnly, make.Folder.Source.Uid, make.Folder.Source.Gid);
                return null;
            case SettleFolderStep settle:
                VaultEntry directory = _tree.SettleDirectory(settle.Folder.Node, settle.Folder.Source, settle.Xattrs);
                return Tell(IndexRecord.Of(settle.Folder.Path, settle.Folder.Source, directory.Node.Value, directory.ChangeTime), settle.Xattrs);
            case RemoveStep remove:
                _tree.Remove(remove.Folder.Node, remove.Name);
                return null;
            case PutOtherStep put:
                VaultEntry other = _tree.PutOther(put.Folder.Node, put.Name, put.Source, put.Target, put.Xattrs);
                return Tell(IndexRecord.Of(SourcePath.Join(put.Folder.Path, put.Name), put.Source, other.Node.Value, other.ChangeTime), put.Xattrs);
            case PutFileStep put:
                return await PutAsync(put, cancellationToken);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async ValueTask<IndexRecord?> PutAsync(PutFileStep put, CancellationToken cancellationToken)
    {
        FileContent content = put.Content;
        IImportBatch? again = null;
        try
        {
            for (int tries = 1; ; tries++)
            {
                if (_tree.PutFile(put.Folder.Node, put.Name, content.Source, content.Pieces, put.Xattrs) is { } entry)
                {
                    bool isOne = content.Source.Links == 1;
                    sample.Offer(content.Path, content.Source, entry.Node);
                    SourceNode source = content.IsSteady && (isOne || _tree.IsLinkedAs(content.Source)) ? content.Source : content.Source with { ChangeTime = 0 };
                    return Tell(IndexRecord.Of(content.Path, source, entry.Node.Value, isOne ? entry.ChangeTime : 0, put.Fate), put.Xattrs);
                }

                if (tries == TriesMax)
                {
                    throw new FsException(FsStatus.Stale, "The vault forgets content faster than it can be written: run the backup again.");
                }

                again ??= await import.BeginImportAsync(cancellationToken);
                content = await _reader.ReadAsync(content.Path, again, cancellationToken);
                await again.CommitAsync(cancellationToken);
            }
        }
        catch (TreeException error)
        {
            // What is there of it stays until the next run can read it.
            tally.AddUnreadable(content.Path, error.Message);
            return null;
        }
        finally
        {
            if (again is not null)
            {
                tally.Sent += again.SentBytes;
                await again.DisposeAsync();
            }
        }
    }

    /// <summary>Lists a path whose extended attributes the vault does not have all of.</summary>
    private IndexRecord Tell(IndexRecord record, IReadOnlyList<(byte[] Name, byte[] Value)> xattrs)
    {
        IReadOnlyList<byte[]> refused = _tree.FindRefused(new NodeId(record.Node), xattrs);
        if (refused.Count > 0)
        {
            tally.AddUnreadable(record.Path, $"It is saved without extended attributes that the drive does not keep: {string.Join(", ", refused.Select(static name => SourcePath.Show(name)))}.");
        }

        return record with { LacksXattrs = refused.Count > 0 };
    }

    /// <summary>What a run before left out is offered again, since a newer program may keep it, and else told again.</summary>
    private IndexRecord TellAgain(IndexRecord record)
    {
        try
        {
            IReadOnlyList<(byte[] Name, byte[] Value)> xattrs = AccessLists.Keep(SourceTree.ReadXattrs(record.Path));
            VaultEntry entry = _tree.PutXattrs(new NodeId(record.Node), xattrs);
            return Tell(record with { VaultChangeTime = record.VaultChangeTime == 0 ? 0 : entry.ChangeTime }, xattrs);
        }
        catch (TreeException)
        {
            // It changed or went: the next run tells.
            return record;
        }
    }
}
