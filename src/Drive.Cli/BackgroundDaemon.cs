using System.Text.Json;
using Drive.Control;
using Drive.Service;
using Drive.Service.Hosting;
using Drive.Service.Linux;

namespace Drive.Cli;

/// <summary>The daemon's side of the pipe: what to mount comes in as one line of JSON, how that went goes out as one.</summary>
internal static class BackgroundDaemon
{
    /// <summary>Runs until the drive is unmounted.</summary>
    public static async Task<ExitCode> RunAsync(CancellationToken cancellationToken)
    {
        using StreamReader input = new(Console.OpenStandardInput());
        DaemonStart start = await input.ReadLineAsync(cancellationToken) is { } line
            && JsonSerializer.Deserialize(line, DaemonJson.Default.DaemonStart) is { } read
                ? read
                : throw new DriveException(DriveError.Usage, "'drive daemon' is started by 'drive mount': use that.");
        DriveService service = DriveService.Create();
        string log = service.Paths.LogOf(start.Request.Name);
        BackgroundProcess.Detach(log);
        try
        {
            await service.RunDaemonAsync(start, isForeground: false, Report, cancellationToken);
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
                output.Write((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(said, ControlJson.Default.StartLine), (byte)'\n']);
                output.Flush();
            }
            catch (IOException)
            {
                // Whoever started it did not wait. The drive is mounted all the same.
            }

            BackgroundProcess.CloseStandardStreams(log);
        }
    }
}
