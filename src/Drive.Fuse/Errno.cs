using System.Diagnostics;
using Drive.Core.Volumes;

namespace Drive.Fuse;

/// <summary>Linux's error numbers that Drive says or meets, and the one table from <see cref="FsStatus"/> to them.</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int E2BIG = 7;
    public const int EBADF = 9;
    public const int EAGAIN = 11;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENODEV = 19;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENOTTY = 25;
    public const int ETXTBSY = 26;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int EMLINK = 31;
    public const int EPIPE = 32;
    public const int ERANGE = 34;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int ENODATA = 61;
    public const int ETIME = 62;
    public const int EPROTO = 71;
    public const int EOPNOTSUPP = 95;
    public const int ECONNABORTED = 103;
    public const int ENOTCONN = 107;
    public const int ETIMEDOUT = 110;
    public const int ESTALE = 116;
    public const int EUCLEAN = 117;
    public const int EDQUOT = 122;
    public const int ECANCELED = 125;

    public static int From(FsStatus status) => status switch
    {
        FsStatus.Ok => 0,
        FsStatus.NotFound => ENOENT,
        FsStatus.Exists => EEXIST,
        FsStatus.NotDirectory => ENOTDIR,
        FsStatus.IsDirectory => EISDIR,
        FsStatus.NotEmpty => ENOTEMPTY,
        FsStatus.AccessDenied => EACCES,
        FsStatus.NotPermitted => EPERM,
        FsStatus.Invalid => EINVAL,
        FsStatus.NameTooLong => ENAMETOOLONG,
        FsStatus.TooLarge => EFBIG,
        FsStatus.NoSpace => ENOSPC,
        FsStatus.QuotaExceeded => EDQUOT,
        FsStatus.ReadOnly => EROFS,
        FsStatus.TooManyLinks => EMLINK,
        FsStatus.BadHandle => EBADF,
        FsStatus.NoAttribute => ENODATA,
        FsStatus.BufferTooSmall => ERANGE,
        FsStatus.ValueTooLarge => E2BIG,
        FsStatus.NoSuchOffset => ENXIO,
        FsStatus.NotSupported => EOPNOTSUPP,
        FsStatus.Loop => ELOOP,
        FsStatus.CrossVolume => EXDEV,
        FsStatus.Busy => EBUSY,
        FsStatus.Interrupted => EINTR,
        FsStatus.Unreachable => ETIMEDOUT,
        FsStatus.IoError => EIO,
        FsStatus.Corrupt => EUCLEAN,
        FsStatus.Stale => ESTALE,
        FsStatus.TextBusy => ETXTBSY,
        _ => throw new UnreachableException($"No errno for {status}."),
    };
}
