namespace Drive.Core.Volumes;

/// <summary>
/// The rules for one name in a directory. A name is 1 to 255 bytes without '/' and NUL, not "." or "..".
/// It need not be UTF-8: what a program gave is what it gets back.
/// </summary>
public static class FileName
{
    /// <summary>The longest name, in bytes (NAME_MAX).</summary>
    public const int BytesMax = 255;

    /// <summary>The longest target of a symbolic link, in bytes (PATH_MAX less the final NUL).</summary>
    public const int LinkTargetBytesMax = 4095;

    /// <summary><see cref="FsStatus.Ok"/>, <see cref="FsStatus.NameTooLong"/> or <see cref="FsStatus.Invalid"/>.</summary>
    public static FsStatus Validate(ReadOnlySpan<byte> name)
    {
        if (name.Length > BytesMax)
        {
            return FsStatus.NameTooLong;
        }

        if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.ContainsAny((byte)'/', (byte)0))
        {
            return FsStatus.Invalid;
        }

        return FsStatus.Ok;
    }
}
