using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Mounting;

/// <summary>
/// The parameter of the kernel's FUSE module that lets it offer io_uring: off by default, for the whole machine, read when a mount begins. Only root may
/// set it, and Drive does so only when asked.
/// </summary>
public static class UringParameter
{
    /// <summary>Where it is.</summary>
    public const string Path = "/sys/module/fuse/parameters/enable_uring";

    /// <summary>Whether mounts may use io_uring; null where the kernel has no such parameter (before Linux 6.14, or built without).</summary>
    public static bool? IsAllowed()
    {
        try
        {
            return File.ReadAllText(Path).StartsWith('Y');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Why the kernel did not offer it.</summary>
    public static string Describe() => IsAllowed() switch
    {
        null => "this kernel has no FUSE over io_uring (Linux 6.14 has)",
        false => $"{Path} is N",
        true => "the kernel did not offer it, or refused it",
    };

    /// <summary>Lets mounts use it from now on, or says what is in the way.</summary>
    internal static void Allow(ILogger logger)
    {
        if (IsAllowed() != false)
        {
            return;
        }

        try
        {
            File.WriteAllText(Path, "Y");
            FuseLog.RingAllowed(logger);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FuseException($"Only root may set {Path}: leave out allow_uring.");
        }
    }
}
