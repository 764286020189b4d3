using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary><c>drive gc [NAME]</c>: forgets by the vault's rule and gives space in the store back.</summary>
internal static class GarbageCommand
{
    /// <summary>After this time without a word from a device people are told how not to wait for it.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromDays(90);

    public static Command Build(Terminal terminal)
    {
        Argument<string?> name = new("NAME") { Description = "The vault's name; not needed when one drive is mounted.", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> dryRun = new("--dry-run") { Description = "Only count what would go." };
        Option<string?> lapse = new("--lapse") { Description = "Wait no longer for this device: what it shares with removed files and has not sent is lost to it.", HelpName = "DEVICE" };
        Option<string?> keep = new("--keep") { Description = "What the vault's history keeps from now on: hours in which all is kept, then how many days, weeks, months and years; or 'all'.", HelpName = "RULE" };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "gc",
            "Forget old versions by the vault's rule, and give space in the store back. Runs by itself once a day.",
            "drive gc",
            "drive gc drive --dry-run",
            "drive gc drive --keep 48h,14d,8w       # all of two days, then fourteen daily and eight weekly states",
            "drive gc drive --lapse old-laptop      # it was lost, and its word is not waited for");
        command.Arguments.Add(name);
        command.Options.Add(dryRun);
        command.Options.Add(lapse);
        command.Options.Add(keep);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DrivePaths paths = DrivePaths.FromEnvironment();
            using ControlClient drive = parsed.GetValue(name) is { } vault
                ? await Running.GetAsync(paths, vault, cancellationToken)
                : await Running.OnlyAsync(paths, "gc", cancellationToken);
            GarbageReply reply = await drive.CollectGarbageAsync(new GarbageRequest(parsed.GetValue(dryRun), parsed.GetValue(lapse), parsed.GetValue(keep)), cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(reply, ControlJson.Default.GarbageReply));
            }
            else
            {
                Print(terminal, reply, parsed.GetValue(dryRun));
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Print(Terminal terminal, GarbageReply reply, bool isDryRun)
    {
        Terminal.Print($"in the store {Quantity.Bytes(reply.StoredBytes)}, needed {Quantity.Bytes(reply.NeededBytes)}");
        Terminal.Print(isDryRun
            ? $"not needed {Packs(reply.Unneeded)}, waste in others {Packs(reply.Wasteful)}"
            : $"deleted {Packs(reply.Deleted)}, moved what is needed out of {Packs(reply.Moved)}");
        Terminal.Print($"history keeps {reply.Keep}");
        if (reply.Waiting > 0)
        {
            Terminal.Print($"{reply.Waiting} packs wait to be deleted");
        }

        foreach (AwaitedDevice device in reply.WaitsFor)
        {
            terminal.Say($"They wait for '{device.Name}' ({LastSeen(device)}){(IsSilent(device) ? $": if it will not come back, 'drive gc --lapse {device.Name}' or 'drive device revoke {device.Name}'" : "")}.");
        }

        if (reply.CutCommits > 0)
        {
            Terminal.Print($"{(isDryRun ? "could delete" : "deleted")} {reply.CutCommits.ToString(CultureInfo.InvariantCulture)} commits of the log, which a checkpoint stands for");
        }

        // Somebody who was here lately need not be told: the log waits for each device that is not mounted just now.
        foreach (AwaitedDevice device in reply.LogWaitsFor.Where(IsSilent))
        {
            terminal.Say($"The log waits for '{device.Name}' ({LastSeen(device)}) before more of it goes: if it will not come back, 'drive device revoke {device.Name}'.");
        }

        if (reply.LogProblem is { } problem)
        {
            terminal.Say($"The log was not cut: {problem}");
        }

        if (reply.MissingPacks > 0)
        {
            terminal.Say($"{reply.MissingPacks} packs that are needed are missing in the store: bring them back from a copy of it. What is read from them fails until then.");
        }

        if (reply.Frozen is { } frozen)
        {
            terminal.Say($"Nothing is forgotten while retention is frozen: {frozen}");
        }

        if (reply.IsPastUnknown)
        {
            terminal.Say("This machine does not know all of the vault's history: run 'drive gc' on one that does, or unmount and read it with 'drive repair --history'.");
        }

        if (reply.Refused is { } refused)
        {
            terminal.Say($"The store deletes nothing: {refused} What could go stays, and is tried again each day.");
        }
    }

    private static bool IsSilent(AwaitedDevice device) => device.LastSeen is { } seen && TimeProvider.System.GetUtcNow() - seen > SilenceMax;

    private static string LastSeen(AwaitedDevice device) => device.LastSeen is { } at ? $"last seen {at.ToLocalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}" : "not seen yet";

    private static string Packs(FileAmount amount) => $"{amount.Files.ToString(CultureInfo.InvariantCulture)} packs ({Quantity.Bytes(amount.Bytes)})";
}
