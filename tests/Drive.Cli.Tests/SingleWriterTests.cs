using System.Diagnostics;
using Drive.Testing.Koofr;

namespace Drive.Cli.Tests;

/// <summary>A vault all of which lies in a store that does not keep names that are taken: one machine writes, with the real command and real mounts.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class SingleWriterTests
{
    [MountFact]
    public async Task One_machine_writes_hands_over_is_lost_and_comes_back()
    {
        await using KoofrServer server = await KoofrServer.StartAsync();
        server.Tree.IgnoresConditions = true;
        Environment.SetEnvironmentVariable("DRIVE_KOOFR_PASSWORD", KoofrServer.Password);
        using DriveHome desk = new();
        using DriveHome laptop = new(desk.Root);
        string url = server.NewFolder();

        // Both ways out are named; a vault is made only when one of them is taken.
        Ran refused = desk.Run("init", url);
        Assert.Equal((int)ExitCode.BadVault, refused.Code);
        Assert.Contains("--log-store", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--single-writer", refused.Error, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.Usage, desk.Run("init", url, "--single-writer", "--log-store", Path.Combine(desk.Root, "log")).Code);
        Ran made = desk.Do("up", desk.Mount, "--store", url, "--single-writer");
        string recoveryKey = made.Output.Trim();
        desk.Do("device", "rename", "1", "desk");
        Assert.Equal("desk", desk.Do("device", "writer").Output.Trim());
        File.WriteAllText(Path.Combine(desk.Mount, "doc"), "one");
        desk.Do("wait");

        // The second machine joins by a code, and not by itself.
        Assert.Equal((int)ExitCode.Usage, desk.Run("device", "add", "--no-wait").Code);
        Ran alone = laptop.RunWith(recoveryKey, "recover", url);
        Assert.Equal((int)ExitCode.NotReady, alone.Code);
        Assert.Contains("Only 'desk' writes", alone.Error, StringComparison.Ordinal);
        Join(desk, laptop, url, "laptop");
        laptop.Do("mount", "drive", laptop.Mount);
        Assert.Equal("one", File.ReadAllText(Path.Combine(laptop.Mount, "doc")));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(laptop.Mount, "late"), "no"));
        Assert.Contains("Only 'desk' writes", laptop.Status().GetProperty("readOnlyReason").GetString(), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(desk.Mount, "doc"), "two");
        DriveHome.Eventually(() => File.ReadAllText(Path.Combine(laptop.Mount, "doc")) == "two", "the second follows");

        // A hand-over while both are mounted, with changes that are not sent yet.
        Assert.Equal((int)ExitCode.NotReady, laptop.Run("device", "hand-over", "desk").Code);
        File.WriteAllText(Path.Combine(desk.Mount, "last"), "words");
        desk.Do("device", "hand-over", "laptop");
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(desk.Mount, "late"), "no"));
        DriveHome.Eventually(() => laptop.Status().GetProperty("readOnlyReason").GetString() is null, "the second is the writer");
        Assert.Equal("words", File.ReadAllText(Path.Combine(laptop.Mount, "last")));
        File.WriteAllText(Path.Combine(laptop.Mount, "doc"), "three");
        laptop.Do("wait");
        DriveHome.Eventually(() => File.ReadAllText(Path.Combine(desk.Mount, "doc")) == "three", "the first follows");

        // The laptop is lost with something that it had not sent; the desk takes over.
        Process.GetProcessById(laptop.Pid()).Kill();
        Shell.Run("umount", "-l", laptop.Mount);
        server.Instead = static context =>
        {
            context.Abort();
            return Task.FromResult(true);
        };
        laptop.Do("mount", "drive", laptop.Mount);
        File.WriteAllText(Path.Combine(laptop.Mount, "doc"), "of the laptop");
        laptop.Do("umount");
        server.Instead = static _ => Task.FromResult(false);
        Ran warned = desk.Run("device", "take-over");
        Assert.Equal((int)ExitCode.Usage, warned.Code);
        Assert.Contains("take-over --from laptop", warned.Error, StringComparison.Ordinal);
        desk.Do("device", "take-over", "--from", "laptop");
        File.WriteAllText(Path.Combine(desk.Mount, "doc"), "of the desk");
        desk.Do("wait");

        // It comes back: read-only, with what it had, and sends that when it is the writer for a while.
        laptop.Do("mount", "drive", laptop.Mount);
        DriveHome.Eventually(() => Directory.GetFiles(laptop.Mount).Length == 3, "both versions are shown");
        Assert.Contains("not sent", laptop.Status().GetProperty("readOnlyReason").GetString(), StringComparison.Ordinal);
        desk.Do("device", "hand-over", "laptop");
        DriveHome.Eventually(() => Directory.GetFiles(desk.Mount).Length == 3, "the other version came", 60);
        Assert.Equal(["of the desk", "of the laptop", "words"], Directory.GetFiles(desk.Mount).Select(File.ReadAllText).Order());
        laptop.Do("umount", "--wait");
        desk.Do("umount", "--wait");

        // All machines lost: the recovery key takes over when it is told to.
        string home = Path.Combine(desk.Root, "third");
        Dictionary<string, string> variables = new() { ["DRIVE_HOME"] = home };
        Ran recovered = Ran.Of(Ran.Drive, ["recover", url, "--take-over"], TimeSpan.FromMinutes(2), recoveryKey, variables);
        Assert.True(recovered.Code == 0, recovered.ToString());
        Assert.Contains("this machine, writes alone", Ran.Of(Ran.Drive, ["device", "list"], TimeSpan.FromMinutes(2), "", variables).Output, StringComparison.Ordinal);
    }

    private static void Join(DriveHome writer, DriveHome joining, string url, string name)
    {
        using Process adding = new()
        {
            StartInfo = new ProcessStartInfo(Ran.Drive, ["device", "add"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["DRIVE_HOME"] = writer.Home },
            },
        };
        adding.Start();
        string code = adding.StandardOutput.ReadLine()!;
        Ran joined = joining.RunWith(code + "\n", "join", url, "--device-name", name);
        Assert.True(joined.Code == 0, joined.ToString());
        Assert.True(adding.WaitForExit(TimeSpan.FromMinutes(1)), "'device add' ends when the machine has joined");
        string said = adding.StandardError.ReadToEnd();
        Assert.True(adding.ExitCode == 0 && said.Contains($"'{name}' has joined", StringComparison.Ordinal), said);
    }
}
