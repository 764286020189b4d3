using System.CommandLine;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary>
/// <c>drive serve</c> and its users and tokens. The grammar alone: what it does stands in <see cref="ServeActions"/>, so that no other command loads the server.
/// </summary>
internal static class ServeCommand
{
    public static Command Build(Terminal terminal)
    {
        Option<string> data = new("--data") { Description = "Where the server keeps everything.", HelpName = "DIR", Required = true, Recursive = true };
        Option<string[]> listen = new("--listen")
        {
            Description = "Where it listens; may be given again. http:// only on this machine.",
            HelpName = "URL",
            DefaultValueFactory = _ => ["https://0.0.0.0:8443"],
        };
        Option<string?> certificate = new("--certificate") { Description = "Its certificate, with the chain, as PEM. Without one it makes its own.", HelpName = "FILE" };
        Option<string?> key = new("--key") { Description = "The certificate's key as PEM.", HelpName = "FILE" };
        Option<string> limit = new("--object-limit") { Description = "The largest object.", HelpName = "SIZE", DefaultValueFactory = _ => "64M" };
        Option<int> rate = new("--rate") { Description = "Requests a second that one token may make.", HelpName = "N", DefaultValueFactory = _ => 500 };
        Option<bool> scrub = new("--scrub") { Description = "Do not serve: read every object, and say what is damaged." };
        ExampleCommand command = new(
            "serve",
            "Keep vaults for other machines: a store server.",
            "drive serve user add ana --quota 50GB --data /srv/drive",
            "drive serve token add ana --name laptop --data /srv/drive      # prints the token once",
            "drive serve --data /srv/drive --listen https://0.0.0.0:8443",
            "drive serve --scrub --data /srv/drive");
        command.Options.Add(data);
        command.Options.Add(listen);
        command.Options.Add(certificate);
        command.Options.Add(key);
        command.Options.Add(limit);
        command.Options.Add(rate);
        command.Options.Add(scrub);
        command.Subcommands.Add(BuildUser(data));
        command.Subcommands.Add(BuildToken(terminal, data));
        command.SetAction(async (parsed, cancellationToken) => parsed.GetValue(scrub)
            ? ServeActions.Scrub(parsed.GetRequiredValue(data), cancellationToken)
            : await ServeActions.ServeAsync(
                terminal,
                parsed.GetRequiredValue(data),
                parsed.GetValue(listen)!,
                parsed.GetValue(certificate),
                parsed.GetValue(key),
                Size(parsed.GetValue(limit)!),
                parsed.GetValue(rate),
                cancellationToken));
        return command;
    }

    private static Command BuildUser(Option<string> data)
    {
        Argument<string> name = new("NAME") { Description = "1 to 64 of a-z 0-9 - and '.'." };
        Argument<string> size = new("SIZE") { Description = "What the user's vaults may take together, such as 50GB." };
        Option<string> quota = new("--quota") { Description = size.Description, HelpName = "SIZE", DefaultValueFactory = _ => "10GB" };
        Command add = new("add", "Add a user.") { name, quota };
        add.SetAction(parsed => ServeActions.AddUser(parsed.GetRequiredValue(data), parsed.GetRequiredValue(name), Size(parsed.GetValue(quota)!)));
        Command change = new("quota", "Give a user more or less room.") { name, size };
        change.SetAction(parsed => ServeActions.SetQuota(parsed.GetRequiredValue(data), parsed.GetRequiredValue(name), Size(parsed.GetRequiredValue(size))));
        return new Command("user", "Users of the server.") { add, change };
    }

    private static Command BuildToken(Terminal terminal, Option<string> data)
    {
        Argument<string> user = new("USER") { Description = "Whose it is." };
        Option<bool> appendOnly = new("--append-only") { Description = "It may add and read, and never remove." };
        Option<string?> name = new("--name") { Description = "What you call it, such as the machine that gets it.", HelpName = "NAME" };
        Command add = new("add", "Make a token, and print it once.") { user, appendOnly, name };
        add.SetAction(parsed => ServeActions.AddToken(terminal, parsed.GetRequiredValue(data), parsed.GetRequiredValue(user), parsed.GetValue(name), parsed.GetValue(appendOnly)));
        Command list = new("list", "List users and tokens.");
        list.SetAction(parsed => ServeActions.List(parsed.GetRequiredValue(data)));
        Argument<string> id = new("ID") { Description = "As 'token list' shows it." };
        Command revoke = new("revoke", "End a token, at once.") { id };
        revoke.SetAction(parsed => ServeActions.Revoke(parsed.GetRequiredValue(data), parsed.GetRequiredValue(id)));
        return new Command("token", "Tokens of the users.") { add, list, revoke };
    }

    private static long Size(string text) => Quantity.ParseBytes(text) ?? throw new DriveException(DriveError.Usage, $"'{text}' is no size: write 500M, 50GB or 1.5T.");
}
