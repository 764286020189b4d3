namespace Drive.Fuse.Protocol;

/// <summary>The flags of open(2) as Linux numbers them, as far as they come with requests.</summary>
internal static class OpenFlags
{
    public const uint Exclusive = 0x80;
    public const uint Append = 0x400;

    /// <summary>O_DSYNC; O_SYNC contains it.</summary>
    public const uint DataSync = 0x1000;
}
