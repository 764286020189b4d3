namespace Drive.Backup;

/// <summary>
/// Access lists of acl(5). To Linux they are extended attributes whose meaning the kernel enforces, and a drive does not enforce them; so a backup keeps them under names of its own, and a restore to
/// this machine gives them their own names again. The names are of the kind that only root sees (xattr(7), trusted), so that on the drive nobody takes them for access lists.
/// </summary>
internal static class AccessLists
{
    private static ReadOnlySpan<byte> Real => "system.posix_acl_"u8;

    private static ReadOnlySpan<byte> Kept => "trusted.drive.posix_acl_"u8;

    /// <summary>Attributes of a source as the vault keeps them.</summary>
    public static IReadOnlyList<(byte[] Name, byte[] Value)> Keep(IReadOnlyList<(byte[] Name, byte[] Value)> xattrs) =>
        xattrs.Count == 0 ? xattrs : [.. xattrs.Where(static one => !one.Name.AsSpan().StartsWith(Kept)).Select(static one => (Change(one.Name, Real, Kept), one.Value))];

    /// <summary>Attributes of the vault as they were at the source.</summary>
    public static IReadOnlyList<(byte[] Name, byte[] Value)> GiveBack(IReadOnlyList<(byte[] Name, byte[] Value)> xattrs) =>
        xattrs.Count == 0 ? xattrs : [.. xattrs.Select(static one => (Change(one.Name, Kept, Real), one.Value))];

    private static byte[] Change(byte[] name, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => name.AsSpan().StartsWith(from) ? [.. to, .. name.AsSpan(from.Length)] : name;
}
