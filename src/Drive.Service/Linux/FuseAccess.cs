namespace Drive.Service.Linux;

/// <summary>Why this user can't mount here.</summary>
/// <param name="Finding">What is the matter.</param>
/// <param name="Advice">What to do about it.</param>
internal sealed record FuseObstacle(string Finding, string Advice);

/// <summary>Whether a user may mount: the doctor asks beforehand, and a mount that was refused asks for the reason.</summary>
internal static class FuseAccess
{
    private const int ReadAndWrite = 6;

    /// <summary>What is in the way of this process; null when nothing is.</summary>
    public static FuseObstacle? Find(bool allowOther) => Find(
        Native.EffectiveUser() == 0, "/dev/fuse", Environment.GetEnvironmentVariable("PATH") ?? "", "/etc/fuse.conf", allowOther);

    /// <summary>What is in the way; null when nothing is.</summary>
    public static FuseObstacle? Find(bool isRoot, string device, string searchPath, string configuration, bool allowOther)
    {
        if (!File.Exists(device))
        {
            return new FuseObstacle(
                $"{device} is missing.", "Load the module ('sudo modprobe fuse'); in a container, pass the device in ('--device /dev/fuse --cap-add SYS_ADMIN').");
        }

        bool isOpen = Native.Access(device, ReadAndWrite) == 0;
        if (isRoot)
        {
            return isOpen ? null : new FuseObstacle($"{device} can't be opened.", "In a container, allow the device ('--device /dev/fuse --cap-add SYS_ADMIN').");
        }

        return Helper(searchPath) switch
        {
            null => new FuseObstacle("fusermount3 is missing.", "Install the package fuse3 ('sudo apt install fuse3')."),
            { } helper when !File.GetUnixFileMode(helper).HasFlag(UnixFileMode.SetUser) =>
                new FuseObstacle($"{helper} has lost its set-user-ID bit.", "Install the package fuse3 again ('sudo apt install --reinstall fuse3')."),
            _ when !isOpen => new FuseObstacle($"Only root may open {device} here.", $"Give it its usual mode back ('sudo chmod 666 {device}')."),
            _ when allowOther && !AllowsOthers(configuration) => new FuseObstacle(
                $"{configuration} does not let users open their mounts to others.", "Put a line 'user_allow_other' into it, or mount without allow_other."),
            _ => null,
        };
    }

    /// <summary>The first fusermount3 of a search path, or null.</summary>
    public static string? Helper(string searchPath) =>
        searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => Path.Combine(directory, "fusermount3")).FirstOrDefault(File.Exists);

    private static bool AllowsOthers(string configuration)
    {
        try
        {
            return File.ReadLines(configuration).Any(line => line.Trim() == "user_allow_other");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
