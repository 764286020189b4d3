using System.CommandLine;
using Drive.Service;
using Drive.Service.Hosting;

namespace Drive.Cli.Commands;

/// <summary>What mount(8) runs for the type fuse.drive: <c>mount.fuse.drive SOURCE DIR [-sfnv] [-o OPTIONS] [-t TYPE]</c>.</summary>
internal static class MountHelperCommand
{
    /// <summary>The helper's name, as mount(8) looks for it.</summary>
    public const string Name = "mount.fuse.drive";

    // mount(8) gives its helpers no PATH, and fusermount3 is looked for there.
    private const string UsualPath = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

    // What mount(8) takes for "mount failure".
    private const int MountFailed = 32;

    /// <summary>The exit code that mount(8) understands.</summary>
    public static int Translate(int code) => code == (int)ExitCode.Done ? code : MountFailed;

    public static Command Build(Terminal terminal)
    {
        Argument<string> source = new("SOURCE") { Description = "The vault's name." };
        Argument<string> directory = new("DIR") { Description = "The mount point." };
        Option<string[]> options = new("-o") { Description = "Mount options.", Arity = ArgumentArity.OneOrMore };
        Option<bool> dry = new("-f") { Description = "Only check." };
        Option<bool>[] ignored = [new("-s"), new("-n"), new("-v")];
        Option<string?> type = new("-t");
        ExampleCommand command = new(
            Name,
            "Mount helper for mount(8) and fstab.",
            "mount -t fuse.drive work /mnt/work -o allow_other",
            "work  /mnt/work  fuse.drive  noauto,user,_netdev,allow_other  0 0      # in /etc/fstab")
        { Hidden = true };
        command.Arguments.Add(source);
        command.Arguments.Add(directory);
        command.Options.Add(options);
        command.Options.Add(dry);
        command.Options.Add(type);
        foreach (Option<bool> option in ignored)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("PATH")))
            {
                Environment.SetEnvironmentVariable("PATH", UsualPath);
            }

            MountOptions list = MountOptions.Parse(parsed.GetValue(options) ?? []);
            if (list.DriveHome is not null)
            {
                Environment.SetEnvironmentVariable("DRIVE_HOME", list.DriveHome);
            }

            // fstab lines of the form drive#NAME are an old habit of FUSE.
            string name = parsed.GetRequiredValue(source);
            name = name.StartsWith("drive#", StringComparison.Ordinal) ? name["drive#".Length..] : name;
            DriveService service = DriveService.Create();
            service.Book.Get(name);
            if (parsed.GetValue(dry))
            {
                return (int)ExitCode.Done;
            }

            using Background daemon = Background.Start(name);
            MountRequest request = MountArguments.Request(name, parsed.GetRequiredValue(directory), list);

            // mount(8) is silent when all went well.
            return await MountArguments.MountAsync(terminal, service, request, daemon, list.PassphraseFile, cancellationToken, isQuiet: true);
        });
        return command;
    }
}
