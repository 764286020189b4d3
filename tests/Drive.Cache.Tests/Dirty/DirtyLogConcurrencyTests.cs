using Drive.Cache.Dirty;
using Drive.Testing.Disk;
using static Drive.Cache.Tests.Dirty.LogFixture;

namespace Drive.Cache.Tests.Dirty;

public sealed class DirtyLogConcurrencyTests
{
    [Fact]
    public async Task Appends_reads_syncs_and_releases_may_all_run_at_once()
    {
        var disk = new MemoryDisk();
        using DirtyLog log = Open(disk);
        log.DeleteUnreferenced();
        using var done = new CancellationTokenSource();
        Task syncer = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                log.Sync();
            }
        });
        List<Written>[] kept = await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() => Work(log, worker))));
        await done.CancelAsync();
        await syncer;

        log.Sync();
        List<Written> all = [.. kept.SelectMany(items => items)];
        Assert.Equal(all.Sum(item => item.Data.Length), log.LiveBytes);
        using DirtyLog after = Open(disk.Crash(CrashKind.PowerLosesAll, new Random(1)), seed: 2);
        Assert.All(all, item => Assert.Equal(item.Data, Read(after, item.Record)));
        Assert.Superset(all.Select(item => item.Record).ToHashSet(), after.Scan().ToHashSet());
    }

    private static List<Written> Work(DirtyLog log, int worker)
    {
        var random = new Random(worker);
        List<Written> kept = [];
        for (int step = 0; step < 300; step++)
        {
            kept.Add(Append(log, (worker * 1000) + step, random.Next(1, 4000)));
            Written some = kept[random.Next(kept.Count)];
            Assert.Equal(some.Data, Read(log, some.Record));
            if (random.Next(2) == 0)
            {
                kept.Remove(some);
                log.Release(some.Record.Position, some.Data.Length);
            }
        }

        return kept;
    }
}
