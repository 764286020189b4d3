namespace Drive.Backup.Runs;

/// <summary>Where drives are mounted, by the kernel's list (proc(5), mountinfo), which is read without touching any of them.</summary>
internal static class DriveMounts
{
    private const string DriveType = "fuse.drive";

    /// <summary>Paths of all mounted drives.</summary>
    public static IReadOnlyList<string> Read() => File.Exists("/proc/self/mountinfo") ? [.. Parse(File.ReadLines("/proc/self/mountinfo"))] : [];

    /// <summary>From lines of mountinfo; lines that make no sense are left out.</summary>
    public static IEnumerable<string> Parse(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator >= 6 && fields.Length > separator + 1 && fields[separator + 1] == DriveType)
            {
                // Space, tab, newline and backslash come as three octal digits.
                yield return fields[4].Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
                    .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);
            }
        }
    }
}
