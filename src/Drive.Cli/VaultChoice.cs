using System.CommandLine;
using Drive.Cli.Commands;
using Drive.Control;
using Drive.Service;
using Drive.Service.Hosting;
using Drive.Service.Settings;

namespace Drive.Cli;

/// <summary>Which vault a command is about, and how it gets at its members: over the daemon that has it mounted, else by opening it for the moment.</summary>
internal sealed class VaultChoice
{
    private readonly Option<string?> _name;
    private readonly Option<string?> _passphraseFile = new("--passphrase-file") { Description = "Read the passphrase of this machine's keys from a file.", HelpName = "FILE" };
    private readonly Lazy<DriveService> _service = new(DriveService.Create);

    public VaultChoice(Command command, string option = "--name")
    {
        _name = new Option<string?>(option) { Description = "The vault; not needed where there is only one.", HelpName = "N" };
        command.Options.Add(_name);
        command.Options.Add(_passphraseFile);
    }

    public DriveService Service => _service.Value;

    public VaultEntry Entry(ParseResult parsed) => Service.Book.Get(UpCommand.Choose(Service.Book, parsed.GetValue(_name)));

    /// <summary>The passphrase that this machine's keys need; null when they need none.</summary>
    public string? Passphrase(ParseResult parsed, VaultEntry entry, Terminal terminal) => entry.Keys != KeyPlace.Passphrase ? null
        : parsed.GetValue(_passphraseFile) is { } file ? Terminal.ReadPassphraseFile(file)
        : terminal.AskSecret($"Passphrase of '{entry.Name}'");

    public Task<OpenedDevices> OpenAsync(ParseResult parsed, Terminal terminal, CancellationToken cancellationToken)
    {
        VaultEntry entry = Entry(parsed);
        return OpenAsync(Service, entry, () => Passphrase(parsed, entry, terminal), cancellationToken);
    }

    public static async Task<OpenedDevices> OpenAsync(DriveService service, VaultEntry entry, Func<string?> passphrase, CancellationToken cancellationToken)
    {
        if (await Running.FindAsync(service.Paths, entry.Name, cancellationToken) is not { } daemon)
        {
            return await service.OpenDevicesAsync(entry, passphrase(), cancellationToken);
        }

        return new OpenedDevices(daemon, daemon, daemon, () =>
        {
            daemon.Dispose();
            return ValueTask.CompletedTask;
        });
    }
}
