using System.CommandLine;
using System.Text.Json;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary><c>drive du [PATH]</c>: what folders cost in the store.</summary>
internal static class DuCommand
{
    public static Command Build()
    {
        Argument<string?> path = new("PATH") { Description = "A folder on a mounted drive; all of the one that is mounted when left out.", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "du",
            "Say what folders cost in the store: the present, older versions, and what is saved.",
            "drive du",
            "drive du ~/Drive/photos --json | jq .total.stored");
        command.Arguments.Add(path);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DrivePaths paths = DrivePaths.FromEnvironment();
            (ControlClient drive, string below) = parsed.GetValue(path) is { } said
                ? await Running.AtPathAsync(paths, said, cancellationToken)
                : (await Running.OnlyAsync(paths, "du", cancellationToken), "");
            using (drive)
            {
                DiskCost cost = await drive.MeasureAsync(new PathRequest(below), cancellationToken);
                if (parsed.GetValue(json))
                {
                    Terminal.Print(JsonSerializer.Serialize(cost, ControlJson.Default.DiskCost));
                    return (int)ExitCode.Done;
                }

                Terminal.Print($"{"size",10} {"stored",10} {"history",10} {"dedup",10} {"compressed",10} {"files",9}");
                foreach (FolderCost folder in cost.Folders)
                {
                    Print(folder, folder.Name + "/");
                }

                Print(cost.Total, "all");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Print(FolderCost folder, string name) => Terminal.Print(
        $"{Quantity.Bytes(folder.Size),10} {Quantity.Bytes(folder.Stored),10} {Quantity.Bytes(folder.History),10} {Quantity.Bytes(folder.SavedByDedup),10} {Quantity.Bytes(folder.SavedByCompression),10} {folder.Files,9}  {name}");
}
