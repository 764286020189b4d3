using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Drive.Cli.Commands;
using Drive.Control;
using Drive.Service.Hosting;

namespace Drive.Cli;

/// <summary>Starts a daemon in the background and waits until it has mounted, or says why not.</summary>
internal static partial class Background
{
    private const uint CloseOnExec = 4;

    /// <summary>What the daemon said; its refusal is thrown.</summary>
    public static async Task<StartLine> StartAsync(DrivePaths paths, DaemonStart start, CancellationToken cancellationToken)
    {
        // Pipes that this process inherited would stay open in the daemon, and whoever reads them would wait for ever.
        _ = CloseRange(3, uint.MaxValue, CloseOnExec);
        using Process daemon = Process.Start(StartInfo(start.Request.Name))
            ?? throw new DriveException(DriveError.Failed, "The daemon can't be started: try 'drive mount' with -f.");
        await daemon.StandardInput.WriteLineAsync(JsonSerializer.Serialize(start, DaemonJson.Default.DaemonStart).AsMemory(), cancellationToken);
        daemon.StandardInput.Close();
        string? line = await daemon.StandardOutput.ReadLineAsync(cancellationToken);
        StartLine? said = line is null ? null : JsonSerializer.Deserialize(line, ControlJson.Default.StartLine);
        return said switch
        {
            null => throw new DriveException(DriveError.Failed, $"The daemon ended before it mounted: see '{paths.LogOf(start.Request.Name)}', or try with -f."),
            { Error: { } error } => throw new DriveException(error.Error, error.Message),
            _ => said,
        };
    }

    private static ProcessStartInfo StartInfo(string name)
    {
        string program = Environment.ProcessPath ?? throw new DriveException(DriveError.Failed, "This process does not know its own program: call 'drive' by its full path.");
        ProcessStartInfo start = new(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,

            // The runtime keeps a copy of standard error from its first moment: the caller's own would stay open as long as the drive is mounted.
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        }

        start.ArgumentList.Add(DaemonCommand.Name);
        start.ArgumentList.Add(name);
        return start;
    }

    [LibraryImport("libc", EntryPoint = "close_range")]
    private static partial int CloseRange(uint first, uint last, uint flags);
}
