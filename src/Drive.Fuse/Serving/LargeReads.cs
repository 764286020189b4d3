using System.Collections.Concurrent;

namespace Drive.Fuse.Serving;

/// <summary>
/// Threads for large reads that come over rings. A ring's thread stays on its caller's processor, so what the kernel reads ahead would be opened there one after the
/// other while the rest of the machine stands by. A read of this size takes longer than handing it on does.
/// </summary>
/// <remarks>Threads: any. They are threads of our own for the reason that <see cref="ReaderPool"/> gives.</remarks>
internal sealed class LargeReads : IDisposable
{
    /// <summary>Opening so much takes some 100 µs, waking another thread some 10 to 50.</summary>
    public const int BytesMin = 128 * 1024;

    private const int ThreadsMax = 8;

    private readonly BlockingCollection<Action> _reads = [];

    public LargeReads()
    {
        for (int i = 0; i < Math.Clamp(Environment.ProcessorCount, 1, ThreadsMax); i++)
        {
            new Thread(Run, ReaderPool.StackBytes) { IsBackground = true, Name = $"fuse-read-{i}" }.Start();
        }
    }

    /// <summary>Has it done soon; nothing that it throws is caught here.</summary>
    public void Add(Action read) => _reads.Add(read);

    /// <summary>Only when no read waits any more.</summary>
    public void Dispose() => _reads.CompleteAdding();

    private void Run()
    {
        foreach (Action read in _reads.GetConsumingEnumerable())
        {
            read();
        }
    }
}
