using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Metadata;
using Drive.Testing.Disk;
using Drive.Testing.Sqlite;

namespace Drive.Simulation.Tests;

/// <summary>The database on a simulated disk, without the rest of the engine.</summary>
public sealed class SqliteDiskTests : IDisposable
{
    private const string Path = "/state/metadata.db";
    private readonly byte[] _key = new byte[32];
    private readonly List<SqliteDisk> _layers = [];
    private MemoryDisk _memory = new();
    private FaultyDisk _disk = null!;

    public SqliteDiskTests()
    {
        DurableDirectory.Create(_memory, "/state");
        _disk = new FaultyDisk(_memory);
    }

    public void Dispose() => _layers.ForEach(static layer => layer.Dispose());

    [Fact]
    public void A_change_survives_the_power_cut_that_follows_it()
    {
        MetadataStore store = Open();
        Put(store, 7);
        using MetadataStore after = After(CrashKind.PowerLosesAll, store);
        Assert.Equal(7, Get(after));
    }

    [Fact]
    public void What_a_killed_process_left_is_durable_before_anything_is_done_about_it()
    {
        MetadataStore store = Open();
        Put(store, 1);

        // Killed after the last write of the change and before its sync: the system has the change, the disk does not.
        _disk.Fault = call => call.Operation == DiskOperation.Sync ? Stop() : null;
        Assert.ThrowsAny<IOException>(() => Put(store, 2));
        using MetadataStore found = After(CrashKind.Process, store);
        Assert.Equal(2, Get(found));
        using MetadataStore after = After(CrashKind.PowerLosesAll, found);
        Assert.Equal(2, Get(after));

        Exception Stop()
        {
            _disk.TurnOff();
            return FaultyDisk.InputOutputError();
        }
    }

    [Fact]
    public void A_full_disk_refuses_one_change_and_takes_the_next()
    {
        using MetadataStore store = Open();
        Put(store, 1);
        _disk.Fault = call => call.Operation == DiskOperation.Write ? FaultyDisk.Full() : null;
        Assert.Throws<DiskFullException>(() => Put(store, 2));
        _disk.Fault = _ => null;
        Assert.Equal(1, Get(store));
        Put(store, 3);
        Assert.Equal(3, Get(store));
    }

    [Fact]
    public void A_failed_disk_ends_all_changes_until_it_is_opened_anew()
    {
        MetadataStore store = Open();
        Put(store, 1);
        _disk.Fault = call => call.Operation == DiskOperation.Sync ? FaultyDisk.InputOutputError() : null;
        Assert.Throws<IOException>(() => Put(store, 2));
        _disk.Fault = _ => null;
        Assert.Throws<IOException>(() => Put(store, 3));
        using MetadataStore after = After(CrashKind.PowerLosesAll, store);
        Assert.Equal(1, Get(after));
        Put(after, 4);
        Assert.Equal(4, Get(after));
    }

    [Fact]
    public void Each_call_may_fail_and_none_brings_the_process_down()
    {
        for (int failing = 0; failing < 120; failing++)
        {
            _memory = new MemoryDisk();
            DurableDirectory.Create(_memory, "/state");
            _disk = new FaultyDisk(_memory);
            int calls = 0;
            int at = failing;
            _disk.Fault = _ => calls++ == at ? new InvalidOperationException("anything at all") : null;
            try
            {
                using MetadataStore store = Open();
                Put(store, 5);
            }
            catch (Exception error) when (error is IOException or MetadataCorruptException)
            {
                // Refused, with a word.
            }

            _disk.Fault = _ => null;
            using MetadataStore after = Open();
            Put(after, 6);
            Assert.Equal(6, Get(after));
        }
    }

    private MetadataStore Open()
    {
        SqliteDisk layer = SqliteDisk.Over(_disk);
        _layers.Add(layer);
        return MetadataStore.Open(Path, _key, new MetadataOptions { Vfs = layer.Name });
    }

    /// <summary>What the next start finds; the process before is gone.</summary>
    private MetadataStore After(CrashKind kind, MetadataStore before)
    {
        _memory = _memory.Crash(kind, new Random(1));
        _disk.TurnOff();
        before.Dispose();
        _disk = new FaultyDisk(_memory);
        return Open();
    }

    private static void Put(MetadataStore store, byte value)
    {
        MetadataBatch batch = new() { Epoch = 1 };
        batch.PutSetting("value", [value]);
        store.Apply(batch);
    }

    private static int Get(MetadataStore store) => store.ReadSetting("value") is [var value] ? value : -1;
}
