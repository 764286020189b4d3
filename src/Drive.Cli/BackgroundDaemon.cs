using Drive.Control;
using Drive.Service;
using Drive.Service.Hosting;
using Drive.Service.Linux;

namespace Drive.Cli;

/// <summary>
/// The daemon's side of the pipe: <c>drive daemon NAME</c>, which <c>drive mount</c> runs in the background and nobody else. What to mount, and secrets,
/// come in over standard input; how that went goes out once over standard output. Not a command of the grammar, so that none of it is built here.
/// </summary>
internal static class BackgroundDaemon
{
    /// <summary>The first argument that means it.</summary>
    public const string Argument = "daemon";

    /// <summary>Runs until the drive is unmounted.</summary>
    public static async Task<ExitCode> RunAsync()
    {
        if (!Console.IsInputRedirected)
        {
            Console.Error.WriteLine("drive: 'drive daemon' is started by 'drive mount': use that.");
            return ExitCode.Usage;
        }

        DaemonStart? told;
        using (Stream input = Console.OpenStandardInput())
        {
            told = DaemonPipe.ReceiveStart(input);
        }

        if (told is not { } start)
        {
            // The command found something wrong before it came to mount.
            return ExitCode.Done;
        }

        DriveService service = DriveService.Create();
        string log = service.Paths.LogOf(start.Request.Name);
        BackgroundProcess.Detach(log);
        try
        {
            await service.RunDaemonAsync(start, isForeground: false, Report, CancellationToken.None);
            return ExitCode.Done;
        }
        catch (Exception exception)
        {
            DriveError error = (exception as DriveException)?.Error ?? DriveError.Failed;
            Report(new StartLine(null, new ErrorReply(error, exception.Message), null));
            return ExitCodes.For(error);
        }

        void Report(StartLine said)
        {
            try
            {
                using Stream output = Console.OpenStandardOutput();
                DaemonPipe.Send(output, said);
            }
            catch (IOException)
            {
                // Whoever started it did not wait. The drive is mounted all the same.
            }

            BackgroundProcess.CloseStandardStreams(log);
        }
    }
}
