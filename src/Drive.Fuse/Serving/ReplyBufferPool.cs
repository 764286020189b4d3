using Drive.Fuse.Native;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>
/// Buffers for replies. A request that waits for the network takes its reader's buffer with it, and the reader takes another one here.
/// How many are out is bounded by the kernel: requests in the background (<see cref="Terms.BackgroundMax"/>) and one per
/// waiting thread of a program. How many are kept is bounded here. Waiting for a buffer would hold a reader, so nobody ever waits.
/// </summary>
internal sealed class ReplyBufferPool : IDisposable
{
    /// <summary>Where the payload starts, so that it is page-aligned; the header lies just before.</summary>
    public const int PayloadStart = 4096;

    /// <summary>The largest request in the background, all at once.</summary>
    private const int KeptMax = Terms.BackgroundMax;

    private readonly Lock _lock = new();
    private readonly Stack<NativeBuffer> _free = new(KeptMax);
    private bool _isDisposed;

    public NativeBuffer Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out NativeBuffer? buffer))
            {
                return buffer;
            }
        }

        return new(PayloadStart + Terms.IoBytesMax);
    }

    public void Return(NativeBuffer buffer)
    {
        lock (_lock)
        {
            if (!_isDisposed && _free.Count < KeptMax)
            {
                _free.Push(buffer);
                return;
            }
        }

        ((IDisposable)buffer).Dispose();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            while (_free.TryPop(out NativeBuffer? buffer))
            {
                ((IDisposable)buffer).Dispose();
            }
        }
    }
}
