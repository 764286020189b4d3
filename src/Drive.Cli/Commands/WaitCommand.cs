using System.CommandLine;
using System.Text.Json;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary>How a wait ended.</summary>
internal sealed record WaitReport(string Name, bool Done, FileAmount Left, string? LastError);

/// <summary><c>drive wait [N] [--timeout T]</c>: 0 when everything written before the call is committed in the store, else 1.</summary>
internal static class WaitCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string?> name = new("NAME") { Description = "The vault, or its mount point; not needed where one is mounted.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> timeout = new("--timeout") { Description = "Give up after 90, 90s, 5m or 2h.", HelpName = "T" };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "wait",
            "Wait until everything written so far is in the store.",
            "drive wait && echo 'safe to leave'",
            "drive wait work --timeout 5m || echo 'still sending'");
        command.Arguments.Add(name);
        command.Options.Add(timeout);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            TimeSpan? limit = parsed.GetValue(timeout) is { } text
                ? Quantity.ParseTime(text) ?? throw new DriveException(DriveError.Usage, $"'{text}' is no time: write 90, 90s, 5m or 2h.")
                : null;
            DrivePaths paths = DrivePaths.FromEnvironment();
            using ControlClient drive = parsed.GetValue(name) is { } asked
                ? await Running.GetAsync(paths, Running.Record(paths, asked)?.Name ?? asked, cancellationToken)
                : await Running.OnlyAsync(paths, "wait", cancellationToken);
            WaitLine end = await WaitAsync(terminal, drive, limit, cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(new WaitReport(drive.Daemon.Name, end.Done, end.Left, end.LastError), CliJson.Default.WaitReport));
            }
            else if (!end.Done)
            {
                terminal.Say($"Not in the store yet: {Quantity.Files(end.Left)}.{(end.LastError is null ? "" : " " + end.LastError)}");
            }

            return (int)(end.Done ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    /// <summary>Waits with a bar; the last line that came, when the time ran out.</summary>
    internal static async Task<WaitLine> WaitAsync(Terminal terminal, ControlClient drive, TimeSpan? limit, CancellationToken cancellationToken)
    {
        using CancellationTokenSource timer = new(limit ?? Timeout.InfiniteTimeSpan, TimeProvider.System);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        WaitLine? last = null;
        FileAmount most = default;
        try
        {
            await foreach (WaitLine line in drive.WaitAsync(either.Token))
            {
                last = line;
                most = new FileAmount(Math.Max(most.Files, line.Left.Files), Math.Max(most.Bytes, line.Left.Bytes));
                if (!line.Done)
                {
                    terminal.ShowBar(line.Left, most);
                }
            }
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested)
        {
            DriveStatus status = await drive.GetStatusAsync(cancellationToken);
            FileAmount left = new(status.LocalOnly.Files + status.Uploading.Files, status.LocalOnly.Bytes + status.Uploading.Bytes);
            last = new WaitLine(false, left, status.LastError ?? last?.LastError);
        }
        finally
        {
            terminal.ClearBar();
        }

        return last ?? throw new DriveException(DriveError.Failed, $"The daemon of '{drive.Daemon.Name}' ended meanwhile: mount it again and wait again.");
    }
}
