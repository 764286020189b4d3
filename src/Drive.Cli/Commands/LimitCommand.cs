using System.CommandLine;
using Drive.Control;
using Drive.Core.Stores;
using Drive.Service;

namespace Drive.Cli.Commands;

/// <summary><c>drive limit NAME [--up RATE] [--down RATE]</c>: at once where it is mounted, and for the next mounts.</summary>
internal static class LimitCommand
{
    public static Command Build()
    {
        Argument<string> name = new("NAME") { Description = "The vault's name on this machine." };
        Option<string?> up = new("--up") { Description = "Bytes per second to the store: " + MountArguments.LimitHelp, HelpName = "RATE" };
        Option<string?> down = new("--down") { Description = "Bytes per second from it.", HelpName = "RATE" };
        ExampleCommand command = new(
            "limit",
            "Limit the bytes per second that go to the store and come from it.",
            "drive limit drive --up 1M",
            "drive limit drive --up 08:00-18:00=512K,4M --down 22:00-06:00=off,2M",
            "drive limit drive --up off --down off",
            "drive limit drive                         # what holds now");
        command.Arguments.Add(name);
        command.Options.Add(up);
        command.Options.Add(down);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string vault = parsed.GetRequiredValue(name);
            RateSchedule? newUp = MountOptions.Limit(parsed.GetValue(up));
            RateSchedule? newDown = MountOptions.Limit(parsed.GetValue(down));
            DriveService service = DriveService.Create();
            if (newUp is not null || newDown is not null)
            {
                service.KeepLimits(vault, newUp, newDown);
            }

            using ControlClient? drive = await Running.FindAsync(service.Paths, vault, cancellationToken);
            TransferLimits limits = drive is not null
                ? await drive.SetLimitsAsync(new LimitRequest(newUp?.ToString(), newDown?.ToString()), cancellationToken)
                : service.LimitsOf(vault);
            Terminal.Print(StatusCommand.Limits(limits));
            return (int)ExitCode.Done;
        });
        return command;
    }
}
