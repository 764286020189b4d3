using System.Diagnostics;
using Drive.Benchmarks.Platform;

namespace Drive.Benchmarks.Sides;

/// <summary>A program that serves a mount as our own child process, so that its use of the machine can be read.</summary>
internal abstract class PeerSide(string name, string home) : Side(name, home)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private Process? _process;

    protected abstract string[] Arguments { get; }

    protected virtual IReadOnlyDictionary<string, string> Variables { get; } = new Dictionary<string, string>();

    protected override void MountCore()
    {
        ProcessStartInfo start = new(Name, Arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach ((string name, string value) in Variables)
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _process = process;
        Machine.Await(() => process.HasExited || Machine.IsMounted(Root), Patience, $"{Name} mounts");
        if (process.HasExited)
        {
            throw new InvalidOperationException($"{Name} ended with {process.ExitCode} instead of mounting");
        }
    }

    protected override int? FindProcess() => _process!.Id;

    protected override void UnmountCore(int pid)
    {
        Shell.Run(Environment.IsPrivilegedProcess ? "umount" : "fusermount3", Environment.IsPrivilegedProcess ? [Root] : ["-u", Root]);
        _process!.WaitForExit(Patience);
        _process.Dispose();
        _process = null;
    }
}

/// <summary>An encrypted overlay with its defaults, plain files below it.</summary>
internal sealed class GocryptfsSide(string home) : PeerSide(Program, home)
{
    public const string Program = "gocryptfs";

    private string Cipher => Path.Combine(Home, "cipher");

    private string PasswordFile => Path.Combine(Home, "password");

    protected override string[] Arguments => ["-fg", "-q", "-passfile", PasswordFile, Cipher, Root];

    public override void Begin()
    {
        Directory.CreateDirectory(Cipher);
        Directory.CreateDirectory(Root);
        File.WriteAllText(PasswordFile, "benchmark\n");
        Shell.Run(Program, ["-q", "-init", "-passfile", PasswordFile, Cipher]);
        Mount();
    }
}

/// <summary>A pass-through without encryption, on libfuse: about what the kernel's FUSE costs a program that does nothing else.</summary>
internal sealed class BindfsSide(string home) : PeerSide(Program, home)
{
    public const string Program = "bindfs";

    public override bool Encrypts => false;

    private string Below => Path.Combine(Home, "below");

    protected override string[] Arguments => ["-f", Below, Root];

    public override void Begin()
    {
        Directory.CreateDirectory(Below);
        Directory.CreateDirectory(Root);
        Mount();
    }
}
