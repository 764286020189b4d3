using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace Drive.Cli.Copying;

/// <summary>Something could not be copied; the message says what and why.</summary>
internal sealed class CopyException(string message) : Exception(message);

/// <summary>
/// Copies a tree out of a mounted drive to a place where nothing is yet, with all that cp -a keeps: modes, owners, times, links, extended attributes and holes. Several files at once: one alone would
/// wait for the daemon most of the time, and the daemon for it. What can't be copied is left out, and told at the end.
/// </summary>
internal sealed unsafe class TreeCopy(CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Files under way at once. Two keep two processors busy; the others hide waiting for a store that is far away.</summary>
    private const int WorkersCount = 4;

    /// <summary>Files that the walk may be ahead. Arbitrary.</summary>
    private const int QueuedMax = 256;

    private const int BufferBytes = 1 << 20;
    private const int XattrBytesMax = 65_536;
    private const int PathBytesMax = 4096;
    private const uint OwnerOnly = 0x180;
    private const uint OwnerOnlyDirectory = 0x1C0;
    private const uint PermissionMask = 0xFFF;
    private const uint SetIdMask = 0xC00;

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
            Walk(new Job(Terminated(from), Terminated(to), default), folders);
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
        job = job with { Facts = Native.Look(job.From) };
        if (!job.Facts.IsDirectory)
        {
            Files++;
            if (job.Facts.Links > 1)
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
        fixed (byte* to = job.To)
        {
            Native.Require(Native.MakeDirectory(to, OwnerOnlyDirectory), job.To);
        }

        folders.Add(job);
        foreach (byte[] name in Native.List(job.From))
        {
            Walk(new Job(Join(job.From, name), Join(job.To, name), default), folders);
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
        if (_linked.TryGetValue(job.Facts.Id, out byte[]? first))
        {
            fixed (byte* one = first)
            fixed (byte* other = job.To)
            {
                Native.Require(Native.Link(one, other), job.To);
            }

            Interlocked.Add(ref _bytes, job.Facts.IsRegular ? job.Facts.Size : 0);
            return;
        }

        Copy(job, new byte[BufferBytes]);
        _linked[job.Facts.Id] = job.To;
    }

    private void Copy(Job job, byte[] buffer)
    {
        if (job.Facts.IsRegular)
        {
            CopyContent(job, buffer);
        }
        else
        {
            fixed (byte* to = job.To)
            fixed (byte* from = job.From)
            {
                if (job.Facts.IsSymbolicLink)
                {
                    byte[] target = new byte[PathBytesMax + 1];
                    fixed (byte* text = target)
                    {
                        Native.Require(Native.ReadLink(from, text, PathBytesMax), job.From);
                        Native.Require(Native.MakeSymbolicLink(text, to), job.To);
                    }
                }
                else
                {
                    Native.Require(Native.MakeNode(to, (job.Facts.Mode & ~PermissionMask) | OwnerOnly, job.Facts.DeviceNumber), job.To);
                }
            }
        }

        Settle(job);
    }

    private void CopyContent(Job job, byte[] buffer)
    {
        int source = Native.Open(job.From, Native.ReadOnly, 0);
        int target = -1;
        try
        {
            target = Native.Open(job.To, Native.CreateNew, OwnerOnly);
            long end = 0;
            for (long start = 0; FindData(source, job, start, ref end, ref start);)
            {
                start = CopyRange(job, source, target, start, end, buffer);
            }

            if (job.Facts.IsSparse)
            {
                Native.Require(Native.Truncate(target, job.Facts.Size), job.To);
            }

            Interlocked.Add(ref _bytes, job.Facts.Size);
        }
        finally
        {
            _ = Native.Close(source);
            if (target >= 0)
            {
                Native.Require(Native.Close(target), job.To);
            }
        }
    }

    /// <summary>The next range of data. A file that holds all of its length is one range; nothing is asked then.</summary>
    private static bool FindData(int source, Job job, long from, ref long end, ref long start)
    {
        if (from >= job.Facts.Size)
        {
            return false;
        }

        (start, end) = (from, job.Facts.Size);
        if (job.Facts.IsSparse)
        {
            start = Native.Seek(source, from, Native.SeekData);
            if (start < 0)
            {
                Native.Require(Native.LastError == Native.NoSuchOffset ? 0 : -1, job.From);
                return false;
            }

            end = Native.Seek(source, start, Native.SeekHole);
            Native.Require(end, job.From);
        }

        return true;
    }

    private long CopyRange(Job job, int source, int target, long start, long end, byte[] buffer)
    {
        fixed (byte* bytes = buffer)
        {
            while (start < end)
            {
                cancellationToken.ThrowIfCancellationRequested();
                nint count = Native.ReadAt(source, bytes, (nint)Math.Min(end - start, buffer.Length), start);
                if (count < 0 && Native.LastError == Native.Interrupted)
                {
                    continue;
                }

                Native.Require(count, job.From);
                if (count == 0)
                {
                    throw new CopyException($"{Show(job.From)}: it ends {end - start} bytes early");
                }

                for (nint written = 0; written < count;)
                {
                    nint more = Native.WriteAt(target, bytes + written, count - written, start + written);
                    if (more < 0 && Native.LastError == Native.Interrupted)
                    {
                        continue;
                    }

                    Native.Require(more, job.To);
                    written += more;
                }

                start += count;
            }
        }

        return start;
    }

    /// <summary>Owner, mode, extended attributes and times, in this order: each of them may undo one that comes after it.</summary>
    private void Settle(Job job)
    {
        FileFacts facts = job.Facts;
        fixed (byte* to = job.To)
        {
            uint mode = facts.Mode & PermissionMask;
            if (Native.ChangeOwner(to, facts.Uid, facts.Gid) < 0)
            {
                // Only root gives files away. What would run as its owner is not to run as another one.
                Native.Require(Native.LastError == Native.NotPermitted ? 0 : -1, job.To);
                mode &= ~SetIdMask;
            }

            CopyXattrs(job);
            if (!facts.IsSymbolicLink)
            {
                Native.Require(Native.ChangeMode(to, mode), job.To);
            }

            FileTimes times = facts.Times;
            Native.Require(Native.SetTimes(Native.Here, to, &times, Native.LinkItself), job.To);
        }
    }

    private static void CopyXattrs(Job job)
    {
        byte* names = stackalloc byte[0];
        fixed (byte* from = job.From)
        fixed (byte* to = job.To)
        {
            nint length = Native.ListXattrs(from, names, 0);
            if (length <= 0)
            {
                Native.Require(length < 0 && Native.LastError != Native.NotSupported ? -1 : 0, job.From);
                return;
            }

            byte[] list = new byte[XattrBytesMax];
            byte[] value = new byte[XattrBytesMax];
            fixed (byte* all = list)
            fixed (byte* bytes = value)
            {
                length = Native.ListXattrs(from, all, XattrBytesMax);
                Native.Require(length, job.From);
                for (byte* name = all; name < all + length; name += MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name).Length + 1)
                {
                    nint count = Native.GetXattr(from, name, bytes, XattrBytesMax);
                    Native.Require(count, job.From);

                    // As with cp -a: what the other file system does not know, or only root may set, stays behind.
                    if (Native.SetXattr(to, name, bytes, count, 0) < 0 && Native.LastError is not (Native.NotSupported or Native.NotPermitted))
                    {
                        Native.Require(-1, job.To);
                    }
                }
            }
        }
    }

    private void Attempt(Action action)
    {
        try
        {
            action();
        }
        catch (CopyException error)
        {
            _errors.Enqueue(error.Message);
        }
    }

    private static byte[] Terminated(string path) => Encoding.UTF8.GetBytes(path + '\0');

    private static byte[] Join(byte[] folder, byte[] name) => [.. folder.AsSpan(0, folder.Length - 1), (byte)'/', .. name, 0];

    private static string Show(byte[] path) => Encoding.UTF8.GetString(path).TrimEnd('\0');

    /// <summary>One thing to copy; paths end with a NUL.</summary>
    private readonly record struct Job(byte[] From, byte[] To, FileFacts Facts);
}
