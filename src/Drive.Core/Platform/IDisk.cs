namespace Drive.Core.Platform;

/// <summary>
/// The local file system as Drive uses it for bytes that must last: every call that crash safety depends on is here, so that a simulated disk
/// can stand in. Paths are absolute. Failures are <see cref="IOException"/> (a full disk: <see cref="DiskFullException"/>) whose
/// <see cref="Exception.HResult"/> is the errno.
/// </summary>
public interface IDisk
{
    /// <summary>Opens a file for reading and writing; null when it does not exist and <paramref name="mode"/> does not make it, or exists and must not (CreateNew).</summary>
    IDiskFile? Open(string path, DiskOpenMode mode);

    /// <summary>Gives <paramref name="path"/> a second name, atomically; false when the new name exists (link(2)).</summary>
    bool TryLink(string path, string newPath);

    /// <summary>Renames over whatever is there, atomically (rename(2)).</summary>
    void Rename(string path, string newPath);

    /// <summary>Removes a file; false when there was none.</summary>
    bool Delete(string path);

    /// <summary>Makes a directory and its parents with mode 0700; nothing when it exists.</summary>
    void CreateDirectory(string path);

    /// <summary>Removes an empty directory; false when there was none (rmdir(2)).</summary>
    bool DeleteDirectory(string path);

    /// <summary>Whether a directory is there.</summary>
    bool DirectoryExists(string path);

    /// <summary>Names (not paths) of the files and directories directly inside; empty when the directory does not exist.</summary>
    IReadOnlyList<string> List(string path);

    /// <summary>Makes names made or removed in the directory durable (fsync of the directory).</summary>
    void SyncDirectory(string path);

    /// <summary>
    /// A lock on a file, which is made when it is not there: held until disposed or until the process dies; null when somebody else holds it,
    /// <paramref name="holder"/> is then the text that they left in the file. The file stays.
    /// </summary>
    IDisposable? TryLock(string path, string holderText, out string? holder);

    /// <summary>Room on the disk that holds the path.</summary>
    (long TotalBytes, long FreeBytes) GetSpace(string path);

    /// <summary>
    /// Calls <paramref name="appeared"/> with the path of what got a name somewhere below the directory, soon after and from another thread; with the directory's own
    /// path when some may have been missed. A hint (inotify(7)). Ends when what it
    /// returns is disposed. Nothing where the disk can't, or there is no such directory.
    /// </summary>
    IDisposable Watch(string path, Action<string> appeared) => Stream.Null;
}

/// <summary>How to open.</summary>
public enum DiskOpenMode
{
    /// <summary>An existing file, for reading only.</summary>
    Read,

    /// <summary>An existing file, for reading and writing.</summary>
    ReadWrite,

    /// <summary>A file that must not exist, mode 0600.</summary>
    CreateNew,

    /// <summary>An existing file, or a new one, mode 0600.</summary>
    OpenOrCreate,
}

/// <summary>An open file of <see cref="IDisk"/>. Calls may come from several threads; positions are explicit.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>pread(2), repeated until full or the end: the bytes read.</summary>
    int Read(long offset, Span<byte> destination);

    /// <summary>pwrite(2), repeated until all is written.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>ftruncate(2).</summary>
    void SetLength(long length);

    /// <summary>Gives the range back to the disk; the file keeps its length (fallocate PUNCH_HOLE). Nothing where the disk can't.</summary>
    void PunchHole(long offset, long length);

    /// <summary>
    /// Begins to bring what was written in the range to the disk, and does not wait for it: a hint, so that a later <see cref="Sync"/> has less to do.
    /// Promises nothing and reports nothing (sync_file_range(2) with SYNC_FILE_RANGE_WRITE); nothing where the disk can't.
    /// </summary>
    void StartSync(long offset, long length)
    {
    }

    /// <summary>fdatasync(2). When it fails, what was written since the last success is lost for this file: never call it again to make sure.</summary>
    void Sync();
}

/// <summary>The disk is full, or a quota is used up.</summary>
public sealed class DiskFullException : IOException
{
    /// <summary>A full disk, with one line that says which.</summary>
    public DiskFullException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
