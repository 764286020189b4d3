using System.Runtime.InteropServices;
using System.Text;
using Drive.Control;

namespace Drive.Cli;

/// <summary>Where one file's bytes are, and whether they are always here as well.</summary>
internal sealed record FileInStore(string Path, string State, bool Pinned);

/// <summary>Reads the state that a drive shows of each file as the extended attribute <c>user.drive.state</c>.</summary>
internal static partial class FileStates
{
    private const string Attribute = "user.drive.state";
    private const string PinnedAttribute = "user.drive.pinned";
    private const int NoEntry = 2;
    private const int AccessDenied = 13;

    /// <summary>How a file stands, or a refusal.</summary>
    public static FileInStore Find(string path) => new(path, Read(path, Attribute), Read(path, PinnedAttribute) == "yes");

    private static string Read(string path, string attribute)
    {
        Span<byte> value = stackalloc byte[64];
        nint length = GetAttribute(Path.GetFullPath(path), attribute, value, (nuint)value.Length);
        if (length >= 0)
        {
            return Encoding.UTF8.GetString(value[..(int)length]);
        }

        throw Marshal.GetLastPInvokeError() switch
        {
            NoEntry => new DriveException(DriveError.NotFound, $"'{path}' is neither a file nor the name of a mounted vault: 'drive list' shows the vaults."),
            AccessDenied => new DriveException(DriveError.Failed, $"'{path}' can't be read: permission denied."),
            _ => new DriveException(DriveError.NotFound, $"'{path}' does not lie on a mounted drive: 'drive list' shows where drives are mounted."),
        };
    }

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetAttribute(string path, string name, Span<byte> value, nuint size);
}
