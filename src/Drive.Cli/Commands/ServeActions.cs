using System.Diagnostics;
using System.Globalization;
using Drive.Control;
using Drive.Core.Platform;
using Drive.Disk;
using Drive.Server;
using Drive.Server.Accounts;
using Drive.Server.Hosting;
using Drive.Server.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Drive.Cli.Commands;

/// <summary>What <c>drive serve</c> does.</summary>
internal static class ServeActions
{
    private static readonly LocalDisk Disk = new();

    /// <summary>Serves until a signal.</summary>
    public static async Task<int> ServeAsync(
        Terminal terminal, string data, string[] listen, string? certificate, string? key, long objectBytesMax, int rate, CancellationToken cancellationToken)
    {
        if (certificate is null != key is null || rate < 1 || objectBytesMax > int.MaxValue / 4)
        {
            throw new DriveException(DriveError.Usage, "Give --certificate and --key together, a --rate of at least 1, and an --object-limit below 512M.");
        }

        try
        {
            ServerSettings settings = new(Path.GetFullPath(data), [.. listen.Select(ListenAddress.Parse)])
            {
                Tls = certificate is null ? null : (certificate, key!),
                ObjectBytesMax = (int)objectBytesMax,
                RequestsPerSecond = rate,
            };
            await using ServiceProvider log = ConsoleLog.Open();
            ILoggerFactory loggers = log.GetRequiredService<ILoggerFactory>();
            await using ServerHost host = await ServerHost.StartAsync(settings, Disk, TimeProvider.System, SystemRandomSource.Instance, loggers, cancellationToken);
            foreach (Uri address in host.Addresses)
            {
                Terminal.Print($"Serving {settings.Directory} at {address.GetLeftPart(UriPartial.Authority)}");
            }

            if (host.Fingerprint is { } fingerprint)
            {
                Terminal.Print($"Certificate SHA-256 {fingerprint}");
                terminal.Say($"Clients: drive+https://HOST:{host.Addresses[0].Port}/VAULT{(settings.Tls is null ? "?pin=" + fingerprint : "")}");
            }

            await host.RunAsync(cancellationToken);
            return (int)ExitCode.Done;
        }
        catch (ServerException refusal)
        {
            throw Translate(refusal);
        }
    }

    /// <summary>Looks at everything that is kept.</summary>
    public static int Scrub(string data, CancellationToken cancellationToken) =>
        Server.Storage.Scrub.Run(Disk, Path.GetFullPath(data), Terminal.Print, cancellationToken) ? (int)ExitCode.Done : (int)ExitCode.No;

    public static int AddUser(string data, string name, long quota) => Change(data, book => book.AddUser(name, quota));

    public static int SetQuota(string data, string name, long quota) => Change(data, book => book.SetQuota(name, quota));

    /// <summary>The token is the only thing on standard output.</summary>
    public static int AddToken(Terminal terminal, string data, string user, string? name, bool isAppendOnly) => Change(data, book =>
    {
        string token = book.AddToken(user, name, isAppendOnly, TimeProvider.System, SystemRandomSource.Instance);
        terminal.Say("The token. It is not shown again: give it to the client as DRIVE_SERVER_TOKEN.");
        Terminal.Print(token);
    });

    public static int Revoke(string data, string id) => Change(data, book => book.Revoke(id));

    public static int List(string data) => Change(data, static book =>
    {
        foreach (Account user in book.All())
        {
            Terminal.Print($"{user.Name}  {Quantity.Bytes(user.QuotaBytes)}");
            foreach (TokenRecord token in user.Tokens)
            {
                string made = token.Made.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
                Terminal.Print($"  {token.Id}  {made}  {(token.IsAppendOnly ? "append-only" : "full       ")}  {token.Name}");
            }
        }
    });

    private static int Change(string data, Action<AccountBook> change)
    {
        try
        {
            change(new AccountBook(Disk, Path.GetFullPath(data)));
            return (int)ExitCode.Done;
        }
        catch (ServerException refusal)
        {
            throw Translate(refusal);
        }
    }

    private static DriveException Translate(ServerException refusal) => new(
        refusal.Error switch
        {
            ServerError.Usage => DriveError.Usage,
            ServerError.NotFound => DriveError.NotFound,
            ServerError.InUse => DriveError.InUse,
            _ => throw new UnreachableException(),
        },
        refusal.Message,
        refusal);
}
