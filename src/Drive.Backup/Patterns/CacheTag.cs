namespace Drive.Backup.Patterns;

/// <summary>The mark of the Cache Directory Tagging Specification (https://bford.info/cachedir/): what lies in a folder that has it can be made again.</summary>
public static class CacheTag
{
    /// <summary>The file's name.</summary>
    public const string FileName = "CACHEDIR.TAG";

    /// <summary>How the file begins. One of the name alone marks nothing.</summary>
    public static ReadOnlySpan<byte> Signature => "Signature: 8a477f597d28d172789f06886806bc55"u8;

    /// <summary>Whether a set leaves tagged folders out: what lies in them, while folder and tag stay.</summary>
    public static bool IsAskedBy(BackupSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        return set.Presets.Contains(Preset.Caches);
    }

    /// <summary>Whether the beginning of a file of that name is a tag's.</summary>
    public static bool IsIn(ReadOnlySpan<byte> beginning) => beginning.StartsWith(Signature);
}
