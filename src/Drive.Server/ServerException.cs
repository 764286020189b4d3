namespace Drive.Server;

/// <summary>What kind of refusal it is, as far as a command line tells them apart.</summary>
public enum ServerError
{
    /// <summary>Something was asked that makes no sense.</summary>
    Usage,

    /// <summary>No such user or token.</summary>
    NotFound,

    /// <summary>The name is taken, or another server or command is at work there.</summary>
    InUse,
}

/// <summary>A refusal for the person who runs the server: one line that says what to do.</summary>
public sealed class ServerException(ServerError error, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public ServerError Error { get; } = error;
}
