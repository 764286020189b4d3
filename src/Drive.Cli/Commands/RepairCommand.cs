using System.CommandLine;
using System.Text.Json;
using Drive.Control;
using Drive.Service;
using Drive.Service.Settings;
using Drive.Service.Setup;

namespace Drive.Cli.Commands;

/// <summary><c>drive repair [N]</c>: works with no daemon; refuses while one runs.</summary>
internal static class RepairCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string?> name = new("NAME") { Description = "The vault; not needed where there is only one.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> passphraseFile = new("--passphrase-file") { Description = "Read the passphrase from a file.", HelpName = "FILE" };
        Option<bool> history = new("--history") { Description = "Read the vault's whole log, which takes longer, so that older versions are known here again." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "repair",
            "Build this machine's state of a vault anew, from the store and the dirty log.",
            "drive umount && drive repair              # when a mount says that the local database is damaged",
            "drive repair --history                    # when this machine does not know older versions and snapshots",
            "drive repair work --json");
        command.Arguments.Add(name);
        command.Options.Add(passphraseFile);
        command.Options.Add(history);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            VaultEntry entry = service.Book.Get(UpCommand.Choose(service.Book, parsed.GetValue(name)));
            if (await Running.FindAsync(service.Paths, entry.Name, cancellationToken) is { } running)
            {
                running.Dispose();
                throw new DriveException(DriveError.InUse, $"'{entry.Name}' is mounted: 'drive umount {entry.Name}' first, then repair.");
            }

            string? passphrase = entry.Keys != KeyPlace.Passphrase ? null
                : parsed.GetValue(passphraseFile) is { } file ? Terminal.ReadPassphraseFile(file)
                : terminal.AskSecret($"Passphrase of '{entry.Name}'");
            RepairResult result = await service.RepairAsync(entry, passphrase, parsed.GetValue(history), cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(result, CliJson.Default.RepairResult));
            }
            else
            {
                Say(result);
            }

            return (int)(result.Complete ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    private static void Say(RepairResult result)
    {
        Terminal.Print($"The local state of '{result.Name}' is new: the vault's commit {result.Seq}, and {Quantity.Bytes(result.UnsentBytes)} that the next mount sends.");
        if (result.OldDatabase is not null)
        {
            Terminal.Print($"The old database is in '{result.OldDatabase}'; delete it when you miss nothing.");
        }

        if (result.FoundFolder is not null)
        {
            Terminal.Print($"Content without names, {result.FoundFiles} files, is in '{result.FoundFolder}' in the drive.");
        }

        if (!result.PinsKept)
        {
            Terminal.Print("What was pinned on this machine can't be read any more: if something was, 'drive pin' it again.");
        }

        foreach (LostBytes lost in result.Lost)
        {
            Terminal.Print($"Lost: {lost.Path}, bytes {lost.Offset} to {lost.Offset + lost.Length}.");
        }

        Terminal.Print(result.Complete
            ? "Everything that was synced is there."
            : "It can't be proven that everything is there: the dirty log lacks records. Look at the files that were changed last.");
    }
}
