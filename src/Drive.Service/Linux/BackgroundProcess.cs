using Drive.Control;

namespace Drive.Service.Linux;

/// <summary>Makes this process one that outlives the terminal that it was started from (daemon(7), the parts that are needed today).</summary>
public static class BackgroundProcess
{
    private const uint OwnerOnlyMask = 0b000_111_111;

    /// <summary>A session of its own, no directory kept busy, its memory to itself, what the runtime may still print into the log.</summary>
    public static void Detach(string logFile)
    {
        _ = Native.StartSession();
        _ = Native.SetFileModeMask(OwnerOnlyMask);
        Native.KeepMemoryPrivate();
        Environment.CurrentDirectory = "/";
        OwnerOnly.CreateDirectory(Path.GetDirectoryName(logFile)!);
        Redirect(logFile, FileMode.Append, FileAccess.Write, 2);
    }

    /// <summary>Lets go of the pipes to the command that started it, so that nothing waits for them to close.</summary>
    public static void CloseStandardStreams(string logFile)
    {
        Redirect("/dev/null", FileMode.Open, FileAccess.Read, 0);
        Redirect(logFile, FileMode.Append, FileAccess.Write, 1);
    }

    private static void Redirect(string path, FileMode mode, FileAccess access, int descriptor)
    {
        using FileStream file = OwnerOnly.Open(path, mode, access, FileShare.ReadWrite | FileShare.Delete);
        _ = Native.DuplicateOnto((int)file.SafeFileHandle.DangerousGetHandle(), descriptor);
    }
}
