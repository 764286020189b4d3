using Microsoft.Extensions.Logging;

namespace Drive.Server;

/// <summary>Events of the server; ids are never reused. No names of objects, no content, no tokens.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Information, "{Client} {User} {Method} {Vault} {Kind} {Status} {Bytes} {Milliseconds:0.0}")]
    public static partial void Access(this ILogger logger, string client, string user, string method, string vault, string kind, int status, long bytes, double milliseconds);

    [LoggerMessage(2, LogLevel.Error, "A request failed")]
    public static partial void RequestFailed(this ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "No vault in the folder of {User}/{Vault}: {Problem}")]
    public static partial void NoVault(this ILogger logger, string user, string vault, string problem);

    [LoggerMessage(4, LogLevel.Information, "Serving {Address}: {Vaults} vaults, {Bytes} bytes")]
    public static partial void Serving(this ILogger logger, string address, int vaults, long bytes);

    [LoggerMessage(5, LogLevel.Information, "Stopping")]
    public static partial void Stopping(this ILogger logger);
}
