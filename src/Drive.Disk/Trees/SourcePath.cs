using System.Text;

namespace Drive.Disk.Trees;

/// <summary>
/// A path on this machine as bytes, and the order in which a tree is gone through: a folder before what is in it, names by their bytes. It is the order of the paths' bytes when '/' counts as the least.
/// </summary>
public static class SourcePath
{
    public static byte[] Of(string path) => Encoding.UTF8.GetBytes(path);

    public static string Show(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path);

    public static byte[] Join(byte[] folder, byte[] name) => folder is [(byte)'/'] ? [.. folder, .. name] : [.. folder, (byte)'/', .. name];

    public static int Compare(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        int same = one.CommonPrefixLength(other);
        return same == one.Length || same == other.Length ? one.Length.CompareTo(other.Length) : Weight(one[same]).CompareTo(Weight(other[same]));
    }

    /// <summary>Whether a path is a folder's, or below it.</summary>
    public static bool IsWithin(ReadOnlySpan<byte> path, ReadOnlySpan<byte> folder) =>
        path.StartsWith(folder) && (path.Length == folder.Length || path[folder.Length] == '/' || folder is [(byte)'/']);

    /// <summary>As libc wants it.</summary>
    internal static byte[] Terminated(byte[] path) => [.. path, 0];

    // No name holds a NUL, so the least of all is free.
    private static int Weight(byte letter) => letter == '/' ? 0 : letter;
}
