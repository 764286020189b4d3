using System.Security.Cryptography;
using System.Text;

namespace Drive.Control;

/// <summary>Where a daemon's control socket lies.</summary>
public static class ControlSocket
{
    /// <summary>sun_path holds 108 bytes with its final NUL (unix(7)).</summary>
    public const int PathBytesMax = 107;

    /// <summary>The socket of a vault: in the run directory, or under a short hashed name in the temporary directory when that path is too long for a socket.</summary>
    public static string PathFor(DrivePaths paths, string name)
    {
        ArgumentNullException.ThrowIfNull(paths);
        string path = Path.Combine(paths.Run, name + ".sock");
        if (Encoding.UTF8.GetByteCount(path) <= PathBytesMax)
        {
            return path;
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsSpan(0, 12));
        return $"/tmp/drive-{hash}/s";
    }
}
