using System.Collections.Concurrent;
using Drive.Disk.Trees;

namespace Drive.Cli.Copying;

/// <summary>
/// Copies a tree out of a mounted drive to a place where nothing is yet, with all that cp -a keeps: modes, owners, times, links, extended attributes and holes. Several files at once: one alone would
/// wait for the daemon most of the time, and the daemon for it. What can't be copied is left out, and told at the end.
/// </summary>
internal sealed class TreeCopy(CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Files under way at once. Two keep two processors busy; the others hide waiting for a store that is far away.</summary>
    private const int WorkersCount = 4;

    /// <summary>Files that the walk may be ahead. Arbitrary.</summary>
    private const int QueuedMax = 256;

    private const int BufferBytes = 1 << 20;

    private readonly BlockingCollection<Job> _jobs = new(QueuedMax);
    private readonly Dictionary<(ulong, ulong), byte[]> _linked = [];
    private readonly ConcurrentQueue<string> _errors = new();
    private long _bytes;

    /// <summary>All that are no directories.</summary>
    public long Files { get; private set; }

    public long Folders { get; private set; }

    /// <summary>Bytes of regular files.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>What could not be copied, as far as it was worth counting; the first one first.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Copies what is at one path to another.</summary>
    public void Run(string from, string to)
    {
        Thread[] workers = [.. Enumerable.Range(0, WorkersCount).Select(_ => new Thread(Work) { IsBackground = true })];
        foreach (Thread worker in workers)
        {
            worker.Start();
        }

        List<Job> folders = [];
        try
        {
            Walk(new Job(SourcePath.Of(from), SourcePath.Of(to), default), folders);
        }
        finally
        {
            _jobs.CompleteAdding();
            foreach (Thread worker in workers)
            {
                worker.Join();
            }
        }

        cancellationToken.ThrowIfCancellationRequested();

        // After all that is in them, the deepest first: what is made in a directory changes its times, and its mode may forbid it.
        folders.Reverse();
        folders.ForEach(folder => Attempt(() => Settle(folder)));
    }

    public void Dispose() => _jobs.Dispose();

    private void Walk(Job job, List<Job> folders) => Attempt(() =>
    {
        cancellationToken.ThrowIfCancellationRequested();
        job = job with { Node = SourceTree.Look(job.From) };
        if (!job.Node.IsDirectory)
        {
            Files++;
            if (job.Node.Links > 1)
            {
                // One after the other, so that the second name finds the first.
                CopyLinked(job);
            }
            else
            {
                _jobs.Add(job, cancellationToken);
            }

            return;
        }

        Folders++;
        TargetTree.MakeDirectory(job.To);
        folders.Add(job);
        foreach (byte[] name in SourceTree.List(job.From))
        {
            Walk(new Job(SourcePath.Join(job.From, name), SourcePath.Join(job.To, name), default), folders);
        }
    });

    private void Work()
    {
        byte[] buffer = new byte[BufferBytes];
        foreach (Job job in _jobs.GetConsumingEnumerable())
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                Attempt(() => Copy(job, buffer));
            }
            catch (OperationCanceledException)
            {
                // The rest is taken out of the queue all the same, so that the walk, which ends too, need not wait.
            }
        }
    }

    private void CopyLinked(Job job)
    {
        if (_linked.TryGetValue((job.Node.Device, job.Node.Inode), out byte[]? first))
        {
            TargetTree.MakeLink(job.To, first);
            Interlocked.Add(ref _bytes, job.Node.IsRegular ? job.Node.Size : 0);
            return;
        }

        Copy(job, new byte[BufferBytes]);
        _linked[(job.Node.Device, job.Node.Inode)] = job.To;
    }

    private void Copy(Job job, byte[] buffer)
    {
        if (job.Node.IsRegular)
        {
            CopyContent(job, buffer);
        }
        else if (job.Node.IsSymbolicLink)
        {
            TargetTree.MakeSymbolicLink(job.To, SourceTree.ReadLink(job.From));
        }
        else
        {
            TargetTree.MakeNode(job.To, job.Node);
        }

        Settle(job);
    }

    private void CopyContent(Job job, byte[] buffer)
    {
        using SourceFile source = SourceFile.Open(job.From);
        using TargetFile target = TargetFile.Create(job.To);
        long size = job.Node.Size;
        if (!job.Node.IsSparse)
        {
            // One range; nothing is asked then.
            CopyRange(job, source, target, 0, size, buffer);
        }
        else
        {
            for (long offset = 0; source.FindData(offset, size) is (long start, long end); offset = end)
            {
                CopyRange(job, source, target, start, end, buffer);
            }

            target.SetLength(size);
        }

        target.Close();
        Interlocked.Add(ref _bytes, size);
    }

    private void CopyRange(Job job, SourceFile source, TargetFile target, long start, long end, byte[] buffer)
    {
        while (start < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = source.Read(start, buffer.AsSpan(0, (int)Math.Min(end - start, buffer.Length)));
            if (count == 0)
            {
                throw new TreeException(job.From, $"it ends {end - start} bytes early");
            }

            target.Write(start, buffer.AsSpan(0, count));
            start += count;
        }
    }

    private static void Settle(Job job) => TargetTree.Settle(job.To, job.Node, SourceTree.ReadXattrs(job.From));

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
    }

    /// <summary>One thing to copy.</summary>
    private readonly record struct Job(byte[] From, byte[] To, SourceNode Node);
}
