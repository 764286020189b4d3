using System.Runtime.CompilerServices;
using Drive.Fuse.Native;

namespace Drive.Fuse.Transport.Uring;

/// <summary>
/// One io_uring of the kernel: a ring of submissions, a ring of completions, both in memory shared with it. Not thread-safe by itself: its owner's lock
/// guards all but <see cref="Enter"/>, which any thread may call at any time.
/// </summary>
internal sealed unsafe class IoRing : IDisposable
{
    private readonly int _descriptor;
    private readonly byte* _rings;
    private readonly nuint _ringsBytes;
    private readonly byte* _submissions;
    private readonly nuint _submissionsBytes;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint _submissionMask;
    private readonly uint _submissionCount;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _completionMask;
    private readonly IoUring.Completion* _completions;
    private bool _isDisposed;

    /// <summary>Refusals (no memory, forbidden by seccomp or by kernel.io_uring_disabled) are <see cref="FuseException"/>.</summary>
    public IoRing(uint submissions, uint completions)
    {
        IoUring.Parameters parameters = new()
        {
            Flags = IoUring.SetupCompletionCount | IoUring.SetupSubmitAll | IoUring.SetupCooperative | IoUring.SetupLargeSubmissions | IoUring.SetupNoIndexTable,
            CompletionCount = completions,
        };
        _descriptor = IoUring.Setup(submissions, &parameters);
        if (_descriptor < 0)
        {
            throw new FuseException($"io_uring_setup failed (errno {Libc.LastError})");
        }

        if ((parameters.Features & IoUring.FeaturesNeeded) != IoUring.FeaturesNeeded)
        {
            _ = Libc.Close(_descriptor);
            throw new FuseException($"this kernel's io_uring lacks features (0x{parameters.Features:x})");
        }

        _ringsBytes = parameters.Completions.Entries + (parameters.CompletionCount * IoUring.CompletionBytes);
        _submissionsBytes = parameters.SubmissionCount * IoUring.SubmissionBytes;
        _rings = Map(_ringsBytes, IoUring.MapRings);
        _submissions = Map(_submissionsBytes, IoUring.MapSubmissions);
        if (_rings == null || _submissions == null)
        {
            int errno = Libc.LastError;
            Dispose();
            throw new FuseException($"the memory of io_uring cannot be mapped (errno {errno})");
        }

        _submissionHead = (uint*)(_rings + parameters.Submissions.Head);
        _submissionTail = (uint*)(_rings + parameters.Submissions.Tail);
        _submissionMask = *(uint*)(_rings + parameters.Submissions.Mask);
        _submissionCount = parameters.SubmissionCount;
        _completionHead = (uint*)(_rings + parameters.Completions.Head);
        _completionTail = (uint*)(_rings + parameters.Completions.Tail);
        _completionMask = *(uint*)(_rings + parameters.Completions.Mask);
        _completions = (IoUring.Completion*)(_rings + parameters.Completions.Entries);
    }

    public int Descriptor => _descriptor;

    /// <summary>Submissions that the kernel has not taken yet.</summary>
    public uint Unsubmitted => RingArithmetic.Count(Volatile.Read(ref *_submissionHead), *_submissionTail);

    /// <summary>Adds a submission for the next <see cref="Enter"/>; false when the ring is full.</summary>
    public bool TrySubmit(in IoUring.Submission submission)
    {
        uint tail = *_submissionTail;
        if (!RingArithmetic.HasRoom(Volatile.Read(ref *_submissionHead), tail, _submissionCount))
        {
            return false;
        }

        Unsafe.Write(_submissions + (RingArithmetic.Slot(tail, _submissionMask) * IoUring.SubmissionBytes), submission);
        Volatile.Write(ref *_submissionTail, tail + 1);
        return true;
    }

    public bool TryTake(out IoUring.Completion completion)
    {
        uint head = *_completionHead;
        if (head == Volatile.Read(ref *_completionTail))
        {
            completion = default;
            return false;
        }

        completion = _completions[RingArithmetic.Slot(head, _completionMask)];
        Volatile.Write(ref *_completionHead, head + 1);
        return true;
    }

    /// <summary>
    /// Hands submissions over and waits until there are completions, or for as long as given. Returns 0 or an errno; after those that mean "look again" the
    /// caller does so. What is submitted belongs to the calling thread: when that ends, the kernel cancels it.
    /// </summary>
    public int Enter(uint submit, uint complete, TimeSpan? limit = null)
    {
        uint flags = complete > 0 ? IoUring.EnterGetEvents : 0;
        int result;
        if (limit is TimeSpan wait)
        {
            IoUring.TimeSpec time = new() { Seconds = (long)wait.TotalSeconds, Nanoseconds = (wait.Ticks % TimeSpan.TicksPerSecond) * 100 };
            IoUring.WaitArgument argument = new() { Limit = &time };
            result = IoUring.Enter(_descriptor, submit, complete, flags | IoUring.EnterExtendedArgument, &argument, (nuint)sizeof(IoUring.WaitArgument));
        }
        else
        {
            result = IoUring.Enter(_descriptor, submit, complete, flags, null, 0);
        }

        int errno = result < 0 ? Libc.LastError : 0;
        return errno is Errno.EINTR or Errno.EAGAIN or Errno.EBUSY or Errno.ETIME ? 0 : errno;
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Unmap(_submissions, _submissionsBytes);
        Unmap(_rings, _ringsBytes);
        _ = Libc.Close(_descriptor);
    }

    private byte* Map(nuint length, nint offset)
    {
        void* memory = Libc.Map(null, length, Libc.ProtectReadWrite, Libc.MapShared | Libc.MapPopulate, _descriptor, offset);
        return (nint)memory == -1 ? null : (byte*)memory;
    }

    private static void Unmap(byte* memory, nuint length)
    {
        if (memory != null)
        {
            _ = Libc.Unmap(memory, length);
        }
    }
}
