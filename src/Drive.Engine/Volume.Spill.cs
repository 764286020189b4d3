using System.Runtime.InteropServices;
using Drive.Cache.Dirty;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>
/// From memory to the dirty log. A local commit takes the bytes there before it writes the rows that point to them; while memory fills faster than
/// commits come, the bytes go alone: a record without a row is nothing to the next start, and the next commit adds the rows.
/// </content>
public sealed partial class Volume
{
    private int _spillQueued;

    /// <summary>Waits for the dirty log while too many bytes are in memory only: the writer is slowed to the disk's speed.</summary>
    private FsStatus WaitForRoom()
    {
        long bytes = Volatile.Read(ref _memoryBytes);
        if (bytes > _settings.MemoryBytesMax)
        {
            return Spill();
        }

        if (bytes > _settings.MemoryBytesMax / 4 && Interlocked.Exchange(ref _spillQueued, 1) == 0)
        {
            RunBehind(() =>
            {
                Volatile.Write(ref _spillQueued, 0);
                Spill();
                return Task.CompletedTask;
            });
        }

        return FsStatus.Ok;
    }

    private FsStatus Spill()
    {
        lock (_saveLock)
        {
            List<DirtyChunk> chunks = [];
            long change;
            lock (_gate)
            {
                if (_failure is not null)
                {
                    return FsStatus.IoError;
                }

                change = _change;
                TakeChunks(_pending.Chunks, chunks);
                _pending.Chunks.Clear();
            }

            try
            {
                if (_stuck is null)
                {
                    LogChunks(chunks, change);
                    lock (_gate)
                    {
                        FinishChunks(chunks);
                    }

                    return FsStatus.Ok;
                }
            }
            catch (Exception error)
            {
                // Whatever it was: the chunks go back, and the commit below meets the same disk and knows what to do.
                EngineLog.LogSpillFailed(_logger, error);
            }

            lock (_gate)
            {
                chunks.ForEach(static chunk => chunk.IsTaken = false);
                _pending.Chunks.InsertRange(0, chunks);
            }

            return CommitLocally();
        }
    }

    /// <summary>From here on nobody changes these bytes; they may be read outside the gate.</summary>
    private static void TakeChunks(List<DirtyChunk> from, List<DirtyChunk> to)
    {
        foreach (DirtyChunk chunk in from)
        {
            if (chunk.Buffer is not null)
            {
                chunk.IsAppendable = false;
                chunk.IsTaken = true;
                to.Add(chunk);
            }
        }
    }

    /// <summary>Appends chunks, and behind them the journal of a save point where there is one, and makes all of it durable.</summary>
    private void LogChunks(List<DirtyChunk> chunks, long change, SavePoint? point = null)
    {
        try
        {
            AppendChunks(chunks, change, point);
        }
        catch (DirtyLogSyncException error)
        {
            // What a failed flush left behind can't be known, and asking again would lie: the bytes are still in memory, so they are written anew, once.
            EngineLog.LogFlushFailed(_logger, error);
            _log.StartNewSegment();
            foreach (DirtyChunk chunk in chunks.Where(chunk => chunk.IsAppended && chunk.Position.Segment == error.Segment))
            {
                _log.Release(chunk.Position, chunk.Length);
                chunk.IsAppended = false;
            }

            if (point is not null)
            {
                WithdrawJournal(point);
            }

            _log.MarkRewritten(error.Segment);
            AppendChunks(chunks, change, point);
        }
    }

    private void AppendChunks(List<DirtyChunk> chunks, long change, SavePoint? point)
    {
        foreach (DirtyChunk chunk in chunks)
        {
            if (!chunk.IsAppended)
            {
                chunk.Position = _log.Append(chunk.Node, chunk.Offset, (ulong)change, chunk.Buffer.AsSpan(0, chunk.Length));
                chunk.IsAppended = true;
            }
        }

        if (point is not null)
        {
            AddDirtyRows(point);
            AppendJournal(point);
        }

        if (chunks.Count > 0 || point?.Journal is not null)
        {
            _log.Sync();
        }
    }

    /// <summary>Their records are durable: the bytes leave memory.</summary>
    private void FinishChunks(List<DirtyChunk> chunks)
    {
        foreach (DirtyChunk chunk in CollectionsMarshal.AsSpan(chunks))
        {
            chunk.IsLogged = true;
            chunk.IsTaken = false;
            ReturnBuffer(chunk);
            if (chunk.IsDead)
            {
                _pending.Releases.Add(chunk);
            }
        }
    }
}
