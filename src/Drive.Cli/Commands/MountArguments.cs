using System.CommandLine;
using Drive.Control;
using Drive.Service;
using Drive.Service.Hosting;
using Drive.Service.Settings;

namespace Drive.Cli.Commands;

/// <summary>The options that every way to mount has, and what they come to.</summary>
internal sealed class MountArguments
{
    private readonly Option<bool> _foreground = new("--foreground", "-f") { Description = "Stay in the foreground until it is unmounted." };
    private readonly Option<bool> _readOnly = new("--read-only") { Description = "Refuse all changes." };
    private readonly Option<bool> _showSnapshots = new("--show-snapshots") { Description = "Let listings of the root show .snapshots, which is there by name in any case." };
    private readonly Option<bool> _allowOther = new("--allow-other") { Description = "Let other users in, as far as file permissions do." };
    private readonly Option<string?> _cacheSize = new("--cache-size") { Description = "Limit of what lies on the local disk, such as 20G.", HelpName = "SIZE" };
    private readonly Option<string?> _limitUp = new("--limit-up") { Description = "Limit of what goes to the store, in bytes per second; " + LimitHelp, HelpName = "RATE" };
    private readonly Option<string?> _limitDown = new("--limit-down") { Description = "The same for what comes from it.", HelpName = "RATE" };
    private readonly Option<string?> _poll = new("--poll") { Description = "How often to ask the store what other devices did, such as 5s; remembered.", HelpName = "TIME" };
    private readonly Option<string?> _passphraseFile = new("--passphrase-file") { Description = "Read the passphrase from the first line of a file.", HelpName = "FILE" };
    private readonly Option<string[]> _options = new("--options", "-o")
    {
        Description = "Options of mount(8): ro,allow_other,fsname=X,cache_size=20G,...",
        HelpName = "LIST",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>How limits are written.</summary>
    public const string LimitHelp = "2M, by time of day 08:00-18:00=1M,2M, or off; remembered.";

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_foreground);
        command.Options.Add(_readOnly);
        command.Options.Add(_showSnapshots);
        command.Options.Add(_allowOther);
        command.Options.Add(_cacheSize);
        command.Options.Add(_limitUp);
        command.Options.Add(_limitDown);
        command.Options.Add(_poll);
        command.Options.Add(_passphraseFile);
        command.Options.Add(_options);
    }

    /// <summary>The passphrase file that was named, or null.</summary>
    public string? PassphraseFile(ParseResult parsed) => parsed.GetValue(_passphraseFile) ?? List(parsed).PassphraseFile;

    /// <summary>What the daemon is asked, from a command line.</summary>
    public MountRequest Request(ParseResult parsed, string name, string mountpoint)
    {
        MountOptions list = List(parsed);
        string? cacheSize = parsed.GetValue(_cacheSize);
        return Request(name, mountpoint, list with
        {
            ReadOnly = list.ReadOnly || parsed.GetValue(_readOnly),
            ShowSnapshots = list.ShowSnapshots || parsed.GetValue(_showSnapshots),
            AllowOther = list.AllowOther || parsed.GetValue(_allowOther),
            CacheLimitBytes = cacheSize is null ? list.CacheLimitBytes : MountOptions.Size(cacheSize),
            LimitUp = MountOptions.Limit(parsed.GetValue(_limitUp)) ?? list.LimitUp,
            LimitDown = MountOptions.Limit(parsed.GetValue(_limitDown)) ?? list.LimitDown,
            Poll = parsed.GetValue(_poll) is { } poll ? MountOptions.Interval(poll) : list.Poll,
        });
    }

    /// <summary>What the daemon is asked, from a list of mount options.</summary>
    public static MountRequest Request(string name, string mountpoint, MountOptions options) => new()
    {
        Name = name,
        Mountpoint = Path.TrimEndingDirectorySeparator(Path.GetFullPath(mountpoint)),
        ReadOnly = options.ReadOnly,
        At = options.At,
        ShowSnapshots = options.ShowSnapshots,
        AllowOther = options.AllowOther,
        CacheLimitBytes = options.CacheLimitBytes,
        LimitUp = options.LimitUp,
        LimitDown = options.LimitDown,
        Poll = options.Poll,
        FsName = options.FsName,
        KernelOptions = options.Kernel,
    };

    /// <summary>Starts the daemon of a vault; null when it is to be mounted in the foreground.</summary>
    public Background? StartDaemon(ParseResult parsed, string name) => parsed.GetValue(_foreground) ? null : Background.Start(name);

    /// <summary>
    /// Mounts a known vault, by its daemon or, without one, in this process, and says so; with <paramref name="isQuiet"/> it says only what is out of the ordinary.
    /// </summary>
    public static async Task<int> MountAsync(
        Terminal terminal, DriveService service, MountRequest request, Background? daemon, string? passphraseFile, CancellationToken cancellationToken, bool isQuiet = false)
    {
        VaultEntry entry = service.Book.Get(request.Name);
        string? passphrase = entry.Keys != KeyPlace.Passphrase ? null
            : passphraseFile is null ? terminal.AskSecret($"Passphrase of '{entry.Name}'")
            : Terminal.ReadPassphraseFile(passphraseFile);
        DaemonStart start = new(request, passphrase);
        if (daemon is not null)
        {
            SayMounted(terminal, request, daemon.Mount(service.Paths, start), isQuiet);
            return (int)ExitCode.Done;
        }

        StopReply reply = await service.RunDaemonAsync(start, isForeground: true, line => SayMounted(terminal, request, line, isQuiet), cancellationToken);
        UmountCommand.SayLeft(terminal, request.Name, reply);
        return (int)ExitCode.Done;
    }

    private static void SayMounted(Terminal terminal, MountRequest request, StartLine line, bool isQuiet)
    {
        if (!isQuiet)
        {
            terminal.Say($"'{request.Name}' is mounted at {line.Mountpoint}.");
        }

        if (line.Notice is not null)
        {
            terminal.Say("drive: " + line.Notice);
        }
    }

    private MountOptions List(ParseResult parsed) => MountOptions.Parse(parsed.GetValue(_options) ?? []);
}
