using System.Diagnostics;
using System.Text.RegularExpressions;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores;
using Drive.Stores.Http;

namespace Drive.Cli.Tests;

/// <summary><c>drive serve</c> as a process of its own, with a user and a token. It can be killed and started again on its port.</summary>
internal sealed partial class ServerProcess : IDisposable
{
    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(60);

    private readonly string _quota;
    private Process? _process;
    private int _port;

    public ServerProcess(string data, string quota = "10GB")
    {
        Data = data;
        _quota = quota;
        Do("user", "add", "ana", "--quota", _quota);
        Token = Do("token", "add", "ana", "--name", "laptop").Output.Trim();
        Start();
    }

    public string Data { get; }

    public string Token { get; }

    public string Fingerprint { get; private set; } = "";

    public int Pid => _process!.Id;

    public string Url(string vault) => $"drive+https://127.0.0.1:{_port}/{vault}?pin={Fingerprint}";

    public IObjectStore Open(string vault) => ((HttpPlace)StorePlace.Parse(Url(vault))).Open(Token, create: true, TimeProvider.System, SystemRandomSource.Instance);

    /// <summary>Runs <c>drive serve</c> with these arguments to its end.</summary>
    public Ran Run(params string[] arguments) => Ran.Of(Ran.Drive, ["serve", .. arguments, "--data", Data], RunTime);

    public Ran Do(params string[] arguments)
    {
        Ran ran = Run(arguments);
        Assert.True(ran.Code == 0, $"drive serve {string.Join(' ', arguments)}: {ran}");
        return ran;
    }

    /// <summary>Returns when it listens.</summary>
    public void Start()
    {
        // Its log is on standard error: nobody reads that here, so it goes to a file.
        string[] arguments = ["-c", $"exec \"$0\" \"$@\" 2>>'{Data}.log'", Ran.Drive, "serve", "--data", Data, "--listen", $"https://127.0.0.1:{_port}"];
        ProcessStartInfo start = new("/bin/sh", arguments) { RedirectStandardOutput = true };
        _process = Process.Start(start)!;
        string serving = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException(File.ReadAllText(Data + ".log"));
        _port = int.Parse(Port().Match(serving).Groups[1].ValueSpan);
        Fingerprint = _process.StandardOutput.ReadLine()!.Split(' ')[^1];
    }

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Asks it to end, and gives its exit code.</summary>
    public int Terminate()
    {
        Shell.Do("kill", "-TERM", $"{Pid}");
        Assert.True(_process!.WaitForExit(TimeSpan.FromSeconds(20)), "it stops when it is asked to");
        int code = _process.ExitCode;
        _process.Dispose();
        _process = null;
        return code;
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            Kill();
        }
    }

    [GeneratedRegex(":([0-9]+)$")]
    private static partial Regex Port();
}
