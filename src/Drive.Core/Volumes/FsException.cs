namespace Drive.Core.Volumes;

/// <summary>
/// A refusal that is thrown where the meaning is known and turned into a number only by an adapter.
/// <see cref="IVolume"/> itself never throws it: its calls return <see cref="FsStatus"/>.
/// </summary>
public sealed class FsException : Exception
{
    /// <summary>A refusal with its status, and one line for people that says what to do next.</summary>
    public FsException(FsStatus status, string message, Exception? innerException = null)
        : base(message, innerException) => Status = status;

    /// <summary>What the call came to; never <see cref="FsStatus.Ok"/>.</summary>
    public FsStatus Status { get; }
}
