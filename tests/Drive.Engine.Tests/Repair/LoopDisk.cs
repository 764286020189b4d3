using System.Diagnostics;

namespace Drive.Engine.Tests.Repair;

/// <summary>A small ext4 in a file of its own: a real disk that can be filled, and whose kernel turns it read-only.</summary>
internal sealed class LoopDisk : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("drive-loop-").FullName;

    public LoopDisk(int mebibytes)
    {
        Root = Path.Combine(_root, "mount");
        Directory.CreateDirectory(Root);
        string image = Path.Combine(_root, "image");
        using (FileStream file = new(image, System.IO.FileMode.CreateNew))
        {
            file.SetLength((long)mebibytes << 20);
        }

        Run("mkfs.ext4", "-q", "-F", "-m", "0", image);
        Run("mount", "-o", "loop", image, Root);
    }

    /// <summary>Why there is none on this machine; null when there is.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    public string Root { get; }

    /// <summary>Takes all room but about so much.</summary>
    public void Fill(long bytesLeft)
    {
        string filler = Path.Combine(Root, "filler");
        long free = new DriveInfo(Root).AvailableFreeSpace;
        using FileStream file = new(filler, System.IO.FileMode.Append);
        byte[] zeros = new byte[64 << 10];
        try
        {
            for (long left = free - bytesLeft; left > 0; left -= zeros.Length)
            {
                file.Write(zeros, 0, (int)Math.Min(left, zeros.Length));
            }

            file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            // Full is full.
        }
    }

    public void Empty() => File.Delete(Path.Combine(Root, "filler"));

    /// <summary>What the kernel does when the disk's own structures fail it: every write is refused from now on.</summary>
    public void TurnReadOnly() => Run("mount", "-o", "remount,abort", Root);

    /// <summary>The disk as it is after a restart of the machine.</summary>
    public void MountAgain()
    {
        Run("umount", Root);
        Run("mount", "-o", "loop", Path.Combine(_root, "image"), Root);
    }

    public void Dispose()
    {
        Run("umount", "-l", Root);
        Directory.Delete(_root, recursive: true);
    }

    private static string? FindObstacle()
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/dev/loop-control"))
        {
            return "needs root and loop devices";
        }

        try
        {
            using LoopDisk probe = new(8);
            return null;
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"no loop mounts here: {error.Message}";
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program}: {said.Trim()}");
        }
    }
}

/// <summary>A test on a loop device; skipped where there is none.</summary>
internal sealed class LoopFactAttribute : FactAttribute
{
    public LoopFactAttribute() => Skip = LoopDisk.Obstacle;
}
