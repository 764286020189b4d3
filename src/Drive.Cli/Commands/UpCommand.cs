using System.CommandLine;
using Drive.Control;
using Drive.Service;
using Drive.Service.Settings;
using Drive.Service.Setup;

namespace Drive.Cli.Commands;

/// <summary><c>drive up [DIR]</c>: a drive with no questions asked. Run again, it mounts; mounted already, it is content.</summary>
internal static class UpCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string?> directory = new("DIR") { Description = "Where to mount; ~/Drive when nothing was said before.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> name = new("--name") { Description = "The vault's name on this machine.", HelpName = "N" };
        Option<string?> store = new("--store") { Description = "First run: where the vault is kept (a folder, s3://bucket/prefix, davs://host/path, koofr://user@app.koofr.net/path, or drive+https://host:port/vault).", HelpName = "STORE" };
        Option<string?> logStore = InitCommand.LogStoreOption();
        Option<bool> singleWriter = InitCommand.SingleWriterOption();
        Option<bool> passphrase = new("--passphrase") { Description = "First run: protect the keys by a passphrase, asked for." };
        MountArguments mounting = new();
        ExampleCommand command = new(
            "up",
            "Make a vault on the first run, and mount it.",
            "drive up                                  # a vault in a local folder, mounted at ~/Drive",
            "drive up /mnt/drive --store /mnt/nas/vault",
            "drive up --store s3://bucket/vault --log-store /mnt/nas/vault-log",
            "drive up                                  # any time later: just mounts it");
        command.Arguments.Add(directory);
        command.Options.Add(name);
        command.Options.Add(store);
        command.Options.Add(logStore);
        command.Options.Add(singleWriter);
        command.Options.Add(passphrase);
        mounting.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            string vault = Choose(service.Book, parsed.GetValue(name));
            VaultEntry? entry = service.Book.Find(vault);
            string? wanted = parsed.GetValue(directory) is { } said ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(said)) : null;
            if (entry is not null && await FindMountedAsync(service, vault, cancellationToken) is { } running)
            {
                using (running)
                {
                    return AlreadyMounted(terminal, running, wanted);
                }
            }

            using Background? daemon = mounting.StartDaemon(parsed, vault);
            string mountpoint = wanted ?? entry?.Mountpoint ?? Path.Combine(service.Paths.Home, "Drive");
            MakeMountPoint(mountpoint);
            if (entry is null)
            {
                string? secret = InitCommand.NewPassphrase(terminal, parsed.GetValue(passphrase), mounting.PassphraseFile(parsed));
                string place = parsed.GetValue(store) ?? Path.Combine(service.Paths.Data, "vault");
                NewVault made = new() { Name = vault, Store = place, LogStore = parsed.GetValue(logStore), Passphrase = secret, SingleWriter = parsed.GetValue(singleWriter) };
                await InitCommand.CreateAsync(terminal, service, made, cancellationToken);
                if (parsed.GetValue(store) is null)
                {
                    terminal.Say($"The vault lies in '{place}'. To keep it elsewhere: 'drive init STORE --name N', then 'drive mount N DIR'.");
                }
            }
            else if ((parsed.GetValue(store) is { } other && !DriveService.IsSameStore(other, entry.Store))
                || (parsed.GetValue(logStore) is { } otherLog && (entry.LogStore is null || !DriveService.IsSameStore(otherLog, entry.LogStore))))
            {
                throw new DriveException(DriveError.InUse, $"'{vault}' is kept in '{entry.Where}': for another store use another name, 'drive up --name N --store STORE'.");
            }

            return await MountArguments.MountAsync(
                terminal, service, mounting.Request(parsed, vault, mountpoint), daemon, mounting.PassphraseFile(parsed), cancellationToken);
        });
        return command;
    }

    /// <summary>The vault that is meant: the one named, the usual one, or the only one.</summary>
    internal static string Choose(VaultBook book, string? name)
    {
        if (name is not null)
        {
            return VaultName.Check(name);
        }

        IReadOnlyList<VaultEntry> all = book.All();
        return all.Count == 1 ? all[0].Name
            : all.Count == 0 || all.Any(entry => entry.Name == VaultName.Default) ? VaultName.Default
            : throw new DriveException(DriveError.Usage, $"Which one? This machine knows {string.Join(", ", all.Select(entry => entry.Name))}: 'drive up --name N'.");
    }

    /// <summary>The daemon that has it mounted. One that is about to mount, or to end after an unmount, is waited for; one that does neither is told of as it is.</summary>
    private static async Task<ControlClient?> FindMountedAsync(DriveService service, string vault, CancellationToken cancellationToken)
    {
        long started = Environment.TickCount64;
        while (await Running.FindAsync(service.Paths, vault, cancellationToken) is { } running)
        {
            if (DriveService.IsMounted(running.Daemon.Mountpoint) || Environment.TickCount64 - started > StopMilliseconds)
            {
                return running;
            }

            running.Dispose();
            await Task.Delay(LookAgain, TimeProvider.System, cancellationToken);
        }

        return null;
    }

    private static int AlreadyMounted(Terminal terminal, ControlClient running, string? wanted)
    {
        string there = running.Daemon.Mountpoint;
        if (wanted is not null && wanted != there)
        {
            throw new DriveException(DriveError.InUse, $"'{running.Daemon.Name}' is mounted at '{there}' already: use it there, or 'drive umount {running.Daemon.Name}' first.");
        }

        terminal.Say($"'{running.Daemon.Name}' is mounted at {there} already.");
        return (int)ExitCode.Done;
    }

    // As long as a daemon has to stop, and some.
    private const long StopMilliseconds = 12_000;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    // One directory below one that is there: more would more likely be a slip of the hand.
    private static void MakeMountPoint(string path)
    {
        if (Directory.Exists(Path.GetDirectoryName(path)) && !Path.Exists(path))
        {
            try
            {
                Directory.CreateDirectory(path);
            }
            catch (IOException) when (!Directory.Exists(path))
            {
                // A dead mount is "there" for the kernel and not for us; the daemon takes it away.
            }
        }
    }
}
