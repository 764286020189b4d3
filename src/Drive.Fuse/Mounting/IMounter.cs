namespace Drive.Fuse.Mounting;

/// <summary>How a mount comes and goes: as root by system calls, else through the set-user-ID program fusermount3.</summary>
internal interface IMounter
{
    /// <summary>Mounts and returns the descriptor of the connection, which the caller owns.</summary>
    Task<int> MountAsync(string path, FuseMountOptions options, MountFlags flags, CancellationToken cancellationToken);

    /// <summary>
    /// Unmounts; with <paramref name="lazy"/> also when in use: then the mount ends with its last user. Nothing when it is not mounted.
    /// </summary>
    Task<UnmountOutcome> UnmountAsync(string path, bool lazy);
}

internal enum UnmountOutcome
{
    Done,
    Busy,
}
