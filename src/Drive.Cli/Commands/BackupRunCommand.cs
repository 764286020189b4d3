using System.CommandLine;
using System.Diagnostics;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary><c>drive backup run</c> and <c>verify</c>, which take their time.</summary>
internal static class BackupRunCommand
{
    // What is printed for people of what is not there, or not whole; --json has more.
    private const int PathsShown = 20;

    public static ExampleCommand BuildRun(Terminal terminal)
    {
        Argument<string> name = new("NAME") { Description = "The set's name." };
        Option<bool> paranoid = new("--paranoid") { Description = "Read every file, also those that look unchanged." };
        ExampleCommand command = new(
            "run",
            "Run a set now. Interrupted, it goes on from there the next time.",
            "drive backup run docs",
            "drive backup run docs --paranoid --json",
            "drive backup run docs --vault work || echo 'look at it'");
        command.Arguments.Add(name);
        command.Options.Add(paranoid);
        return BackupCommand.WithVault(command, async (parsed, backups, cancellationToken) =>
        {
            BackupRunInfo run;
            try
            {
                run = await backups.RunSetAsync(
                    new BackupRunRequest(parsed.GetRequiredValue(name), parsed.GetValue(paranoid)), progress => terminal.ShowLine($"{BackupText.Describe(progress)}  {progress.Path}"), cancellationToken);
            }
            finally
            {
                terminal.ClearBar();
            }

            BackupCommand.Print(parsed, run, ControlJson.Default.BackupRunInfo, BackupText.Describe);
            TellPaths(terminal, run.Unreadable, run.UnreadableCount, "Not whole");
            if (run.Reason is { } reason)
            {
                terminal.Say(reason);
            }

            return run.Outcome switch
            {
                "done" => ExitCode.Done,
                "incomplete" => ExitCode.Incomplete,
                "suspicious" => ExitCode.Suspicious,
                "failed" => ExitCode.Failed,
                _ => throw new UnreachableException(),
            };
        });
    }

    public static ExampleCommand BuildVerify(Terminal terminal)
    {
        Argument<string?> name = new("NAME") { Description = "One set; all without it.", Arity = ArgumentArity.ZeroOrOne };
        Option<int> percent = new("--percent") { Description = "How much of it, what was longest not read first.", HelpName = "N", DefaultValueFactory = static _ => 100 };
        ExampleCommand command = new(
            "verify",
            "Read what was backed up back from the store, and compare.",
            "drive backup verify docs",
            "drive backup verify --percent 10");
        command.Arguments.Add(name);
        command.Options.Add(percent);
        return BackupCommand.WithVault(command, async (parsed, backups, cancellationToken) =>
        {
            BackupVerifyInfo info = await backups.VerifySetAsync(new BackupVerifyRequest(parsed.GetValue(name), parsed.GetValue(percent)), cancellationToken);
            BackupCommand.Print(parsed, info, ControlJson.Default.BackupVerifyInfo, static info =>
                $"{info.PacksRead} of {info.Packs} packs read back ({Quantity.Bytes(info.BytesRead)}): {(info.DamagedCount == 0 ? "all as it was" : $"{info.DamagedCount} files damaged")}.");
            TellPaths(terminal, info.Damaged, info.DamagedCount, "Damaged");
            if (info.DamagedCount > 0)
            {
                terminal.Say("'drive check --read-data --repair' sends again what this machine has; 'drive backup run NAME --paranoid' reads the folders anew.");
            }

            return info.DamagedCount == 0 ? ExitCode.Done : ExitCode.No;
        });
    }

    private static void TellPaths(Terminal terminal, IReadOnlyList<UnreadablePathInfo> paths, long count, string what)
    {
        foreach (UnreadablePathInfo path in paths.Take(PathsShown))
        {
            terminal.Say($"{what}: {path.Path}: {path.Reason}");
        }

        if (count > Math.Min(paths.Count, PathsShown))
        {
            terminal.Say($"and {count - Math.Min(paths.Count, PathsShown)} more; --json shows up to a thousand.");
        }
    }
}
