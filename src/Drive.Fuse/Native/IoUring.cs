using System.Runtime.InteropServices;

namespace Drive.Fuse.Native;

/// <summary>
/// io_uring as the kernel's headers define it, as far as commands to a driver need it: numbers and offsets, which are the same on every processor.
/// The C library has no functions for it, so its calls go through syscall(2).
/// </summary>
internal static unsafe partial class IoUring
{
    /// <summary>io_uring_setup: the completions' capacity is given too.</summary>
    public const uint SetupCompletionCount = 1 << 3;

    /// <summary>io_uring_setup: one refused submission does not hold back those behind it.</summary>
    public const uint SetupSubmitAll = 1 << 7;

    /// <summary>io_uring_setup: a completion wakes its sleeping thread but does not interrupt a running one.</summary>
    public const uint SetupCooperative = 1 << 8;

    /// <summary>io_uring_setup: submissions of 128 bytes, with room for a driver's command.</summary>
    public const uint SetupLargeSubmissions = 1 << 10;

    /// <summary>io_uring_setup: submissions are taken in their order, without a table of indexes.</summary>
    public const uint SetupNoIndexTable = 1 << 16;

    /// <summary>What a kernel with FUSE over io_uring has in any case: one mapping for both rings, no lost completions, waiting with a limit.</summary>
    public const uint FeaturesNeeded = (1 << 0) | (1 << 1) | (1 << 8);

    public const uint EnterGetEvents = 1 << 0;
    public const uint EnterExtendedArgument = 1 << 3;

    public const byte OperationNothing = 0;
    public const byte OperationMessageRing = 40;
    public const byte OperationCommand = 46;

    /// <summary>IOSQE_CQE_SKIP_SUCCESS: nothing is posted when all went well.</summary>
    public const byte SubmissionSilent = 1 << 6;

    public const nint MapRings = 0;
    public const nint MapSubmissions = 0x1000_0000;

    public const int SubmissionBytes = 128;
    public const int CompletionBytes = 16;

    private const int SetupCall = 425;
    private const int EnterCall = 426;

    private const string Library = "libc";

    public static int Setup(uint entries, Parameters* parameters) => (int)SystemCall(SetupCall, entries, parameters);

    public static int Enter(int ring, uint submit, uint complete, uint flags, void* argument, nuint size) =>
        (int)SystemCall(EnterCall, ring, submit, complete, flags, argument, size);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nuint entries, Parameters* parameters);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint ring, nuint submit, nuint complete, nuint flags, void* argument, nuint size);

    [StructLayout(LayoutKind.Sequential)]
    public struct Parameters
    {
        public uint SubmissionCount;
        public uint CompletionCount;
        public uint Flags;
        public uint ThreadProcessor;
        public uint ThreadIdle;
        public uint Features;
        public uint Worker;
        public uint Reserved1;
        public uint Reserved2;
        public uint Reserved3;
        public SubmissionOffsets Submissions;
        public CompletionOffsets Completions;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct SubmissionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint Mask;
        public uint Count;
        public uint Flags;
        public uint Dropped;
        public uint Indexes;
        public uint Reserved;
        public ulong Address;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CompletionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint Mask;
        public uint Count;
        public uint Overflow;
        public uint Entries;
        public uint Flags;
        public uint Reserved;
        public ulong Address;
    }

    /// <summary>The argument of a wait with a limit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct WaitArgument
    {
        public ulong SignalMask;
        public uint SignalMaskBytes;
        public uint MinimalWait;
        public TimeSpec* Limit;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>One submission; what follows the fixed fields is the driver's.</summary>
    [StructLayout(LayoutKind.Explicit, Size = SubmissionBytes)]
    public struct Submission
    {
        [FieldOffset(0)]
        public byte Operation;

        [FieldOffset(1)]
        public byte Flags;

        [FieldOffset(4)]
        public int Descriptor;

        /// <summary>For a message, the number that the other ring sees; for a command, which one.</summary>
        [FieldOffset(8)]
        public ulong Offset;

        [FieldOffset(16)]
        public void* Address;

        [FieldOffset(24)]
        public uint Length;

        [FieldOffset(32)]
        public ulong UserData;

        [FieldOffset(48)]
        public ulong CommandFlags;

        [FieldOffset(56)]
        public ulong CommitId;

        [FieldOffset(64)]
        public ushort QueueId;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Completion
    {
        public ulong UserData;
        public int Result;
        public uint Flags;
    }
}
