using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Stores.Memory;
using Drive.Stores.Tests.WebDav;
using Drive.Testing;
using Drive.Testing.Disk;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests;

public sealed class StoreProbeTests(DavServers servers) : IClassFixture<DavServers>
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static TheoryData<ProbeFinding> Breaks => [.. Enum.GetValues<ProbeFinding>()];

    [Fact]
    public async Task A_store_in_memory_passes_all_of_it_and_is_left_as_it_was()
    {
        MemoryStore store = new();
        ProbeResult result = await ProbeAsync(ProbeSize.Full, store);
        Assert.Equal((StoreClass.A, 200, ""), (result.Class, result.Rounds, result.Reasons));
        await AssertEmptyAsync(store);
    }

    [Fact]
    public async Task A_folder_passes_and_is_left_as_it_was()
    {
        await using IObjectStore store = StorePlace.Parse("/vault").Open(create: true, new MemoryDisk(), TimeProvider.System, new SeededRandom(1));
        ProbeResult result = await ProbeAsync(ProbeSize.Quick, store);
        Assert.Equal((StoreClass.A, 3, ""), (result.Class, result.Rounds, result.Reasons));
        await AssertEmptyAsync(store);
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task A_store_with_a_fault_is_found_out_by_name(ProbeFinding fault)
    {
        // Each of the two sizes finds each fault.
        foreach (ProbeSize size in new[] { ProbeSize.Quick, ProbeSize.Full with { Rounds = 40 } })
        {
            await using BrokenStore store = new(new MemoryStore(), fault);
            ProbeResult result = await ProbeAsync(size, store);
            Assert.True(result.Findings.ContainsKey(fault), $"{fault}: {result.Reasons}");
            Assert.Equal(fault == ProbeFinding.ListsWrongly ? StoreClass.A : StoreClass.C, result.Class);
            Assert.NotEmpty(result.Reasons);
        }
    }

    [Fact]
    public async Task A_store_that_is_away_has_failed_no_probe()
    {
        await using FaultyStore store = new(new MemoryStore()) { Script = static _ => StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) };
        await Assert.ThrowsAsync<StoreException>(() => ProbeAsync(ProbeSize.Quick, store));
    }

    [Theory]
    [InlineData(0, 0, 64)]
    [InlineData(1, 4096, 64)]
    [InlineData(49, 8 << 20, 8)]
    [InlineData(199, 8 << 20, 8)]
    public void Rounds_differ_in_what_is_wanted_and_by_how_many(int round, int length, int writers) => Assert.Equal((length, writers), ProbeSize.Full.Of(round));

    [DavFact(DavKind.Lighttpd)]
    public Task Lighttpd_is_class_b_by_moving_and_class_a_by_putting() => ClassesAsync(DavKind.Lighttpd, ("", StoreClass.B), ("?slot=put", StoreClass.A), ("?slot=move", StoreClass.B));

    [DavFact(DavKind.Apache)]
    public Task Apache_is_class_b_and_class_c_by_putting() => ClassesAsync(DavKind.Apache, ("", StoreClass.B), ("?slot=put", StoreClass.C));

    [DavFact(DavKind.Nginx)]
    public Task Nginx_is_class_b_and_class_c_by_putting() => ClassesAsync(DavKind.Nginx, ("", StoreClass.B), ("?slot=put", StoreClass.C));

    [DavFact(DavKind.Rclone)]
    public Task Rclone_is_class_b() => ClassesAsync(DavKind.Rclone, ("", StoreClass.B));

    private async Task ClassesAsync(DavKind kind, params (string Query, StoreClass Class)[] expected)
    {
        DavServer server = await servers.GetAsync(kind);
        foreach ((string query, StoreClass known) in expected)
        {
            string url = server.NewFolder() + query;
            await using IObjectStore first = DavStoreTests.Open(url);
            await using IObjectStore second = DavStoreTests.Open(url);
            ProbeResult result = await ProbeAsync(known == StoreClass.C ? ProbeSize.Full with { Writers = 16 } : ProbeSize.Quick, first, second);
            Assert.True(result.Class == known, $"{url}: {result.Class} {result.Reasons}");
        }
    }

    private static Task<ProbeResult> ProbeAsync(ProbeSize size, params IObjectStore[] stores) => new StoreProbe(stores, size, new SeededRandom(1)).RunAsync(None);

    private static async Task AssertEmptyAsync(IObjectStore store)
    {
        await foreach (ObjectInfo left in store.ListAsync("", None))
        {
            Assert.Fail($"{left.Name} was left");
        }
    }
}
