using System.Text;

namespace Drive.Backup.Source;

/// <summary>
/// A path on this machine as bytes, and the order in which runs go through a tree: a folder before what is in it, names by their bytes. It is the order of the paths' bytes when '/' counts as the least.
/// </summary>
internal static class SourcePath
{
    /// <summary>The longest path that the kernel takes, with its NUL.</summary>
    public const int BytesMax = 4096;

    public static int Compare(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        int same = one.CommonPrefixLength(other);
        return same == one.Length || same == other.Length ? one.Length.CompareTo(other.Length) : Weight(one[same]).CompareTo(Weight(other[same]));
    }

    /// <summary>Whether a path is a folder's, or below it.</summary>
    public static bool IsWithin(ReadOnlySpan<byte> path, ReadOnlySpan<byte> folder) =>
        path.StartsWith(folder) && (path.Length == folder.Length || path[folder.Length] == '/' || folder is [(byte)'/']);

    public static byte[] Join(byte[] folder, byte[] name) => folder is [(byte)'/'] ? [.. folder, .. name] : [.. folder, (byte)'/', .. name];

    public static string Show(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path);

    // No name holds a NUL, so the least of all is free.
    private static int Weight(byte letter) => letter == '/' ? 0 : letter;
}
