using System.Diagnostics;
using System.Runtime.InteropServices;
using Drive.Control;
using Drive.Service.Hosting;

namespace Drive.Cli;

/// <summary>
/// A daemon in the background, from its start until it has mounted, or said why not. Starting the process and telling it what to mount are two
/// steps, since its runtime gets ready while the command looks into the settings; a daemon that is told nothing ends.
/// </summary>
internal sealed partial class Background : IDisposable
{
    private const uint CloseOnExec = 4;

    private readonly Process _daemon;

    private Background(Process daemon) => _daemon = daemon;

    /// <summary>Starts the process. The name is for people who read process lists.</summary>
    public static Background Start(string name)
    {
        // Pipes that this process inherited would stay open in the daemon, and whoever reads them would wait for ever.
        _ = CloseRange(3, uint.MaxValue, CloseOnExec);
        return new Background(Process.Start(StartInfo(name))
            ?? throw new DriveException(DriveError.Failed, "The daemon can't be started: try 'drive mount' with -f."));
    }

    /// <summary>What the daemon said when it had mounted; its refusal is thrown.</summary>
    public StartLine Mount(DrivePaths paths, DaemonStart start)
    {
        try
        {
            DaemonPipe.Send(_daemon.StandardInput.BaseStream, start);
        }
        catch (IOException)
        {
            // It ended already, which the answer that is missing tells.
        }

        StartLine? said = DaemonPipe.ReceiveStartLine(_daemon.StandardOutput.BaseStream);
        return said switch
        {
            null => throw new DriveException(DriveError.Failed, $"The daemon ended before it mounted: see '{paths.LogOf(start.Request.Name)}', or try with -f."),
            { Error: { } error } => throw new DriveException(error.Error, error.Message),
            _ => said,
        };
    }

    /// <summary>Lets go of it. One that was told what to mount lives on.</summary>
    public void Dispose()
    {
        _daemon.StandardInput.Close();
        _daemon.Dispose();
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

        start.ArgumentList.Add(BackgroundDaemon.Argument);
        start.ArgumentList.Add(name);
        return start;
    }

    [LibraryImport("libc", EntryPoint = "close_range")]
    private static partial int CloseRange(uint first, uint last, uint flags);
}
