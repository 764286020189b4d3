using System.CommandLine;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary><c>drive pin PATH</c>, <c>drive unpin PATH</c> and <c>drive evict PATH</c>: what of a mounted drive is kept on this machine.</summary>
internal static class PinCommands
{
    public static Command BuildPin(Terminal terminal) => Build(
        "pin",
        "Keep a file or folder on this machine: fetched in the background, never evicted, new files follow.",
        ["drive pin ~/Drive/travel", "drive pin ~/Drive/travel && drive status      # what is still to be fetched"],
        async (drive, path, cancellationToken) => Say(terminal, await drive.SetPinnedAsync(path, isPinned: true, cancellationToken)));

    public static Command BuildUnpin(Terminal terminal) => Build(
        "unpin",
        "Let a pinned file or folder go. It stays here until the room is needed.",
        ["drive unpin ~/Drive/travel"],
        async (drive, path, cancellationToken) => Say(terminal, await drive.SetPinnedAsync(path, isPinned: false, cancellationToken)));

    public static Command BuildEvict(Terminal terminal) => Build(
        "evict",
        "Free the local space of a file or folder now. What is not in the store yet stays.",
        ["drive evict ~/Drive/films"],
        async (drive, path, cancellationToken) =>
        {
            EvictReply reply = await drive.EvictAsync(path, cancellationToken);
            Terminal.Print($"freed {Quantity.Bytes(reply.FreedBytes)}");
            if (!reply.Kept.IsNone)
            {
                terminal.Say($"{Quantity.Files(reply.Kept)} stay: not in the store yet ('drive wait').");
            }
        });

    private static ExampleCommand Build(string name, string description, string[] examples, Func<ControlClient, string, CancellationToken, Task> work)
    {
        Argument<string[]> paths = new("PATH") { Description = "Files or folders on a mounted drive.", Arity = ArgumentArity.OneOrMore };
        ExampleCommand command = new(name, description, examples);
        command.Arguments.Add(paths);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            foreach (string path in parsed.GetRequiredValue(paths))
            {
                (ControlClient drive, string below) = await Running.AtPathAsync(DrivePaths.FromEnvironment(), path, cancellationToken);
                using (drive)
                {
                    await work(drive, below, cancellationToken);
                }
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Say(Terminal terminal, PinnedContent pins)
    {
        Terminal.Print($"pinned {Quantity.Files(pins.Pinned)}{(pins.ToFetch.IsNone ? "" : $", to fetch {Quantity.Files(pins.ToFetch)}")}");
        if (pins.Problem is { } problem)
        {
            terminal.Say(problem);
        }
    }
}
