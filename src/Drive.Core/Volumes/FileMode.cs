namespace Drive.Core.Volumes;

/// <summary>
/// The bits of <c>st_mode</c> as POSIX and Linux number them (inode(7)): type in the upper four bits of the lower 16,
/// then set-user-ID, set-group-ID, sticky, then rwx for owner, group and others.
/// </summary>
public static class FileMode
{
    /// <summary>Mask of the type bits.</summary>
    public const uint TypeMask = 0xF000;

    /// <summary>A socket.</summary>
    public const uint Socket = 0xC000;

    /// <summary>A symbolic link.</summary>
    public const uint SymbolicLink = 0xA000;

    /// <summary>A regular file.</summary>
    public const uint Regular = 0x8000;

    /// <summary>A block device.</summary>
    public const uint BlockDevice = 0x6000;

    /// <summary>A directory.</summary>
    public const uint Directory = 0x4000;

    /// <summary>A character device.</summary>
    public const uint CharacterDevice = 0x2000;

    /// <summary>A named pipe.</summary>
    public const uint Fifo = 0x1000;

    /// <summary>Set-user-ID.</summary>
    public const uint SetUserId = 0x800;

    /// <summary>Set-group-ID.</summary>
    public const uint SetGroupId = 0x400;

    /// <summary>The sticky bit.</summary>
    public const uint Sticky = 0x200;

    /// <summary>All bits that chmod(2) may set.</summary>
    public const uint PermissionMask = 0xFFF;

    /// <summary>Execute for the group; together with <see cref="SetGroupId"/> it makes a set-group-ID program.</summary>
    public const uint GroupExecute = 0x8;

    /// <summary>Whether the mode is that of a directory.</summary>
    public static bool IsDirectory(uint mode) => (mode & TypeMask) == Directory;

    /// <summary>Whether the mode is that of a regular file.</summary>
    public static bool IsRegular(uint mode) => (mode & TypeMask) == Regular;

    /// <summary>Whether the mode is that of a symbolic link.</summary>
    public static bool IsSymbolicLink(uint mode) => (mode & TypeMask) == SymbolicLink;

    /// <summary>
    /// The mode after a write, truncation or change of owner by somebody without CAP_FSETID: set-user-ID goes,
    /// set-group-ID goes where the group may execute (else it marks mandatory locking and stays).
    /// </summary>
    public static uint WithoutPrivileges(uint mode)
    {
        mode &= ~SetUserId;
        return (mode & GroupExecute) != 0 ? mode & ~SetGroupId : mode;
    }
}
