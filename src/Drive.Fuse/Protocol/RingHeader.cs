using System.Runtime.InteropServices;

namespace Drive.Fuse.Protocol;

/// <summary>
/// What the kernel and we exchange for one request over io_uring besides the payload: the header of a request or of its reply, the fixed part of the
/// request, and how the payload stands.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal struct RingHeader
{
    public const int Size = 288;

    /// <summary>Room for a request's fixed part.</summary>
    public const int FixedPartMax = 128;

    [FieldOffset(0)]
    public InHeader In;

    [FieldOffset(0)]
    public OutHeader Out;

    /// <summary>The first byte of the fixed part.</summary>
    [FieldOffset(128)]
    public byte FixedPart;

    /// <summary>Under which the reply is handed in.</summary>
    [FieldOffset(264)]
    public ulong CommitId;

    [FieldOffset(272)]
    public uint PayloadBytes;
}

/// <summary>The commands to /dev/fuse over io_uring.</summary>
internal enum RingCommand : uint
{
    /// <summary>Gives the kernel an entry that it may put requests into.</summary>
    Register = 1,

    /// <summary>Hands in a reply and makes its entry free for the next request.</summary>
    CommitAndFetch = 2,
}

/// <summary>Asks the kernel for a <see cref="Opcode.NotifyReply"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RetrieveOut
{
    public ulong NotifyUnique;
    public ulong NodeId;
    public ulong Offset;
    public uint Size;
    public uint Padding;
}
