using System.Text;

namespace Drive.Fuse.Mounting;

/// <summary>A line of /proc/self/mountinfo.</summary>
/// <param name="Device">major:minor, as sysfs names it.</param>
/// <param name="MountPoint">Where.</param>
/// <param name="Type">The file system's type, with subtype.</param>
internal readonly record struct Mount(string Device, string MountPoint, string Type)
{
    public bool IsFuse => Type == "fuse" || Type.StartsWith("fuse.", StringComparison.Ordinal);

    /// <summary>The number under which the FUSE control file system shows the connection.</summary>
    public string ConnectionNumber => Device[(Device.IndexOf(':', StringComparison.Ordinal) + 1)..];
}

/// <summary>What is mounted where, read without touching any of the mounts: a dead one would hang or refuse.</summary>
internal static class MountTable
{
    private const string Path = "/proc/self/mountinfo";

    /// <summary>The uppermost mount at exactly this path.</summary>
    public static Mount? Find(string mountPoint)
    {
        Mount? found = null;
        foreach (string line in File.ReadLines(Path))
        {
            if (Parse(line) is Mount mount && mount.MountPoint == mountPoint)
            {
                found = mount;
            }
        }

        return found;
    }

    /// <summary>Fields 3 and 5, and the first after the separator (proc(5)); null for a line of another shape.</summary>
    public static Mount? Parse(string line)
    {
        string[] fields = line.Split(' ');
        int separator = Array.IndexOf(fields, "-");
        return separator >= 6 && fields.Length > separator + 1
            ? new Mount(fields[2], Unescape(fields[4]), Unescape(fields[separator + 1]))
            : null;
    }

    /// <summary>Blank, tab, line end and backslash stand as a backslash and three octal digits, each for one byte.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        byte[] from = Encoding.UTF8.GetBytes(text);
        List<byte> to = new(from.Length);
        for (int i = 0; i < from.Length; i++)
        {
            if (from[i] == '\\' && i + 3 < from.Length)
            {
                to.Add((byte)(((from[i + 1] - '0') << 6) | ((from[i + 2] - '0') << 3) | (from[i + 3] - '0')));
                i += 3;
            }
            else
            {
                to.Add(from[i]);
            }
        }

        return Encoding.UTF8.GetString([.. to]);
    }
}
