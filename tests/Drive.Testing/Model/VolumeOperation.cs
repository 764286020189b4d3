namespace Drive.Testing.Model;

/// <summary>What an operation of the model does. Each makes at most one call that changes the volume, so a crash leaves a whole number of them.</summary>
public enum OperationKind
{
    MakeFile,
    MakeFifo,
    MakeDirectory,
    MakeSymbolicLink,
    Create,
    Write,
    Append,
    Read,
    Truncate,
    OpenTruncate,
    Allocate,
    AllocateKeepSize,
    PunchHole,
    ZeroRange,
    ZeroRangeKeepSize,
    SeekData,
    SeekHole,
    CopyRange,
    Rename,
    RenameNoReplace,
    Exchange,
    Link,
    Unlink,
    RemoveDirectory,
    List,
    SetMode,
    SetOwner,
    SetTimes,
    SetXattr,
    GetXattr,
    RemoveXattr,
    Fsync,
    FsyncAll,
    OpenSlot,
    CreateUnnamedSlot,
    LinkSlot,
    WriteSlot,
    ReadSlot,
    TruncateSlot,
    CloseSlot,
}

/// <summary>
/// One operation. It names what it works on by paths and by slots of open handles, never by ids, so a list of them means something after any was
/// taken out and runs the same on any volume.
/// </summary>
/// <param name="Kind">What to do.</param>
/// <param name="Path">Where.</param>
/// <param name="Other">The second path of a rename, link or copy.</param>
/// <param name="Offset">Offset in the file; the second offset of a copy is <paramref name="Value"/>.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Value">Seed of the bytes, mode, owner, time or number of the attribute.</param>
/// <param name="Slot">Which open handle.</param>
public sealed record VolumeOperation(
    OperationKind Kind, string Path = "", string Other = "", long Offset = 0, int Length = 0, int Value = 0, int Slot = 0)
{
    public override string ToString() =>
        $"new({nameof(OperationKind)}.{Kind}, {Shown(Path)}, {Shown(Other)}, {Offset}, {Length}, {Value}, {Slot}),";

    private static string Shown(string path) => path.Length <= 80 ? $"\"{path}\"" : $"new('{path[1]}', {path.Length})";
}
