using System.Diagnostics;
using Drive.Core.Volumes;
using Drive.Fuse.Mounting;
using Drive.Testing;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Tests;

/// <summary>
/// A volume on a real mount in a fresh directory. Whatever a test does, the mount is gone at the end: it is detached, and its connection
/// aborted when the watchdog fires, which fails all that hangs in it.
/// </summary>
internal sealed class MountFixture : IAsyncDisposable
{
    private static readonly TimeSpan WatchdogTime = TimeSpan.FromSeconds(90);

    private readonly ITimer _watchdog;
    private readonly string _parent;

    private MountFixture(string parent, FuseSession session, IVolume volume, RecordingLogger log)
    {
        _parent = parent;
        Session = session;
        Volume = volume;
        Log = log;
        string number = MountTable.Find(session.MountPoint)!.Value.ConnectionNumber;
        _watchdog = TimeProvider.System.CreateTimer(
            _ =>
            {
                BitesOf++;
                KernelTuning.TryAbort(number);
            },
            null,
            WatchdogTime,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>The way that the requests of mounts take from now on. Classes with mounts run one after another.</summary>
    public static FuseTransport Transport { get; set; }

    public FuseSession Session { get; }

    public IVolume Volume { get; }

    public RecordingLogger Log { get; }

    public string Root => Session.MountPoint;

    public int BitesOf { get; private set; }

    public static string NewDirectory() => Directory.CreateTempSubdirectory("drive-fuse-").FullName;

    public static Task<MountFixture> MountAsync(params string[] options) => MountAsync(new ReferenceVolume(TimeProvider.System), options);

    public static async Task<MountFixture> MountAsync(IVolume volume, params string[] options)
    {
        ControlFileSystem.Ensure();
        string parent = NewDirectory();
        string root = Path.Combine(parent, "m");
        Directory.CreateDirectory(root);
        RecordingLogger log = new();
        FuseMountOptions mountOptions = new() { MountPoint = root, FsName = "drive-test", Options = options, Transport = Transport };
        try
        {
            FuseSession session = await FuseSession.MountAsync(mountOptions, volume, TimeProvider.System, log, CancellationToken.None);
            return new(parent, session, volume, log);
        }
        catch
        {
            Directory.Delete(parent, recursive: true);
            throw;
        }
    }

    /// <summary>Runs blocking calls against a mount, on a thread that is not the pool's.</summary>
    public static async Task UseAsync(Action<MountFixture> test)
    {
        await using MountFixture mount = await MountAsync();
        await Task.Factory.StartNew(() => test(mount), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public string At(params string[] names) => Path.Combine([Root, .. names]);

    /// <summary>Runs a shell script with the mount as working directory; its output. It must succeed.</summary>
    public async Task<string> RunAsync(string script)
    {
        (int code, string output) = await TryRunAsync(script);
        Assert.True(code == 0, $"exit code {code} of: {script}\n{output}\n{Log}");
        return output;
    }

    public Task<(int Code, string Output)> TryRunAsync(string script) => Shell.TryRunAsync(Root, script);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Session.DisposeAsync();
        }
        finally
        {
            await _watchdog.DisposeAsync();
            await Volume.DisposeAsync();
            if (MountTable.Find(Session.MountPoint) is null)
            {
                Directory.Delete(_parent, recursive: true);
            }
        }

        Assert.Equal(0, BitesOf);
        Assert.True(Log.Errors.Count == 0, Log.ToString());
    }
}

/// <summary>The kernel's own way to abort a connection: what the watchdog needs.</summary>
internal static class ControlFileSystem
{
    private const string Path = "/sys/fs/fuse/connections";

    /// <summary>Init systems mount it at start; a bare container has not.</summary>
    public static void Ensure()
    {
        if (MountTable.Find(Path) is null)
        {
            Sys.Check(Native.Libc.Mount("none", Path, "fusectl", 0, string.Empty), "mounting fusectl");
        }
    }
}

/// <summary>Runs programs for tests.</summary>
internal static class Shell
{
    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(80);

    public static async Task<(int Code, string Output)> TryRunAsync(string directory, string script)
    {
        ProcessStartInfo start = new("/bin/bash")
        {
            WorkingDirectory = "/",
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"cd '{directory}' || exit 99; exec 2>&1; set -e; {script}");
        using Process process = Process.Start(start)!;
        using CancellationTokenSource limit = new(RunTime);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"Ran for over {RunTime}: {script}");
        }
    }
}

/// <summary>Keeps what is logged; an error means that a user's call failed, which no test wants.</summary>
internal sealed class RecordingLogger : ILogger
{
    private readonly Lock _lock = new();
    private readonly List<(LogLevel Level, string Text)> _lines = [];

    public IReadOnlyList<string> Errors
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines.Where(static line => line.Level >= LogLevel.Error).Select(static line => line.Text)];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lock)
        {
            _lines.Add((logLevel, $"{formatter(state, exception)} {exception}"));
        }
    }

    public override string ToString()
    {
        lock (_lock)
        {
            return string.Join('\n', _lines.Select(static line => $"{line.Level}: {line.Text}"));
        }
    }
}
