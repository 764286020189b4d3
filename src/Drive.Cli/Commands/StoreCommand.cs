using System.CommandLine;
using System.Text.Json;
using Drive.Control;
using Drive.Service;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Stores;

namespace Drive.Cli.Commands;

/// <summary><c>drive store check STORE</c>: whether a vault would be safe there; <c>login</c> and <c>logout</c>: who signs in to it.</summary>
internal static class StoreCommand
{
    public static Command Build(Terminal terminal)
    {
        ExampleCommand command = new(
            "store",
            "Look at places for a vault, and say who signs in to them.",
            "drive store check davs://ann@cloud.example/files/drive",
            "drive store check s3://bucket/prefix --quick",
            "drive store login davs://ann@cloud.example/files/drive");
        command.Subcommands.Add(BuildCheck(terminal));
        command.Subcommands.Add(BuildLogin(terminal));
        command.Subcommands.Add(BuildLogout(terminal));
        return command;
    }

    private static ExampleCommand BuildCheck(Terminal terminal)
    {
        Argument<string> store = new("STORE") { Description = "A store, as for init. It is made when it is not there." };
        Option<bool> quick = new("--quick") { Description = "Seconds in place of minutes: what init, recover and each mount do." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new("check", "See whether a store keeps what it is given and lets one of many writers have a name.", "drive store check /mnt/nas/vault", "drive store check s3://bucket/prefix --quick");
        command.Arguments.Add(store);
        command.Options.Add(quick);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (!parsed.GetValue(quick) && !parsed.GetValue(json))
            {
                terminal.Say("This takes minutes and about 600 MiB each way; --quick takes seconds.");
            }

            StoreReport report = await DriveService.Create().CheckStoreAsync(parsed.GetRequiredValue(store), parsed.GetValue(quick), cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(report, CliJson.Default.StoreReport));
            }
            else
            {
                Print(report);
            }

            return (int)(report.Class switch { "A" => ExitCode.Done, "B" => ExitCode.ClassB, _ => ExitCode.ClassC });
        });
        return command;
    }

    private static ExampleCommand BuildLogin(Terminal terminal)
    {
        Argument<string> store = new("STORE") { Description = "A store as for init: s3://, davs:// or drive+https://." };
        ExampleCommand command = new(
            "login",
            "Keep who signs in to a store, in the desktop's keyring or a file of mode 0600. A drive that is mounted goes on with it.",
            "drive store login davs://ann@cloud.example/files/drive",
            "drive store login s3://bucket/prefix < two-lines      # access key id, secret");
        command.Arguments.Add(store);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string place = parsed.GetRequiredValue(store);
            LoginForm form = DriveService.LoginOf(place);
            string? user = form.UserLabel is { } label ? Terminal.Ask(label) : null;
            StoreLogin login = new(string.IsNullOrEmpty(user) ? null : user, terminal.AskSecret(form.SecretLabel));
            if (login.Secret.Length == 0)
            {
                throw new DriveException(DriveError.WrongSecret, "That secret is empty: nothing was kept.");
            }

            DriveService service = DriveService.Create();
            (KeyPlace where, string? notTried) = await service.LoginAsync(place, login, cancellationToken);
            terminal.Say(where == KeyPlace.Keyring ? "Kept in the desktop's keyring." : $"Kept in '{service.Keys.Logins.FileOf(form)}' (mode 0600).");
            if (notTried is not null)
            {
                terminal.Say($"It was not tried: {notTried}");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static ExampleCommand BuildLogout(Terminal terminal)
    {
        Argument<string> store = new("STORE") { Description = "A store as for login." };
        ExampleCommand command = new("logout", "Forget who signs in to a store. A drive that is mounted stays signed in until it is unmounted.", "drive store logout s3://bucket/prefix");
        command.Arguments.Add(store);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            bool wasKept = await DriveService.Create().LogoutAsync(parsed.GetRequiredValue(store), cancellationToken);
            terminal.Say(wasKept ? "Forgotten." : "Nothing was kept for it.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Print(StoreReport report)
    {
        Terminal.Print($"{report.Store}: class {report.Class} after {report.Rounds} races");
        foreach (string finding in report.Findings)
        {
            Terminal.Print($"  {finding}");
        }

        Terminal.Print(report.Class switch
        {
            "A" => "Of many writers one gets a name. A vault can be kept there.",
            "B" => "Of many writers one gets a name, by another step than a plain put. A vault can be kept there.",
            _ when report.HoldsPacks => "A vault that several machines write to is not safe there. It can hold all but the log: 'drive init STORE --log-store URL2', where URL2 is a store of class A or B, such as a small one. Or all of a vault that one machine at a time writes to: 'drive init STORE --single-writer'.",
            _ => "A vault is not safe there, not even its packs: choose another server.",
        });
    }
}
