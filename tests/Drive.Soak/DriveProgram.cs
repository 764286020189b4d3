using System.Diagnostics;
using System.Text.Json;
using Drive.Testing;

namespace Drive.Soak;

/// <summary>The built command on a machine of its own: its own DRIVE_HOME and mount point. Whatever it mounted is unmounted at the end.</summary>
internal sealed class DriveProgram : IDisposable
{
    private static readonly TimeSpan RunTime = TimeSpan.FromMinutes(11);

    public DriveProgram(string home, string mount)
    {
        Home = home;
        Mount = mount;
        Directory.CreateDirectory(mount);
    }

    public string Home { get; }

    public string Mount { get; }

    public int Pid => JsonDocument.Parse(Do("status", "--json")).RootElement.GetProperty("pid").GetInt32();

    /// <summary>Runs what must succeed; returns what it printed.</summary>
    public string Do(params string[] arguments) => DoWith("", arguments);

    public string DoWith(string input, params string[] arguments)
    {
        ProgramRun run = ProgramRun.Of(ProgramRun.Drive, arguments, RunTime, input, new Dictionary<string, string> { ["DRIVE_HOME"] = Home });
        return run.Code == 0 ? run.Output : throw new InvalidOperationException($"'drive {string.Join(' ', arguments)}': {run}");
    }

    public void Dispose()
    {
        using Process? unmount = Process.Start(new ProcessStartInfo("umount", ["-l", Mount]) { RedirectStandardError = true });
        unmount?.WaitForExit();
    }
}
