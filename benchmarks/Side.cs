using System.Globalization;
using System.Text.Json;

namespace Drive.Benchmarks;

/// <summary>One of those that are compared: a directory to work in, and how to take away and bring back what serves it.</summary>
internal abstract class Side(string name, string home) : IDisposable
{
    public string Name { get; } = name;

    /// <summary>Everything of this side lies below.</summary>
    protected string Home { get; } = home;

    /// <summary>Where the load goes.</summary>
    public virtual string Root => Path.Combine(Home, "mount");

    /// <summary>Makes it ready for the first time.</summary>
    public abstract void Begin();

    /// <summary>Starts what serves it; the native side has nothing to do.</summary>
    public virtual void Mount()
    {
    }

    public virtual void Unmount()
    {
    }

    /// <summary>Ends work in the background, so that it falls on nobody else's time.</summary>
    public virtual void Settle() => Posix.SyncAll();

    /// <summary>The largest resident memory of what serves it so far, in MiB; 0 when there is nothing.</summary>
    public virtual double PeakMemoryMiB() => 0;

    /// <summary>Nothing of it is in memory any more: not in its process, not in the kernel.</summary>
    public void MakeCold()
    {
        Unmount();
        Posix.SyncAll();
        File.WriteAllText("/proc/sys/vm/drop_caches", "3");
        Mount();
    }

    public void Dispose() => Unmount();

    protected static double PeakMemoryMiB(int pid)
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}

/// <summary>The file system that the others keep their files on too.</summary>
internal sealed class NativeSide(string home) : Side("native", home)
{
    public override void Begin() => Directory.CreateDirectory(Root);
}

/// <summary>An encrypted overlay with its defaults, plain files below it.</summary>
internal sealed class GocryptfsSide(string home) : Side("gocryptfs", home)
{
    private string Cipher => Path.Combine(Home, "cipher");

    private string PasswordFile => Path.Combine(Home, "password");

    private bool _isMounted;
    private double _peakMiB;

    public override void Begin()
    {
        Directory.CreateDirectory(Cipher);
        Directory.CreateDirectory(Root);
        File.WriteAllText(PasswordFile, "benchmark\n");
        Shell.Run("gocryptfs", ["-q", "-init", "-passfile", PasswordFile, Cipher]);
        Mount();
    }

    public override void Mount()
    {
        Shell.Run("/bin/sh", ["-c", "gocryptfs -q -passfile \"$1\" \"$2\" \"$3\" > /dev/null 2>&1", "sh", PasswordFile, Cipher, Root]);
        _isMounted = true;
    }

    public override void Unmount()
    {
        if (_isMounted)
        {
            PeakMemoryMiB();
            Shell.Run("fusermount3", ["-u", Root]);
            _isMounted = false;
        }
    }

    public override double PeakMemoryMiB()
    {
        foreach (string process in Directory.GetDirectories("/proc").Where(static path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                string line = File.ReadAllText($"{process}/cmdline");
                if (line.Contains(Root, StringComparison.Ordinal) && line.StartsWith("gocryptfs", StringComparison.Ordinal))
                {
                    _peakMiB = Math.Max(_peakMiB, PeakMemoryMiB(int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture)));
                }
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        return _peakMiB;
    }
}

/// <summary>Drive as published, with a vault in a local folder; everything of it under the side's own directory.</summary>
internal sealed class DriveSide(string home, string program) : Side("drive", home)
{
    private readonly Dictionary<string, string> _environment = new() { ["DRIVE_HOME"] = Path.Combine(home, "home") };
    private bool _isMounted;
    private double _peakMiB;

    public override void Begin()
    {
        Directory.CreateDirectory(Root);
        Mount();
    }

    public override void Mount()
    {
        Call("up", Root);
        _isMounted = true;
    }

    public override void Unmount()
    {
        if (_isMounted)
        {
            PeakMemoryMiB();
            Call("umount", Root);
            _isMounted = false;
        }
    }

    public override void Settle()
    {
        Call("wait");
        base.Settle();
    }

    public override double PeakMemoryMiB()
    {
        _peakMiB = Math.Max(_peakMiB, PeakMemoryMiB(Status().GetProperty("pid").GetInt32()));
        return _peakMiB;
    }

    /// <summary>Bytes that are not in the store yet.</summary>
    public long UnsentBytes()
    {
        JsonElement status = Status();
        return status.GetProperty("localOnly").GetProperty("bytes").GetInt64() + status.GetProperty("uploading").GetProperty("bytes").GetInt64();
    }

    public void Help() => Call("--help");

    private JsonElement Status() => JsonDocument.Parse(Call("status", "--json")).RootElement is { ValueKind: JsonValueKind.Array } all
        ? all[0]
        : JsonDocument.Parse(Call("status", "--json")).RootElement;

    private string Call(params string[] arguments) => Shell.Run(program, arguments, _environment);
}
