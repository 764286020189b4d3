using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Drive.Control;
using Drive.Service.Hosting;

namespace Drive.Cli.Commands;

/// <summary><c>drive check</c>: whether the store has what the vault's tree needs.</summary>
internal static class CheckCommand
{
    public static Command Build(Terminal terminal)
    {
        ExampleCommand command = new(
            "check",
            "See whether the store has all that the drive shows, and say which files lack something.",
            "drive check                                # asks for every pack; reads none",
            "drive check --read-data 10%                # opens a tenth of them, another one each time",
            "drive check --read-data --repair --json");
        VaultChoice choice = new(command);
        Option<string?> readData = new("--read-data") { Description = "Read packs whole and check every seal: all of them, or a share, drawn at random.", HelpName = "N%", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> repair = new("--repair") { Description = "Send again what the store lost and this machine's cache has." };
        Option<bool> search = new("--search-packs") { Description = "With --repair: look for what is still lost in all packs of the store, by the list that each has of its own content. Reads all of them." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        command.Options.Add(readData);
        command.Options.Add(repair);
        command.Options.Add(search);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            double share = parsed.GetResult(readData) is null ? 0 : ParseShare(parsed.GetValue(readData));
            if (parsed.GetValue(search) && !parsed.GetValue(repair))
            {
                throw new DriveException(DriveError.Usage, "--search-packs finds content to send again: add --repair.");
            }

            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            CheckResult result = await opened.Health.CheckAsync(new CheckOrder(share, parsed.GetValue(repair), parsed.GetValue(search)), cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(result, ControlJson.Default.CheckResult));
            }
            else
            {
                Print(terminal, result, parsed.GetValue(repair));
            }

            return (int)(result.Sound && result.BadLog.Count == 0 && result.BadPacks.All(static bad => bad.Lost == bad.Restored) ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    /// <summary>From "10%"; all without a number.</summary>
    internal static double ParseShare(string? text) => text is null ? 1
        : text.EndsWith('%') && double.TryParse(text.AsSpan()[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent) && percent is > 0 and <= 100 ? percent / 100
        : throw new DriveException(DriveError.Usage, $"'{text}' is no share: write --read-data 10%, or --read-data alone for all.");

    private static void Print(Terminal terminal, CheckResult result, bool hasRepaired)
    {
        Terminal.Print($"Commit {result.Seq}: {result.Blocks} blocks in {result.Packs} packs; {result.PacksRead} packs read ({Quantity.Bytes(result.BytesRead)}).");
        if (!result.TreeSound)
        {
            Terminal.Print("The tree on this machine is not the one of the log: 'drive umount', then 'drive repair' builds it anew.");
        }

        if (result.UnknownBlocks > 0)
        {
            Terminal.Print($"{result.UnknownBlocks} references to content whose place is not known: 'drive umount', then 'drive repair' builds the tree anew; if that is no help, 'drive check --repair --search-packs' looks into every pack.");
        }

        foreach (BadPackInfo bad in result.BadPacks)
        {
            Terminal.Print($"{bad.Name} {bad.Problem}: {bad.Lost} of {bad.Blocks} blocks lost{(bad.Restored > 0 ? $", {bad.Restored} sent again" : "")}.");
        }

        foreach (BadLogInfo bad in result.BadLog)
        {
            Terminal.Print($"{bad.Name} {bad.Problem}: other machines may not be able to join{(hasRepaired ? "; a new checkpoint was written, and 'drive gc' cuts the log there once every machine that writes was here" : "")}.");
        }

        foreach (BadFileInfo bad in result.BadFiles)
        {
            Terminal.Print($"Lacks {Quantity.Bytes(bad.LostBytes)}: {bad.Path}");
        }

        if (result.BadFileCount > result.BadFiles.Count)
        {
            Terminal.Print($"and {result.BadFileCount - result.BadFiles.Count} files more.");
        }

        Terminal.Print(result.Sound ? "All that the drive shows is there."
            : result.BadFileCount == 0 ? "The store has all that the log names."
            : "Some files lack content. Other machines may have it in their caches: 'drive check --repair' there. Another pack may have it: 'drive check --repair --search-packs'. Where an older copy of a file is at hand, copy it in again: what is the same is sent again.");
        if (!hasRepaired && result.BadPacks.Count + result.BadLog.Count > 0)
        {
            terminal.Say("'drive check --repair' sends again what this machine has.");
        }
    }
}
