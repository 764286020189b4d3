using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Testing.Disk;
using Xunit.Abstractions;
using static Drive.Cache.Tests.Dirty.LogFixture;

namespace Drive.Cache.Tests.Dirty;

public sealed class DirtyLogFaultTests(ITestOutputHelper output)
{
    private readonly MemoryDisk _memory = new();

    [Fact]
    public void A_failed_sync_is_told_to_every_caller_until_the_records_are_written_again()
    {
        var disk = new FaultyDisk(_memory);
        using DirtyLog log = Open(disk);
        Written before = Append(log, 1, 1000);
        log.Sync();
        Written lost = Append(log, 2, 1000);
        int syncs = 0;
        disk.Fault = call => call.Operation == DiskOperation.Sync && syncs++ == 0 ? FaultyDisk.InputOutputError() : null;

        var failure = Assert.Throws<DirtyLogSyncException>(log.Sync);
        Assert.Equal(lost.Record.Position.Segment, failure.Segment);
        Assert.True(before.Record.Position.Position < failure.DurableUpTo);
        Assert.Equal(lost.Record.Position.Position, failure.DurableUpTo);
        Assert.Throws<DirtyLogSyncException>(log.Sync);
        Assert.Equal(1, syncs);

        Written again = Append(log, 3, 1000);
        Assert.NotEqual(failure.Segment, again.Record.Position.Segment);
        Assert.Throws<DirtyLogSyncException>(log.Sync);
        log.MarkRewritten(failure.Segment);
        log.Sync();

        using DirtyLog after = Open(_memory.Crash(CrashKind.PowerLosesAll, new Random(1)), seed: 8);
        Assert.Equal(before.Data, Read(after, before.Record));
        Assert.Equal(again.Data, Read(after, again.Record));
        Assert.Throws<CorruptLogException>(() => Read(after, lost.Record));
    }

    [Fact]
    public void A_failed_sync_of_the_directory_counts_like_one_of_the_file()
    {
        var disk = new FaultyDisk(_memory);
        using DirtyLog log = Open(disk);
        Written lost = Append(log, 2, 1000);
        int syncs = 0;
        disk.Fault = call => call.Operation == DiskOperation.SyncDirectory && syncs++ == 0 ? FaultyDisk.InputOutputError() : null;
        Assert.Equal(0, Assert.Throws<DirtyLogSyncException>(log.Sync).DurableUpTo);
        Assert.Equal(lost.Data, Read(log, lost.Record));
        Assert.Throws<DirtyLogSyncException>(log.Sync);
        Assert.Equal(1, syncs);
    }

    [Fact]
    public void A_full_disk_refuses_the_append_or_the_sync_and_loses_nothing()
    {
        using DirtyLog log = Open(_memory);
        _memory.CapacityBytes = 20_000;
        List<Written> kept = [];
        Assert.Throws<DiskFullException>((Action)(() =>
        {
            while (true)
            {
                kept.Add(Append(log, kept.Count, 3000));
            }
        }));
        Assert.Throws<DiskFullException>(log.Sync);
        Assert.All(kept, item => Assert.Equal(item.Data, Read(log, item.Record)));

        _memory.CapacityBytes = long.MaxValue;
        log.Sync();
        using DirtyLog after = Open(_memory.Crash(CrashKind.PowerLosesAll, new Random(1)), seed: 8);
        Assert.All(kept, item => Assert.Equal(item.Data, Read(after, item.Record)));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Whatever_change_of_the_disk_fails_no_sync_lies(bool isFull, bool isForEver)
    {
        for (int number = 0; number < 60; number++)
        {
            output.WriteLine($"change {number} fails");
            var memory = new MemoryDisk();
            var disk = new FaultyDisk(memory);
            using DirtyLog log = Open(disk);
            disk.FailChange(number, isFull ? FaultyDisk.Full : FaultyDisk.InputOutputError, isForEver);
            (List<Written> durable, List<Written> readable) = Work(log);

            Assert.All(readable, item => Assert.Equal(item.Data, Read(log, item.Record)));
            using DirtyLog after = Open(memory.Crash(CrashKind.PowerLosesAll, new Random(number)), seed: 8);
            Assert.All(durable, item => Assert.Equal(item.Data, Read(after, item.Record)));
        }
    }

    /// <summary>Appends and syncs as an engine does: after a sync that failed, what was not durable is appended again, once.</summary>
    private static (List<Written> Durable, List<Written> Readable) Work(DirtyLog log)
    {
        List<Written> all = [];
        int durable = 0;
        for (int step = 0; step < 60; step++)
        {
            try
            {
                if (step % 5 == 4)
                {
                    try
                    {
                        log.Sync();
                    }
                    catch (DirtyLogSyncException failure)
                    {
                        for (int index = durable; index < all.Count; index++)
                        {
                            if (all[index].Record.Position.Segment == failure.Segment)
                            {
                                all[index] = Append(log, (int)all[index].Record.Sequence, all[index].Data.Length);
                            }
                        }

                        log.MarkRewritten(failure.Segment);
                        log.Sync();
                    }

                    durable = all.Count;
                }
                else
                {
                    all.Add(Append(log, step, 5000));
                }
            }
            catch (IOException)
            {
                // The caller of write or fsync gets an error; nothing was promised.
            }
        }

        return (all[..durable], all);
    }
}
