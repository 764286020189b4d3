using System.Diagnostics;
using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>What a run of the command came to.</summary>
internal sealed record Ran(int Code, string Output, string Error)
{
    public override string ToString() => $"exit code {Code}\n{Output}\n{Error}";
}

/// <summary>
/// A machine of its own for the real command: DRIVE_HOME in a temporary directory, and whatever was mounted from it is unmounted at the end.
/// </summary>
internal sealed class DriveHome : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "drive");

    // No command may take longer, even on a machine that is busy with other tests.
    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(90);

    private readonly string? _borrowed;

    public DriveHome(string? root = null)
    {
        _borrowed = root;
        Root = root ?? Directory.CreateTempSubdirectory("drive-cli-").FullName;
        Home = Path.Combine(Root, root is null ? "home" : "home2");
        Mount = Path.Combine(Root, root is null ? "mount" : "mount2");
        Directory.CreateDirectory(Mount);
    }

    /// <summary>Whether this machine lets us mount.</summary>
    public static bool CanMount => File.Exists("/dev/fuse") && Environment.IsPrivilegedProcess;

    public string Root { get; }

    public string Home { get; }

    public string Mount { get; }

    public Ran Run(params string[] arguments) => RunWith("", arguments);

    public Ran RunWith(string input, params string[] arguments)
    {
        ProcessStartInfo start = new(Program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DRIVE_HOME"] = Home;
        using Process process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!Task.WaitAll([output, error, process.WaitForExitAsync()], RunTime))
        {
            process.Kill();
            throw new TimeoutException($"'drive {string.Join(' ', arguments)}' did not end");
        }

        return new Ran(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Runs what must succeed.</summary>
    public Ran Do(params string[] arguments)
    {
        Ran ran = Run(arguments);
        Assert.True(ran.Code == 0, $"drive {string.Join(' ', arguments)}: {ran}");
        return ran;
    }

    public JsonElement Status() => JsonDocument.Parse(Do("status", "--json").Output).RootElement;

    public int Pid() => Status().GetProperty("pid").GetInt32();

    /// <summary>Waits until a process is gone.</summary>
    public static void AwaitEnd(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            Assert.True(process.WaitForExit(TimeSpan.FromSeconds(20)), $"process {pid} did not end");
        }
        catch (ArgumentException)
        {
        }
    }

    public void Dispose()
    {
        Run("umount", Mount);

        // A test that failed half-way may have taken away what an orderly unmount needs.
        Shell.Run("umount", "-l", Mount);
        if (_borrowed is null)
        {
            Directory.Delete(Root, recursive: true);
        }
    }
}
