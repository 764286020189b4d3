using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Mounting;

/// <summary>What the kernel lets one set or do for a single mount besides the protocol.</summary>
internal static class KernelTuning
{
    /// <summary>Sequential reading in larger requests. Needs root; without it the default stays.</summary>
    public static void RaiseReadAhead(Mount mount, int readAheadKiB, ILogger logger)
    {
        try
        {
            File.WriteAllText($"/sys/class/bdi/{mount.Device}/read_ahead_kb", readAheadKiB.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            FuseLog.ReadAheadUnchanged(logger, exception, mount.MountPoint);
        }
    }

    /// <summary>Fails all requests of the connection and ends it; false where the control file system is not there.</summary>
    public static bool TryAbort(string connectionNumber)
    {
        try
        {
            File.WriteAllText($"/sys/fs/fuse/connections/{connectionNumber}/abort", "1");
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
