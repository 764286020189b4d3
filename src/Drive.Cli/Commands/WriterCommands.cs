using System.CommandLine;
using Drive.Control;
using Drive.Service.Hosting;

namespace Drive.Cli.Commands;

/// <summary><c>drive device writer | hand-over | take-over</c>: who writes, in a vault with a single writer.</summary>
internal static class WriterCommands
{
    public static Command BuildWriter(Terminal terminal)
    {
        ExampleCommand command = new("writer", "Say which machine writes to the vault, where only one does.", "drive device writer");
        VaultChoice choice = new(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            DeviceList list = await opened.Devices.ListDevicesAsync(cancellationToken);
            if (WriterOf(list) is not { } writer)
            {
                terminal.Say("All devices of this vault write to it.");
                return (int)ExitCode.Done;
            }

            Terminal.Print(writer.Name);
            terminal.Say(writer.IsThis
                ? "That is this machine: 'drive device hand-over DEVICE' makes another one the writer."
                : $"Here the vault is read-only: 'drive device hand-over' on '{writer.Name}' makes another machine the writer.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    public static Command BuildHandOver(Terminal terminal)
    {
        ExampleCommand command = new(
            "hand-over",
            "Make another machine the one that writes, when all that was changed here is sent.",
            "drive device hand-over laptop");
        VaultChoice choice = new(command);
        Argument<string> device = new("DEVICE") { Description = "Its number or name." };
        command.Arguments.Add(device);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            DeviceInfo meant = await DeviceCommand.FindAsync(opened.Devices, parsed.GetRequiredValue(device), cancellationToken);
            if (meant.IsThis)
            {
                throw new DriveException(DriveError.Usage, "That is this machine: name the one that is to write.");
            }

            await opened.Devices.HandOverAsync(new DeviceRequest(meant.Id), cancellationToken);
            terminal.Say($"'{meant.Name}' writes from now on; here the drive is read-only. What was open for writing here can't be saved any more.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    public static Command BuildTakeOver(Terminal terminal)
    {
        ExampleCommand command = new(
            "take-over",
            "Make this machine the one that writes although the other has not handed over: for when that one is lost.",
            "drive device take-over --from laptop");
        VaultChoice choice = new(command);
        Option<string?> from = new("--from") { Description = "The machine that writes now, by name: says that you know which one it is, and that it is off or lost.", HelpName = "DEVICE" };
        command.Options.Add(from);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            DeviceList list = await opened.Devices.ListDevicesAsync(cancellationToken);
            DeviceInfo writer = WriterOf(list) ?? throw new DriveException(DriveError.Usage, "All devices of this vault write to it: there is nothing to take over.");
            if (writer.IsThis)
            {
                throw new DriveException(DriveError.Usage, "This machine is the one that writes already.");
            }

            if (parsed.GetValue(from) is not { } said || (await DeviceCommand.FindAsync(opened.Devices, said, cancellationToken)).Id != writer.Id)
            {
                throw new DriveException(
                    DriveError.Usage,
                    $"'{writer.Name}' writes to this vault. If it works, run 'drive device hand-over' there. If it is lost: what it has not sent is not in the vault, and should it be at work at this very moment, "
                    + $"its commit and this one may damage each other, as this store does not keep names that are taken. So switch it off first, then: 'drive device take-over --from {writer.Name}'.");
            }

            await opened.Devices.TakeOverAsync(new DeviceRequest(writer.Id), cancellationToken);
            terminal.Say($"This machine writes from now on. When '{writer.Name}' comes back it is read-only there, and keeps what it had not sent: hand over to it for a while and it sends that, "
                + $"with both versions kept where both changed something. If it is gone for good: 'drive device revoke {writer.Name}'.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static DeviceInfo? WriterOf(DeviceList list) => list.Members.FirstOrDefault(member => member.Id == list.Writer);
}
