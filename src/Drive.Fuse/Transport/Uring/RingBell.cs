using Drive.Fuse.Native;

namespace Drive.Fuse.Transport.Uring;

/// <summary>
/// Wakes the thread that waits at a queue, from any thread: a ring of its own that only posts completions into others. So the threads that answer late
/// submit nothing to a queue's ring, whose submissions would end with them.
/// </summary>
internal sealed class RingBell : IDisposable
{
    /// <summary>The user data of a completion that is only a wake-up.</summary>
    public const ulong Number = ulong.MaxValue;

    private readonly Lock _lock = new();
    private readonly IoRing _ring = new(submissions: 4, completions: 64);
    private bool _isDisposed;

    /// <summary>Posts to the ring with this descriptor; false when it is gone.</summary>
    public bool TryRing(int descriptor)
    {
        IoUring.Submission submission = new()
        {
            Operation = IoUring.OperationMessageRing,
            Flags = IoUring.SubmissionSilent,
            Descriptor = descriptor,
            Offset = Number,
        };
        lock (_lock)
        {
            if (_isDisposed || !_ring.TrySubmit(submission))
            {
                return false;
            }

            while (_ring.Unsubmitted > 0)
            {
                if (_ring.Enter(_ring.Unsubmitted, 0) != 0)
                {
                    return false;
                }
            }

            // Only failures are told: the other ring is gone.
            return !_ring.TryTake(out _);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _ring.Dispose();
        }
    }
}
