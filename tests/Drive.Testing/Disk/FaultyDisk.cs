using Drive.Core.Platform;

namespace Drive.Testing.Disk;

/// <summary>The calls that can be made to fail.</summary>
public enum DiskOperation
{
    Open,
    Read,
    Write,
    SetLength,
    Sync,
    SyncDirectory,
    Link,
    Rename,
    Delete,
    CreateDirectory,
    DeleteDirectory,
    PunchHole,
}

/// <summary>One call: what, on which path, how many calls came before it, and of reads and writes where.</summary>
public readonly record struct DiskCall(DiskOperation Operation, string Path, int Index, long Offset = 0, long Length = 0)
{
    /// <summary>Whether the disk may look different after it, or after a power cut.</summary>
    public bool IsChange => Operation is not (DiskOperation.Open or DiskOperation.Read);
}

/// <summary>
/// A disk whose calls fail as the test says. A write that fails does half of itself first; a sync that fails loses what was not synced, as Linux does.
/// </summary>
public sealed class FaultyDisk(IDisk inner) : IDisk
{
    private int _calls;

    /// <summary>The exception a call is to fail with, or null for it to pass.</summary>
    public Func<DiskCall, Exception?> Fault { get; set; } = _ => null;

    /// <summary>Syncs that say yes and do nothing; for proving that a test would notice.</summary>
    public Func<DiskCall, bool> Lies { get; set; } = _ => false;

    /// <summary>The power is off, or the process dead: every call fails, and none does anything. Never on again.</summary>
    public bool IsOff { get; private set; }

    /// <summary>Calls until now.</summary>
    public int Calls => Volatile.Read(ref _calls);

    public void TurnOff() => IsOff = true;

    public static IOException InputOutputError() => new("Input/output error (made up)", 5);

    public static DiskFullException Full() => new("No space left on device (made up)") { HResult = 28 };

    /// <summary>The n-th change (from 0) from now on fails, once or from then on; reads and opens of existing files pass.</summary>
    public void FailChange(int number, Func<Exception> exception, bool forEver = false)
    {
        int count = 0;
        Fault = call =>
        {
            if (!call.IsChange)
            {
                return null;
            }

            int index = Interlocked.Increment(ref count) - 1;
            return index == number || (forEver && index > number) ? exception() : null;
        };
    }

    public IDiskFile? Open(string path, DiskOpenMode mode)
    {
        Check(DiskOperation.Open, path);
        return inner.Open(path, mode) is { } file ? new FaultyFile(this, file, path) : null;
    }

    public bool TryLink(string path, string newPath)
    {
        Check(DiskOperation.Link, newPath);
        return inner.TryLink(path, newPath);
    }

    public void Rename(string path, string newPath)
    {
        Check(DiskOperation.Rename, newPath);
        inner.Rename(path, newPath);
    }

    public bool Delete(string path)
    {
        Check(DiskOperation.Delete, path);
        return inner.Delete(path);
    }

    public void CreateDirectory(string path)
    {
        Check(DiskOperation.CreateDirectory, path);
        inner.CreateDirectory(path);
    }

    public bool DeleteDirectory(string path)
    {
        Check(DiskOperation.DeleteDirectory, path);
        return inner.DeleteDirectory(path);
    }

    public bool DirectoryExists(string path)
    {
        ThrowIfOff();
        return inner.DirectoryExists(path);
    }

    public IReadOnlyList<string> List(string path)
    {
        ThrowIfOff();
        return inner.List(path);
    }

    public void SyncDirectory(string path)
    {
        Check(DiskOperation.SyncDirectory, path);
        if (!Lies(new DiskCall(DiskOperation.SyncDirectory, path, Calls - 1)))
        {
            inner.SyncDirectory(path);
        }
    }

    public IDisposable? TryLock(string path, string holderText, out string? holder) => inner.TryLock(path, holderText, out holder);

    public (long TotalBytes, long FreeBytes) GetSpace(string path) => inner.GetSpace(path);

    private void ThrowIfOff()
    {
        if (IsOff)
        {
            throw InputOutputError();
        }
    }

    private void Check(DiskOperation operation, string path, long offset = 0, long length = 0)
    {
        if (NextFault(operation, path, offset, length) is { } exception)
        {
            throw exception;
        }
    }

    private Exception? NextFault(DiskOperation operation, string path, long offset = 0, long length = 0) =>
        IsOff ? InputOutputError() : Fault(new DiskCall(operation, path, Interlocked.Increment(ref _calls) - 1, offset, length));

    private sealed class FaultyFile(FaultyDisk disk, IDiskFile file, string path) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> destination)
        {
            disk.Check(DiskOperation.Read, path, offset, destination.Length);
            return file.Read(offset, destination);
        }

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            if (disk.NextFault(DiskOperation.Write, path, offset, data.Length) is { } exception)
            {
                if (!disk.IsOff)
                {
                    file.Write(offset, data[..(data.Length / 2)]);
                }

                throw exception;
            }

            file.Write(offset, data);
        }

        public void SetLength(long length)
        {
            disk.Check(DiskOperation.SetLength, path, 0, length);
            file.SetLength(length);
        }

        public void PunchHole(long offset, long length)
        {
            disk.Check(DiskOperation.PunchHole, path, offset, length);
            file.PunchHole(offset, length);
        }

        public void Sync()
        {
            if (disk.NextFault(DiskOperation.Sync, path) is { } exception)
            {
                if (!disk.IsOff)
                {
                    (file as IForgetsUnsynced)?.ForgetUnsynced();
                }

                throw exception;
            }

            if (!disk.Lies(new DiskCall(DiskOperation.Sync, path, disk.Calls - 1)))
            {
                file.Sync();
            }
        }

        public void Dispose() => file.Dispose();
    }
}
