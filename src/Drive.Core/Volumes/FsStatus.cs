namespace Drive.Core.Volumes;

/// <summary>
/// What a file-system call came to. Each adapter has one exhaustive table from here to its own numbers
/// (errno, NTSTATUS, HTTP). The names are those of POSIX.1-2017 &lt;errno.h&gt; in words; numbers are ours and are never stored.
/// </summary>
public enum FsStatus
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>ENOENT: no such name, or the node is gone.</summary>
    NotFound,

    /// <summary>EEXIST: the name is taken.</summary>
    Exists,

    /// <summary>ENOTDIR: a directory was needed.</summary>
    NotDirectory,

    /// <summary>EISDIR: a directory is not allowed here.</summary>
    IsDirectory,

    /// <summary>ENOTEMPTY: the directory has entries.</summary>
    NotEmpty,

    /// <summary>EACCES: permission bits forbid it.</summary>
    AccessDenied,

    /// <summary>EPERM: not allowed whatever the permission bits say.</summary>
    NotPermitted,

    /// <summary>EINVAL: an argument makes no sense.</summary>
    Invalid,

    /// <summary>ENAMETOOLONG: a name over 255 bytes, or a link target over 4,095.</summary>
    NameTooLong,

    /// <summary>EFBIG: beyond the largest file.</summary>
    TooLarge,

    /// <summary>ENOSPC: the local disk, the cache limit or the store is full.</summary>
    NoSpace,

    /// <summary>EDQUOT: the store's quota is used up.</summary>
    QuotaExceeded,

    /// <summary>EROFS: the volume is read-only.</summary>
    ReadOnly,

    /// <summary>EMLINK: too many links to one node.</summary>
    TooManyLinks,

    /// <summary>EBADF: the handle is not open, or not open for this.</summary>
    BadHandle,

    /// <summary>ENODATA: no such extended attribute.</summary>
    NoAttribute,

    /// <summary>ERANGE: the caller's buffer is too small.</summary>
    BufferTooSmall,

    /// <summary>E2BIG: an extended attribute over its limit.</summary>
    ValueTooLarge,

    /// <summary>ENXIO: no data or hole at or after the offset (lseek).</summary>
    NoSuchOffset,

    /// <summary>EOPNOTSUPP: this volume does not do that, for this node.</summary>
    NotSupported,

    /// <summary>ELOOP: a symbolic link where none is followed.</summary>
    Loop,

    /// <summary>EXDEV: source and target lie on different volumes.</summary>
    CrossVolume,

    /// <summary>EBUSY: in use.</summary>
    Busy,

    /// <summary>EINTR: the caller gave up waiting; nothing changed.</summary>
    Interrupted,

    /// <summary>ETIMEDOUT: the store did not answer before the deadline. Never means absent.</summary>
    Unreachable,

    /// <summary>EIO: the local disk or the store failed.</summary>
    IoError,

    /// <summary>EUCLEAN on Linux: bytes failed authentication. The wrong bytes were not handed out.</summary>
    Corrupt,

    /// <summary>ESTALE: the node was replaced under the caller.</summary>
    Stale,

    /// <summary>ETXTBSY: a program that runs may not be written.</summary>
    TextBusy,
}
