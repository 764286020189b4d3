using System.Text;

namespace Drive.Service.Linux;

/// <summary>One mounted file system, as the kernel lists it.</summary>
/// <param name="MountPoint">Absolute path.</param>
/// <param name="Type">"ext4", "fuse.drive".</param>
/// <param name="Source">What was mounted.</param>
internal sealed record MountLine(string MountPoint, string Type, string Source);

/// <summary>The kernel's list of mounts (proc(5), mountinfo). Reading it never touches the mounted file systems, so a dead one can't hang it.</summary>
internal static class MountTable
{
    /// <summary>The type that the kernel shows for a drive.</summary>
    public const string DriveType = "fuse.drive";

    /// <summary>What is mounted on top at exactly this path, or null.</summary>
    public static MountLine? At(string path) => Read().LastOrDefault(line => line.MountPoint == path);

    /// <summary>All mounts, in the kernel's order.</summary>
    public static IEnumerable<MountLine> Read() => Parse(File.ReadLines("/proc/self/mountinfo"));

    /// <summary>Reads lines of mountinfo; lines that make no sense are left out.</summary>
    public static IEnumerable<MountLine> Parse(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator >= 6 && fields.Length > separator + 2)
            {
                yield return new MountLine(Unescape(fields[4]), fields[separator + 1], Unescape(fields[separator + 2]));
            }
        }
    }

    // Space, tab, newline and backslash come as three octal digits.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\'))
        {
            return field;
        }

        byte[] text = Encoding.UTF8.GetBytes(field);
        List<byte> plain = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) && IsOctal(text[i + 3]))
            {
                plain.Add((byte)(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                plain.Add(text[i]);
            }
        }

        return Encoding.UTF8.GetString([.. plain]);

        static bool IsOctal(byte digit) => digit is >= (byte)'0' and <= (byte)'7';
    }
}
