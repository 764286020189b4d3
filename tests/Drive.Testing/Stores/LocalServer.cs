using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Drive.Testing.Stores;

/// <summary>Real server programs on loopback, with a temporary directory of their own. What was started is ended, with its children, by its process id.</summary>
public abstract class LocalServer : IAsyncDisposable
{
    private readonly List<Process> _daemons = [];

    protected LocalServer(string name) => Folder = Directory.CreateTempSubdirectory($"drive-{name}-").FullName;

    /// <summary>Where everything of it lies.</summary>
    protected string Folder { get; }

    public virtual ValueTask DisposeAsync()
    {
        foreach (Process daemon in Enumerable.Reverse(_daemons))
        {
            if (!daemon.HasExited)
            {
                daemon.Kill(entireProcessTree: true);
            }

            daemon.WaitForExit();
            daemon.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Where a program is, also where only root looks; null when it is not installed.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin")
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    protected string At(string name) => Path.Combine(Folder, name);

    protected void Start(string program, params string[] arguments) => _daemons.Add(Begin(program, arguments));

    protected async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Begin(program, arguments);
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(3));
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {Said}");
    }

    /// <summary>Until something answers there.</summary>
    protected async Task AwaitAnswerAsync(Uri uri)
    {
        using HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5) };
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        using PeriodicTimer again = new(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            try
            {
                using HttpResponseMessage answer = await http.GetAsync(uri, limit.Token);
                return;
            }
            catch (HttpRequestException)
            {
                Assert.True(_daemons.TrueForAll(static daemon => !daemon.HasExited), $"a server ended: {Said}");
                await again.WaitForNextTickAsync(limit.Token);
            }
        }
    }

    protected static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(static _ => new TcpListener(IPAddress.Loopback, 0))];
        Array.ForEach(listeners, static listener => listener.Start());
        int[] ports = [.. listeners.Select(static listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        Array.ForEach(listeners, static listener => listener.Dispose());
        return ports;
    }

    private string Said => File.Exists(At("output")) ? string.Join('\n', File.ReadLines(At("output")).TakeLast(10)) : "";

    private Process Begin(string program, string[] arguments)
    {
        ProcessStartInfo start = new("/bin/sh") { ArgumentList = { "-c", $"exec \"$0\" \"$@\" >>{At("output")} 2>&1", Find(program) ?? program } };
        Array.ForEach(arguments, start.ArgumentList.Add);
        return Process.Start(start)!;
    }
}
