namespace Drive.Backup.Runs;

/// <summary>
/// Keeps the heap of a run small. What a batch holds lives as long as the batch, so the collector takes it for lasting, and comes for it only when the heap has grown to several times of what is needed. Between
/// two batches nearly all of it is garbage, so then is the time. For one thread.
/// </summary>
internal sealed class RunHeap
{
    /// <summary>Growth that is worth a collection, of some 30 ms. Chosen by measuring: <c>docs/performance.md</c>, Backup.</summary>
    private const long GrowthBytes = 32 << 20;

    private long _collected = GC.GetTotalMemory(forceFullCollection: false);

    /// <summary>Between two batches.</summary>
    public void Settle()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) - _collected >= GrowthBytes)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            _collected = GC.GetTotalMemory(forceFullCollection: false);
        }
    }
}
