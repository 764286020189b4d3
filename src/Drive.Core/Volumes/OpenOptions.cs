namespace Drive.Core.Volumes;

/// <summary>How a file is opened.</summary>
[Flags]
public enum OpenOptions
{
    /// <summary>Nothing: only attributes.</summary>
    None = 0,

    /// <summary>For reading. A kernel with a page cache may read on any handle, so this does not restrict reads.</summary>
    Read = 1,

    /// <summary>For writing.</summary>
    Write = 2,

    /// <summary>Cut to nothing as part of the open.</summary>
    Truncate = 4,

    /// <summary>Each write goes to the end (O_APPEND); the volume finds the end under its own lock.</summary>
    Append = 8,

    /// <summary>Creation fails when the name exists (O_EXCL).</summary>
    Exclusive = 16,

    /// <summary>Each write is on the disk before it returns (O_SYNC, O_DSYNC).</summary>
    Synchronous = 32,

    /// <summary>With <see cref="Truncate"/>: see <see cref="AttributeFields.KillPrivileges"/>.</summary>
    KillPrivileges = 64,
}

/// <summary>How a write is done.</summary>
[Flags]
public enum WriteOptions
{
    /// <summary>Plainly.</summary>
    None = 0,

    /// <summary>The kernel writes back a page on its own: no permission or append rules, times stay.</summary>
    FromPageCache = 1,

    /// <summary>See <see cref="AttributeFields.KillPrivileges"/>.</summary>
    KillPrivileges = 2,

    /// <summary>As <see cref="OpenOptions.Append"/>, for this write.</summary>
    Append = 4,

    /// <summary>As <see cref="OpenOptions.Synchronous"/>, for this write.</summary>
    Synchronous = 8,
}

/// <summary>Flags of renameat2(2).</summary>
[Flags]
public enum RenameOptions
{
    /// <summary>An existing target is replaced.</summary>
    None = 0,

    /// <summary>An existing target refuses the call with <see cref="FsStatus.Exists"/>.</summary>
    NoReplace = 1,

    /// <summary>Both names must exist and swap their nodes.</summary>
    Exchange = 2,
}

/// <summary>Modes of fallocate(2).</summary>
[Flags]
public enum AllocateOptions
{
    /// <summary>Make sure of space and grow the file.</summary>
    None = 0,

    /// <summary>The file does not grow.</summary>
    KeepSize = 1,

    /// <summary>The range becomes a hole; with <see cref="KeepSize"/> only.</summary>
    PunchHole = 2,

    /// <summary>The range reads as zeros.</summary>
    ZeroRange = 16,
}

/// <summary>What lseek(2) looks for.</summary>
public enum SeekTarget
{
    /// <summary>SEEK_DATA.</summary>
    Data,

    /// <summary>SEEK_HOLE; the end of the file counts as one.</summary>
    Hole,
}

/// <summary>Flags of setxattr(2).</summary>
[Flags]
public enum AttributeSetOptions
{
    /// <summary>Make or replace.</summary>
    None = 0,

    /// <summary>Fail with <see cref="FsStatus.Exists"/> when it is there.</summary>
    CreateOnly = 1,

    /// <summary>Fail with <see cref="FsStatus.NoAttribute"/> when it is not there.</summary>
    ReplaceOnly = 2,
}

/// <summary>What statvfs(3) shows.</summary>
/// <param name="TotalBytes">Size of the volume.</param>
/// <param name="FreeBytes">Of it free.</param>
/// <param name="Nodes">Nodes in use.</param>
/// <param name="NodesFree">Nodes that may still be made.</param>
public readonly record struct VolumeSpace(long TotalBytes, long FreeBytes, long Nodes, long NodesFree);

/// <summary>What an asynchronous call came to.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Count">Bytes read, copied or found; 0 unless <see cref="FsStatus.Ok"/>.</param>
public readonly record struct IoResult(FsStatus Status, long Count)
{
    /// <summary>A success of <paramref name="count"/> bytes.</summary>
    public static IoResult Done(long count) => new(FsStatus.Ok, count);

    /// <summary>A failure.</summary>
    public static IoResult Failed(FsStatus status) => new(status, 0);
}
