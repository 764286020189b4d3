namespace Drive.Engine;

/// <summary>How the volume stands with its store.</summary>
public enum StoreCondition
{
    /// <summary>The last call to it succeeded.</summary>
    Reachable,

    /// <summary>It does not answer, or refuses; work goes on locally and is sent when it comes back.</summary>
    Unreachable,

    /// <summary>What it holds failed authentication, or another device took the vault over, or it is no safe place: nothing more is sent.</summary>
    Stopped,
}

/// <summary>Files and bytes.</summary>
public readonly record struct Amount(long Files, long Bytes);

/// <summary>Where the user's data is, as one consistent picture.</summary>
public sealed record VolumeStatus
{
    /// <summary>The last commit that this device has applied.</summary>
    public required long Seq { get; init; }

    /// <summary>Only on this machine, not being sent now. Files counts changed nodes of any kind.</summary>
    public required Amount LocalOnly { get; init; }

    /// <summary>Being sent in the commit under way.</summary>
    public required Amount Uploading { get; init; }

    /// <summary>In the store and committed.</summary>
    public required Amount InCloud { get; init; }

    /// <summary>When the oldest change that is not committed was made.</summary>
    public DateTimeOffset? OldestUnsent { get; init; }

    /// <summary>Bytes of the dirty log and the block cache on disk.</summary>
    public required long CacheUsedBytes { get; init; }

    /// <summary>Their limit.</summary>
    public required long CacheLimitBytes { get; init; }

    /// <summary>What is pinned here.</summary>
    public PinStatus Pins { get; init; } = PinStatus.None;

    /// <summary>Over the last seconds.</summary>
    public double UploadBytesPerSecond { get; init; }

    /// <summary>Over the last seconds.</summary>
    public double DownloadBytesPerSecond { get; init; }

    /// <summary>How it stands with the store.</summary>
    public StoreCondition Store { get; init; }

    /// <summary>The last error in one line that says what to do, or null.</summary>
    public string? LastError { get; init; }

    /// <summary>Whether the volume refuses changes, and why, or null.</summary>
    public string? ReadOnlyReason { get; init; }
}

/// <summary>Where one file's bytes are.</summary>
public enum FileState
{
    /// <summary>Only on this machine.</summary>
    LocalOnly,

    /// <summary>Being sent.</summary>
    Uploading,

    /// <summary>In the store and committed.</summary>
    InCloud,
}

/// <summary>What is left of what a wait was for.</summary>
/// <param name="Done">Everything done on the volume before the call is committed in the store.</param>
/// <param name="Left">What is not.</param>
/// <param name="LastError">Why, when it is known.</param>
public sealed record UploadProgress(bool Done, Amount Left, string? LastError);
