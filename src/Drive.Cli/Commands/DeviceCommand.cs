using System.CommandLine;
using System.Text.Json;
using Drive.Control;
using Drive.Service;
using Drive.Service.Hosting;
using Drive.Service.Settings;

namespace Drive.Cli.Commands;

/// <summary><c>drive device …</c>: who belongs to a vault.</summary>
internal static class DeviceCommand
{
    // As long as one needs to walk to another machine, install Drive there and type.
    private const int PairingMinutes = 15;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public static Command Build(Terminal terminal)
    {
        ExampleCommand command = new(
            "device",
            "See and change which machines belong to a vault.",
            "drive device add                           # shows a code for 'drive join' on the new machine",
            "drive device list",
            "drive device hand-over laptop              # where one machine alone writes",
            "drive device revoke laptop");
        command.Subcommands.Add(BuildAdd(terminal));
        command.Subcommands.Add(BuildList(terminal));
        command.Subcommands.Add(BuildRename(terminal));
        command.Subcommands.Add(BuildRevoke(terminal));
        command.Subcommands.Add(WriterCommands.BuildWriter(terminal));
        command.Subcommands.Add(WriterCommands.BuildHandOver(terminal));
        command.Subcommands.Add(WriterCommands.BuildTakeOver(terminal));
        command.Subcommands.Add(BuildAccountKey(terminal));
        return command;
    }

    private static ExampleCommand BuildAdd(Terminal terminal)
    {
        ExampleCommand command = new("add", "Show a code that lets one new machine in, and wait until it has joined.", "drive device add", "drive device add --name work --no-wait");
        VaultChoice choice = new(command);
        Option<bool> noWait = new("--no-wait") { Description = $"Do not wait; the code stays good until it is used or withdrawn with 'drive device revoke'. Otherwise it ends after {PairingMinutes} minutes." };
        command.Options.Add(noWait);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            PairingReply pairing = await opened.Devices.PairAsync(cancellationToken);
            if (pairing.NeedsAdmitting && parsed.GetValue(noWait))
            {
                await opened.Devices.RevokeAsync(new DeviceRequest(pairing.Id), cancellationToken);
                throw new DriveException(DriveError.Usage, "In a vault with a single writer the new machine is let in by this command, while it waits: leave --no-wait out.");
            }

            terminal.Say($"On the new machine: 'drive join {choice.Entry(parsed).Where}', and this code. It lets one machine in; whoever has it and can reach the store has the whole vault.");
            Terminal.Print(pairing.Code);
            return (int)(parsed.GetValue(noWait) ? ExitCode.Done : await WaitAsync(opened.Devices, pairing, terminal, cancellationToken));
        });
        return command;
    }

    private static async Task<ExitCode> WaitAsync(IDevices devices, PairingReply pairing, Terminal terminal, CancellationToken cancellationToken)
    {
        using CancellationTokenSource interrupted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            interrupted.Cancel();
        };
        HashSet<string> known = [.. (await devices.ListDevicesAsync(cancellationToken)).Members.Select(static member => member.Id)];
        long end = Environment.TickCount64 + (PairingMinutes * 60_000L);
        terminal.Say($"Waiting for it, {PairingMinutes} minutes at most; Ctrl-C withdraws the code.");
        try
        {
            while (Environment.TickCount64 < end)
            {
                DeviceList now = await (pairing.NeedsAdmitting ? devices.AdmitAsync(pairing, interrupted.Token) : devices.ListDevicesAsync(interrupted.Token));
                if (!now.Members.Any(member => member.Id == pairing.Id && member.Active))
                {
                    DeviceInfo? joined = now.Members.LastOrDefault(member => member.Kind == "device" && !known.Contains(member.Id));
                    terminal.Say(joined is null
                        ? "The code was withdrawn."
                        : $"'{joined.Name}' has joined as device {joined.Number}, fingerprint {joined.Fingerprint}. If that is not the machine you meant: 'drive device revoke {joined.Number}'.");
                    return joined is null ? ExitCode.No : ExitCode.Done;
                }

                await Task.Delay(LookAgain, TimeProvider.System, interrupted.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Withdrawn below.
        }

        await devices.RevokeAsync(new DeviceRequest(pairing.Id), CancellationToken.None);
        terminal.Say("Nobody joined; the code is withdrawn.");
        return ExitCode.No;
    }

    private static ExampleCommand BuildList(Terminal terminal)
    {
        ExampleCommand command = new("list", "Say who belongs to the vault.", "drive device list", "drive device list --json | jq -r '.members[].name'");
        VaultChoice choice = new(command);
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Option<bool> all = new("--all") { Description = "Also who was revoked, and used codes." };
        command.Options.Add(json);
        command.Options.Add(all);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            DeviceList list = await opened.Devices.ListDevicesAsync(cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(list, ControlJson.Default.DeviceList));
            }
            else
            {
                Print(list, parsed.GetValue(all), TimeProvider.System);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Print(DeviceList list, bool all, TimeProvider time)
    {
        List<DeviceInfo> shown = [.. list.Members.Where(member => all || member.Active)];
        int width = shown.Max(static member => member.Name.Length);
        foreach (DeviceInfo member in shown)
        {
            string number = member.Number > 0 ? $"{member.Number}" : "-";
            string state = !member.Active ? member.Kind == "pairing" ? "used or withdrawn" : "revoked"
                : member.IsThis ? list.Writer == member.Id ? "this machine, writes alone" : "this machine"
                : list.Writer == member.Id ? "writes alone"
                : member.Kind == "device" ? member.LastCommit is { } last ? $"last seen {Quantity.Age(time.GetUtcNow() - last)} ago" : "nothing sent yet"
                : member.Kind == "pairing" ? "a code that was not used yet"
                : "lets new devices in";
            Terminal.Print($"{number,3}  {member.Name.PadRight(width)}  {state}{(member.Kind == "device" ? $"  ({member.Fingerprint})" : "")}");
        }
    }

    private static ExampleCommand BuildRename(Terminal terminal)
    {
        ExampleCommand command = new("rename", "Give a device another name: it stands in the names of conflict copies.", "drive device rename 2 laptop");
        VaultChoice choice = new(command);
        Argument<string> device = new("DEVICE") { Description = "Its number or name." };
        Argument<string> to = new("NEWNAME") { Description = "What it is to be called." };
        command.Arguments.Add(device);
        command.Arguments.Add(to);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            DeviceInfo meant = await FindAsync(opened.Devices, parsed.GetRequiredValue(device), cancellationToken);
            await opened.Devices.RenameAsync(new DeviceRequest(meant.Id, parsed.GetRequiredValue(to)), cancellationToken);
            terminal.Say($"Device {meant.Number}, '{meant.Name}', is '{parsed.GetRequiredValue(to)}' now.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static ExampleCommand BuildRevoke(Terminal terminal)
    {
        ExampleCommand command = new("revoke", "End a device's membership, and begin a new key that it does not get.", "drive device revoke laptop", "drive device revoke 3");
        VaultChoice choice = new(command);
        Argument<string> device = new("DEVICE") { Description = "Its number or name, or the id of a pairing code." };
        command.Arguments.Add(device);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            DeviceInfo meant = await FindAsync(opened.Devices, parsed.GetRequiredValue(device), cancellationToken);
            DeviceList after = await opened.Devices.RevokeAsync(new DeviceRequest(meant.Id), cancellationToken);
            terminal.Say(meant.Kind == "pairing"
                ? "The pairing code is withdrawn."
                : $"'{meant.Name}' is revoked from commit {after.Seq} on, and the vault has a new key (the {Ordinal(after.KeyEpoch)}): what is written from now on it can neither read nor change.\n"
                + "What it has, it keeps: its copies of files, and the old key, which opens all that was stored before if it can still reach the store.\n"
                + "So change the store's password or access keys as well. If it knew the vault's passphrase: 'drive passwd'. If the recovery key was on it: 'drive recovery-key renew'.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static ExampleCommand BuildAccountKey(Terminal terminal)
    {
        ExampleCommand command = new("account-key", "Show what a new machine needs beside the passphrase.", "drive device account-key");
        VaultChoice choice = new(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            VaultEntry entry = choice.Entry(parsed);
            string key = await choice.Service.ReadAccountKeyAsync(entry, choice.Passphrase(parsed, entry, terminal), cancellationToken);
            terminal.Say("With the passphrase it opens the vault on a new machine; alone it opens nothing.");
            Terminal.Print(key);
            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>By number, id or name, among the active ones.</summary>
    internal static async Task<DeviceInfo> FindAsync(IDevices devices, string said, CancellationToken cancellationToken)
    {
        DeviceList list = await devices.ListDevicesAsync(cancellationToken);
        List<DeviceInfo> active = [.. list.Members.Where(static member => member.Active)];
        DeviceInfo? exact = active.Find(member => member.Id == said || (member.Number > 0 && $"{member.Number}" == said));
        List<DeviceInfo> named = [.. active.Where(member => member.Kind == "device" && member.Name == said)];
        return exact ?? (named.Count == 1 ? named[0]
            : throw new DriveException(
                DriveError.NotFound,
                named.Count == 0
                    ? $"No active device is called '{said}': 'drive device list' shows who belongs to the vault."
                    : $"{named.Count} devices are called '{said}': say which by its number, {string.Join(" or ", named.Select(static member => member.Number))}."));
    }

    private static string Ordinal(int number) => number switch
    {
        2 => "second",
        3 => "third",
        _ => $"{number}th",
    };
}
