using System.Collections.Concurrent;
using Drive.Backup.Runs;
using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Restores;

/// <summary>
/// Copies a tree of a volume to a folder of this machine, with all that cp -a keeps: modes, owners, times, links, extended attributes, access lists and holes. It reads the volume itself, not its mount: a
/// file costs no request of the kernel then, and is looked up once. Several files at once, those of a folder in the order of their nodes, in which a backup put them into packs.
/// </summary>
/// <remarks>
/// <para><b>Errors.</b> What can't be copied is left out, and told at the end; nothing is left of a file that could not be copied whole. A store that is away is waited for a while
/// (<see cref="PatienceTime"/>); when it stays away, or history forgets the state meanwhile, the copy ends with <see cref="FsException"/>, and what was copied stays.</para>
/// <para><b>What is there.</b> Nothing is replaced unless that is asked for: then a file is made beside the one that is there and takes its name in one step, folders are gone into, and
/// what the tree does not have stays. A folder is never replaced by a file, nor a file by a folder.</para>
/// </remarks>
public sealed class TreeCopy : IDisposable
{
    /// <summary>Files under way at once. Two keep two processors busy; the others hide waiting for a store that is far away.</summary>
    private const int WorkersCount = 4;

    /// <summary>Batches that the walk may be ahead: with those under way about what a volume fetches ahead at most.</summary>
    private const int QueuedMax = 8;

    /// <summary>Where a batch ends: about the bytes of one request to a store, of small files.</summary>
    private const long BatchBytes = 2 << 20;

    private const int BatchFiles = 512;

    private const int BufferBytes = 1 << 20;
    private const int XattrBytesMax = 65_536;

    /// <summary>How long a store that is away is waited for. Arbitrary: a router that starts anew takes about as long.</summary>
    private static readonly TimeSpan PatienceTime = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan PauseTime = TimeSpan.FromSeconds(1);

    private readonly IVolume _volume;
    private readonly bool _replaces;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending;
    private readonly CancellationToken _ended;
    private readonly BlockingCollection<List<Job>> _batches = new(QueuedMax);
    private readonly Dictionary<NodeId, byte[]> _linked = [];
    private readonly ConcurrentQueue<string> _errors = new();
    private List<Job> _batch = [];
    private long _batchBytes;
    private FsException? _failure;
    private long _bytes;

    /// <param name="volume">What is copied from: a state of the past, which does not change.</param>
    /// <param name="replaces">Whether what is there is replaced.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    public TreeCopy(IVolume volume, bool replaces, TimeProvider time, CancellationToken cancellationToken)
    {
        (_volume, _replaces, _time) = (volume, replaces, time);
        _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ended = _ending.Token;
    }

    /// <summary>All that are no directories.</summary>
    public long Files { get; private set; }

    public long Folders { get; private set; }

    /// <summary>Bytes of regular files.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>What could not be copied, as far as it was worth counting; the first one first.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Copies a node, and what is below it, to a path of this machine.</summary>
    /// <exception cref="FsException">The volume can't go on; the message is for people.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public void Run(in NodeAttributes top, string to)
    {
        Thread[] workers = [.. Enumerable.Range(0, WorkersCount).Select(_ => new Thread(Work) { IsBackground = true })];
        foreach (Thread worker in workers)
        {
            worker.Start();
        }

        List<Job> folders = [];
        try
        {
            Walk(new Job(top, SourcePath.Of(to)), folders, new Worker(this));
            Attempt(Send);
        }
        catch (Exception ended) when (_failure is not null && ended is OperationCanceledException or FsException)
        {
            // Said below, when nobody is at work any more.
        }
        finally
        {
            _batches.CompleteAdding();
            foreach (Thread worker in workers)
            {
                worker.Join();
            }
        }

        ThrowIfEnded();

        // After all that is in them, the deepest first: what is made in a directory changes its times, and its mode may forbid it.
        folders.Reverse();
        Worker last = new(this);
        foreach (Job folder in folders)
        {
            Attempt(() =>
            {
                ThrowIfEnded();
                last.Settle(folder, folder.To);
            });
        }
    }

    public void Dispose()
    {
        _batches.Dispose();
        _ending.Dispose();
    }

    private void Walk(Job job, List<Job> folders, Worker worker) => Attempt(() =>
    {
        _ended.ThrowIfCancellationRequested();
        if (!Core.Volumes.FileMode.IsDirectory(job.Node.Mode))
        {
            Files++;
            if (job.Node.LinkCount > 1)
            {
                // One after the other, so that the second name finds the first.
                worker.Copy(job, _linked.GetValueOrDefault(job.Node.Node));
                _linked[job.Node.Node] = job.To;
            }
            else
            {
                _batch.Add(job);
                _batchBytes += job.Node.Size;
                if (_batchBytes >= BatchBytes || _batch.Count == BatchFiles)
                {
                    Send();
                }
            }

            return;
        }

        if (!_replaces || !TargetTree.IsDirectory(job.To))
        {
            TargetTree.MakeDirectory(job.To);
        }

        Folders++;
        folders.Add(job);
        worker.List(job).ForEach(child => Walk(child, folders, worker));
    });

    /// <summary>Gives what the walk found to the workers. What is small is fetched ahead; what is large is while it is read.</summary>
    private void Send()
    {
        if (_volume is IReadAhead far)
        {
            far.FetchAhead([.. _batch.Select(static job => job.Node).Where(static node => Core.Volumes.FileMode.IsRegular(node.Mode) && node.Size is > 0 and <= BatchBytes)]);
        }

        _batches.Add(_batch, _ended);
        _batch = [];
        _batchBytes = 0;
    }

    private void Work()
    {
        Worker worker = new(this);
        foreach (List<Job> batch in _batches.GetConsumingEnumerable())
        {
            try
            {
                foreach (Job job in batch)
                {
                    _ended.ThrowIfCancellationRequested();
                    Attempt(() => worker.Copy(job));
                }
            }
            catch (Exception ended) when (ended is OperationCanceledException or FsException)
            {
                // The rest is taken out of the queue all the same, so that the walk, which ends too, need not wait.
            }
        }
    }

    private void Attempt(Action action)
    {
        try
        {
            action();
        }
        catch (TreeException error)
        {
            _errors.Enqueue($"{SourcePath.Show(error.Path)}: {error.Message}");
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !_ended.IsCancellationRequested)
        {
            // Nothing more will come of this volume: it may have been closed meanwhile, which breaks off its reads. On a thread of ours nobody else would catch it.
            FsException said = failure as FsException ?? new FsException(FsStatus.IoError, $"{(failure is ObjectDisposedException or OperationCanceledException ? "The drive was unmounted meanwhile." : $"The copy broke off: {failure.Message}")} What was copied so far stays; run it again with --overwrite.", failure);
            Interlocked.CompareExchange(ref _failure, said, null);
            _ending.Cancel();
            throw said;
        }
    }

    /// <summary>Says what ended it, if anything did.</summary>
    private void ThrowIfEnded()
    {
        if (_failure is not null)
        {
            throw new FsException(_failure.Status, _failure.Message, _failure);
        }

        _ended.ThrowIfCancellationRequested();
    }

    /// <summary>One thing to copy.</summary>
    private readonly record struct Job(NodeAttributes Node, byte[] To);

    /// <summary>Copies one thing after the other. For one thread.</summary>
    private sealed class Worker(TreeCopy copy)
    {
        private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        private readonly byte[] _names = GC.AllocateUninitializedArray<byte>(XattrBytesMax);
        private readonly IVolume _volume = copy._volume;

        /// <summary>What is in a folder.</summary>
        public List<Job> List(Job folder)
        {
            Require(VaultListing.ReadAsMade(_volume, folder.Node.Node, out List<(byte[] Name, NodeAttributes Node)> found), folder.To);
            return found.ConvertAll(one => new Job(one.Node, SourcePath.Join(folder.To, one.Name)));
        }

        /// <summary>Makes something, or one more name of what was made before. Where something is, it is made beside it, and takes its place when all is done; where that fails nothing is left of it.</summary>
        public void Copy(Job job, byte[]? existing = null)
        {
            bool isTaken = copy._replaces && TargetTree.Exists(job.To);
            byte[] at = isTaken ? TargetTree.FreeName(job.To) : job.To;
            using TargetFile? file = Make(job, existing, at);
            try
            {
                if (file is not null)
                {
                    Fill(job, file);
                    file.Close();
                }

                if (existing is null)
                {
                    Settle(job, at);
                }

                if (isTaken)
                {
                    TargetTree.Rename(at, job.To);
                }
            }
            catch
            {
                TargetTree.Remove(at);
                throw;
            }

            Interlocked.Add(ref copy._bytes, Core.Volumes.FileMode.IsRegular(job.Node.Mode) ? job.Node.Size : 0);
        }

        /// <summary>Gives something that was made what it has on the volume.</summary>
        public void Settle(Job job, byte[] at) => TargetTree.Settle(at, job.Node, AccessLists.GiveBack(ReadXattrs(job)));

        private TargetFile? Make(Job job, byte[]? existing, byte[] at)
        {
            if (existing is not null)
            {
                TargetTree.MakeLink(at, existing);
            }
            else if (Core.Volumes.FileMode.IsRegular(job.Node.Mode))
            {
                return TargetFile.Create(at);
            }
            else if (Core.Volumes.FileMode.IsSymbolicLink(job.Node.Mode))
            {
                Require(_volume.ReadLink(job.Node.Node, _buffer, out int length), job.To);
                TargetTree.MakeSymbolicLink(at, _buffer[..length]);
            }
            else
            {
                TargetTree.MakeNode(at, job.Node.Mode, job.Node.DeviceNumber);
            }

            return null;
        }

        private void Fill(Job job, TargetFile target)
        {
            if (job.Node.Size == 0)
            {
                return;
            }

            HandleId handle = HandleId.Of(job.Node.Node);
            long filled = 0;
            while (_volume.Seek(handle, filled, SeekTarget.Data, out long start) is var status && status != FsStatus.NoSuchOffset)
            {
                Require(status, job.To);
                Require(_volume.Seek(handle, start, SeekTarget.Hole, out filled), job.To);
                CopyRange(job, handle, target, start, filled);
            }

            if (filled < job.Node.Size)
            {
                target.SetLength(job.Node.Size);
            }
        }

        private void CopyRange(Job job, HandleId handle, TargetFile target, long start, long end)
        {
            while (start < end)
            {
                Memory<byte> part = _buffer.AsMemory(0, (int)Math.Min(end - start, BufferBytes));
                int count = Read(job, handle, start, part);
                target.Write(start, part.Span[..count]);
                start += count;
            }
        }

        private int Read(Job job, HandleId handle, long offset, Memory<byte> destination)
        {
            long since = copy._time.GetTimestamp();
            while (true)
            {
                copy._ended.ThrowIfCancellationRequested();
                ValueTask<IoResult> read = _volume.ReadAsync(handle, offset, destination, copy._ended);
                IoResult result = read.IsCompletedSuccessfully ? read.Result : read.AsTask().GetAwaiter().GetResult();
                if (result.Status == FsStatus.Unreachable && copy._time.GetElapsedTime(since) < PatienceTime)
                {
                    Task.Delay(PauseTime, copy._time, copy._ended).GetAwaiter().GetResult();
                    continue;
                }

                Require(result.Status, job.To);
                return result.Count > 0 ? (int)result.Count : throw new TreeException(job.To, $"it ends {job.Node.Size - offset} bytes early");
            }
        }

        private List<(byte[] Name, byte[] Value)> ReadXattrs(Job job)
        {
            Require(_volume.ListExtendedAttributes(job.Node.Node, _names, out int length), job.To);
            List<(byte[] Name, byte[] Value)> found = [];
            for (int start = 0; start < length; start += found[^1].Name.Length + 1)
            {
                byte[] name = _names[start..Array.IndexOf(_names, (byte)0, start)];
                Require(_volume.GetExtendedAttribute(job.Node.Node, name, _buffer, out int bytes), job.To);
                found.Add((name, _buffer[..bytes]));
            }

            return found;
        }

        private void Require(FsStatus status, byte[] path)
        {
            switch (status)
            {
                case FsStatus.Ok:
                    return;
                case FsStatus.Interrupted:
                    throw new OperationCanceledException(copy._ended);
                case FsStatus.Unreachable:
                    throw new FsException(status, "The store does not answer: what was copied so far stays; when 'drive status' says that it answers, run it again with --overwrite.");
                case FsStatus.Stale:
                    throw new FsException(status, "History does not have this state any more: 'drive history PATH' shows what there is.");
                case FsStatus.Corrupt:
                    throw new TreeException(path, "the store has lost or changed a part of it, so it is left out: 'drive check --read-data' says more");
                default:
                    throw new TreeException(path, $"the drive can't read it ({status})");
            }
        }
    }
}
