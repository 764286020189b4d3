namespace Drive.Fuse.Protocol;

/// <summary>What kernel and server agree on in INIT; bits from 32 on travel in a second word.</summary>
[Flags]
internal enum InitFlags : ulong
{
    None = 0,
    AsyncRead = 1UL << 0,
    BigWrites = 1UL << 5,
    AutoInvalidateData = 1UL << 12,
    ReadDirPlus = 1UL << 13,
    ReadDirPlusAuto = 1UL << 14,
    WritebackCache = 1UL << 16,
    NoOpenSupport = 1UL << 17,
    ParallelDirectoryOperations = 1UL << 18,
    AbortError = 1UL << 21,
    MaxPages = 1UL << 22,
    CacheSymlinks = 1UL << 23,
    ExplicitInvalidateData = 1UL << 25,
    HandleKillPrivileges2 = 1UL << 28,
    InitExtended = 1UL << 30,
    DirectIoAllowMmap = 1UL << 36,
    NoExport = 1UL << 38,
    OverIoUring = 1UL << 41,
}

/// <summary>The terms of our side.</summary>
internal static class Terms
{
    /// <summary>The protocol that we speak.</summary>
    public const uint Major = 7;

    /// <summary>The newest minor version that we know.</summary>
    public const uint Minor = 45;

    /// <summary>Linux 5.4: the oldest with all that serving correctly needs (requests of 1 MiB, cached symbolic links).</summary>
    public const uint OldestMinor = 31;

    /// <summary>From here on the kernel can be told to ask all names again.</summary>
    public const uint EpochMinor = 44;

    /// <summary>Pages of 4 KiB in one request: the kernel's own limit unless root raised it.</summary>
    public const int PagesMax = 256;

    /// <summary>Payload of the largest READ and WRITE.</summary>
    public const int IoBytesMax = PagesMax * 4096;

    /// <summary>Requests without a waiting caller (read-ahead, asynchronous I/O) that the kernel keeps under way at once.</summary>
    public const ushort BackgroundMax = 64;

    /// <summary>From here on the kernel counts the device as congested: three quarters of the maximum, as by the kernel's default.</summary>
    public const ushort CongestionThreshold = 48;

    /// <summary>
    /// Never WritebackCache: it would let the kernel reorder writes, and after a crash the volume must be the state after a prefix of the calls.
    /// Neither AutoInvalidateData, which drops our own writes from the page cache after each, nor ExplicitInvalidateData: with it, a file that another
    /// device made longer would for a moment show its new length over its old pages, filled up with zeros. With neither, a length that is not what
    /// the kernel made it drops the pages at once; all other changes of content come as notifications.
    /// No locks: the kernel does locks of one machine itself. Not AtomicTruncate: opening is not told (NoOpenSupport), so cutting on opening comes as a request of its own.
    /// </summary>
    public const InitFlags Wanted = InitFlags.AsyncRead | InitFlags.BigWrites | InitFlags.ReadDirPlus
        | InitFlags.ReadDirPlusAuto | InitFlags.ParallelDirectoryOperations | InitFlags.AbortError
        | InitFlags.MaxPages | InitFlags.CacheSymlinks | InitFlags.HandleKillPrivileges2 | InitFlags.InitExtended
        | InitFlags.DirectIoAllowMmap | InitFlags.NoExport;

    /// <summary>That the kernel can do without being answered to OPEN: it only says so, there is nothing to agree on.</summary>
    public const InitFlags MustOffer = InitFlags.NoOpenSupport;

    /// <summary>Without these an answer of ours would mean something else to the kernel.</summary>
    public const InitFlags Needed = InitFlags.BigWrites | InitFlags.MaxPages;
}
