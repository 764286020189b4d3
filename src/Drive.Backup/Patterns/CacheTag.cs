namespace Drive.Backup.Patterns;

/// <summary>
/// Finds the mark of the Cache Directory Tagging Specification (https://bford.info/cachedir/): what lies in a folder that has it can be made again. Folder and mark stay in the backup.
/// Threads: any; it remembers the folder that was asked about last.
/// </summary>
/// <param name="top">The path of the set.</param>
internal sealed class CacheTag(string top)
{
    /// <summary>The mark's name.</summary>
    public const string FileName = "CACHEDIR.TAG";

    private Folder? _last;

    /// <summary>How a mark begins. A file of the name alone marks nothing.</summary>
    public static ReadOnlySpan<byte> Signature => "Signature: 8a477f597d28d172789f06886806bc55"u8;

    /// <summary>Whether a path lies in a marked folder, and is not the mark.</summary>
    public bool IsBeside(string relativePath)
    {
        int slash = relativePath.LastIndexOf('/');
        string folder = slash < 0 ? "" : relativePath[..slash];
        Folder? known = _last;
        if (known?.Path != folder)
        {
            _last = known = new Folder(folder, IsMarked(Path.Combine(top, folder, FileName)));
        }

        return known.IsMarked && !relativePath.AsSpan(slash + 1).SequenceEqual(FileName);
    }

    private static bool IsMarked(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return false;
            }

            using FileStream file = new(path, System.IO.FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Span<byte> beginning = stackalloc byte[Signature.Length];
            return file.ReadAtLeast(beginning, beginning.Length, throwOnEndOfStream: false) == beginning.Length && beginning.SequenceEqual(Signature);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private sealed record Folder(string Path, bool IsMarked);
}
