using System.CommandLine;
using Drive.Service;

namespace Drive.Cli.Commands;

/// <summary>What <c>drive mount</c> runs in the background. What to mount, and secrets, come over standard input; the vault's name in the arguments is for people who read process lists.</summary>
internal static class DaemonCommand
{
    /// <summary>The hidden command's name.</summary>
    public const string Name = "daemon";

    public static Command Build()
    {
        Command command = new(Name, "Run one mounted drive (used by 'drive mount').") { Hidden = true };
        Argument<string> name = new("NAME");
        command.Arguments.Add(name);
        command.SetAction(async (_, cancellationToken) => (int)await BackgroundDaemon.RunAsync(cancellationToken));
        return command;
    }
}
