using System.Diagnostics;
using Drive.Testing;

namespace Drive.Mount.Tests;

/// <summary>
/// The built program: a vault in a folder, mounted by its daemon, which uploads meanwhile. The daemon is a process of its own, as it must be: a
/// process that maps files of a mount that it serves itself can stop for ever, since a page fault holds the lock that its own runtime needs.
/// </summary>
public sealed class DriveMountFixture : MountFixture
{

    private string _home = "";

    public override Task InitializeAsync()
    {
        _home = MakeTemporary("home");
        Root = MakeTemporary("mount");
        Drive("init", Path.Combine(_home, "store"), "--name", "test");
        Drive("mount", "test", Root, "--allow-other", "-o", "suid,dev");
        return Task.CompletedTask;
    }

    public override Task DisposeAsync()
    {
        Drive("umount", Root);
        Directory.Delete(Root);
        Directory.Delete(_home, recursive: true);
        return Task.CompletedTask;
    }

    private void Drive(params string[] arguments)
    {
        ProcessStartInfo start = new(ProgramRun.Drive, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DRIVE_HOME"] = _home;
        using Process process = Process.Start(start)!;
        Task<string> said = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(1)), $"drive {arguments[0]} did not end.");
        Assert.True(process.ExitCode == 0, $"drive {arguments[0]}: {said.Result}");
    }
}
