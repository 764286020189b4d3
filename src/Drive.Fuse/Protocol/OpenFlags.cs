using System.Runtime.InteropServices;
using Drive.Core.Volumes;

namespace Drive.Fuse.Protocol;

/// <summary>The flags of open(2) as Linux numbers them.</summary>
internal static class OpenFlags
{
    public const uint AccessMask = 3;
    public const uint WriteOnly = 1;
    public const uint ReadWrite = 2;
    public const uint Exclusive = 0x80;
    public const uint Truncate = 0x200;
    public const uint Append = 0x400;

    /// <summary>O_DSYNC; O_SYNC contains it.</summary>
    public const uint DataSync = 0x1000;

    /// <summary>FUSE_OPEN_KILL_SUIDGID, a flag of the request, not of open(2).</summary>
    public const uint KillPrivileges = 1;

    /// <summary>O_DIRECT, one of the few that differ between processors.</summary>
    public static readonly uint Direct = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000u : 0x4000u;

    public static OpenOptions ToOptions(uint flags, uint requestFlags)
    {
        OpenOptions options = (flags & AccessMask) switch
        {
            0 => OpenOptions.Read,
            WriteOnly => OpenOptions.Write,
            _ => OpenOptions.Read | OpenOptions.Write,
        };
        if ((flags & Truncate) != 0)
        {
            options |= OpenOptions.Truncate;
        }

        if ((flags & Append) != 0)
        {
            options |= OpenOptions.Append;
        }

        if ((flags & Exclusive) != 0)
        {
            options |= OpenOptions.Exclusive;
        }

        if ((flags & DataSync) != 0)
        {
            options |= OpenOptions.Synchronous;
        }

        if ((requestFlags & KillPrivileges) != 0)
        {
            options |= OpenOptions.KillPrivileges;
        }

        return options;
    }

    /// <summary>
    /// The page cache is kept over opens always: content that changed elsewhere is dropped by a notification, not by reopening.
    /// Closing what was open for reading only has no write error to tell, so the kernel need not ask.
    /// </summary>
    public static uint ToReply(uint flags) =>
        OpenOut.KeepCache | ((flags & Direct) != 0 ? OpenOut.DirectIo : 0) | ((flags & AccessMask) == 0 ? OpenOut.NoFlush : 0);
}
