using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>
/// A machine of its own for the real command: DRIVE_HOME in a temporary directory, and whatever was mounted from it is unmounted at the end.
/// </summary>
internal sealed class DriveHome : IDisposable
{

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

    /// <summary>Variables that the command has besides this process's.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    public Ran Run(params string[] arguments) => RunWith("", arguments);

    public Ran RunWith(string input, params string[] arguments) => Ran.Of(Ran.Drive, arguments, RunTime, input, new Dictionary<string, string>(Variables) { ["DRIVE_HOME"] = Home });

    /// <summary>Runs what must succeed.</summary>
    public Ran Do(params string[] arguments)
    {
        Ran ran = Run(arguments);
        Assert.True(ran.Code == 0, $"drive {string.Join(' ', arguments)}: {ran}");
        return ran;
    }

    public JsonElement Status() => JsonDocument.Parse(Do("status", "--json").Output).RootElement;

    public int Pid() => Status().GetProperty("pid").GetInt32();

    /// <summary>Waits until a process has ended. One that its parent has not asked after yet (a zombie) has.</summary>
    public static void AwaitEnd(int pid) => Assert.True(SpinWait.SpinUntil(() => HasEnded(pid), TimeSpan.FromSeconds(20)), $"process {pid} did not end");

    /// <summary>Waits until something is so; how long it took.</summary>
    public static TimeSpan Eventually(Func<bool> condition, string what, int seconds = 30)
    {
        System.Diagnostics.Stopwatch watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                try
                {
                    return condition();
                }
                catch (IOException)
                {
                    return false;
                }
            },
            TimeSpan.FromSeconds(seconds)), what);
        return watch.Elapsed;
    }

    private static bool HasEnded(int pid)
    {
        try
        {
            // proc_pid_stat(5): the state follows the name, which is in brackets and may hold any character; the number of threads is the 20th field. While another
            // thread of a zombie still ends, its files and locks are open.
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] == "X" || (fields[0] == "Z" && fields[17] is "0" or "1");
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose()
    {
        Run("umount", Mount);

        // A test that failed half-way may have taken away what an orderly unmount needs.
        Shell.Run("umount", "-l", Mount);
        if (_borrowed is null)
        {
            // Not by .NET: it does not delete names that are no text.
            Shell.Run("rm", "-rf", "--", Root);
        }
    }
}
