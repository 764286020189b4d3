using Drive.Core.Stores;
using Drive.Disk;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests;

public sealed class SplitStoreContractTests : ObjectStoreContract
{
    protected override ValueTask<IObjectStore> OpenAsync() => new(new SplitStore(new MemoryStore(), new MemoryStore()));
}

public sealed class SplitFolderContractTests : ObjectStoreContract
{
    private readonly string _root = Directory.CreateTempSubdirectory("drive-split-").FullName;

    protected override ValueTask<IObjectStore> OpenAsync() => new(new SplitStore(Open("packs"), Open("log")));

    protected override ValueTask CleanAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }

    private IObjectStore Open(string name) => StorePlace.Parse(Path.Combine(_root, name)).Open(create: true, new LocalDisk(), TimeProvider.System, new SeededRandom(1));
}

public sealed class SplitStoreTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData("packs/ab/one", true)]
    [InlineData("checkpoints/one", true)]
    [InlineData("log/1/1", false)]
    [InlineData("floor/1", false)]
    [InlineData("slots/one", false)]
    [InlineData("vault", false)]
    [InlineData("packs", false)]
    [InlineData("packs-not/one", false)]
    [InlineData("something/new", false)]
    public async Task Each_name_has_one_place_and_is_not_seen_in_the_other(string text, bool isPacks)
    {
        MemoryStore packs = new();
        MemoryStore log = new();
        await using SplitStore store = new(packs, log);
        ObjectName name = new(text);
        (IObjectStore right, IObjectStore wrong) = isPacks ? (packs, log) : (log, packs);
        await wrong.PutIfAbsentAsync(name, new byte[9], None);
        Assert.Null(await store.GetAsync(name, 10, None));
        Assert.Null(await store.GetLengthAsync(name, None));
        Assert.Empty(await ListAsync(store, ""));
        Assert.True(await store.PutIfAbsentAsync(name, new byte[3], None));
        Assert.Equal(3, await right.GetLengthAsync(name, None));
        Assert.Equal(3, await store.GetRangeAsync(name, 0, new byte[10], None));
        Assert.Equal([text], await ListAsync(store, ""));
        Assert.Equal([text], await ListAsync(store, text[..2]));
        await store.DeleteAsync(name, None);
        Assert.Equal(9, await wrong.GetLengthAsync(name, None));
        Assert.Null(await right.GetLengthAsync(name, None));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failure_says_which_of_them_it_was_and_the_other_works_on(bool isPacks)
    {
        await using FaultyStore broken = new(new MemoryStore()) { Script = static _ => StoreFault.FailBefore(StoreErrorKind.Full, isTransient: false) };
        await using SplitStore store = isPacks ? new(broken, new MemoryStore()) : new(new MemoryStore(), broken);
        (ObjectName bad, ObjectName good) = isPacks ? (new ObjectName("packs/ab/one"), new ObjectName("log/1/1")) : (new ObjectName("log/1/1"), new ObjectName("packs/ab/one"));
        string which = isPacks ? "The store of the packs: " : "The store of the log: ";
        foreach (Func<Task> call in new Func<Task>[]
        {
            () => store.PutIfAbsentAsync(bad, new byte[1], None),
            () => store.GetAsync(bad, 1, None),
            () => store.GetRangeAsync(bad, 0, new byte[1], None).AsTask(),
            () => store.GetLengthAsync(bad, None),
            () => store.DeleteAsync(bad, None),
            () => ListAsync(store, bad.Value),
        })
        {
            StoreException failure = await Assert.ThrowsAsync<StoreException>(call);
            Assert.Equal((StoreErrorKind.Full, false), (failure.Kind, failure.IsTransient));
            Assert.StartsWith(which, failure.Message, StringComparison.Ordinal);
        }

        Assert.True(await store.PutIfAbsentAsync(good, new byte[1], None));
    }

    [Theory]
    [InlineData(ProbeFinding.IgnoresTheCondition, true)]
    [InlineData(ProbeFinding.LetsSeveralWin, true)]
    [InlineData(ProbeFinding.ListsWrongly, true)]
    [InlineData(ProbeFinding.TakenByNobody, false)]
    [InlineData(ProbeFinding.Forgets, false)]
    [InlineData(ProbeFinding.CutsBodies, false)]
    [InlineData(ProbeFinding.WrongLength, false)]
    [InlineData(ProbeFinding.WrongRange, false)]
    public async Task A_careless_store_may_hold_packs_and_one_that_loses_or_lies_may_not(ProbeFinding fault, bool mayHold)
    {
        foreach (ProbeSize size in new[] { ProbeSize.Quick, ProbeSize.Full with { Rounds = 40 } })
        {
            MemoryStore kept = new();
            await using BrokenStore store = new(kept, fault);
            ProbeResult result = await new StoreProbe([store], size, new SeededRandom(1), ProbeUse.Packs).RunAsync(None);
            Assert.True(mayHold == (result.Class != StoreClass.C), result.Reasons);
            Assert.Empty(await ListAsync(kept, ""));
        }
    }

    [Fact]
    public async Task A_brief_look_wants_of_each_part_what_it_holds_and_names_it()
    {
        await using FarStore careless = new(new BrokenStore(new MemoryStore(), ProbeFinding.IgnoresTheCondition));
        await using SplitStore safe = new(careless, new MemoryStore());
        Assert.NotEqual(StoreClass.C, (await StoreProbe.LookBrieflyAsync(safe, new SeededRandom(1), ProbeUse.Vault, None)).Class);
        await using SplitStore turned = new(new MemoryStore(), careless);
        ProbeResult bad = await StoreProbe.LookBrieflyAsync(turned, new SeededRandom(1), ProbeUse.Vault, None);
        Assert.Equal(StoreClass.C, bad.Class);
        Assert.StartsWith("the log's store: ", bad.Reasons, StringComparison.Ordinal);
        await using FarStore liar = new(new BrokenStore(new MemoryStore(), ProbeFinding.CutsBodies));
        await using SplitStore cut = new(liar, new MemoryStore());
        Assert.StartsWith("the packs' store: ", (await StoreProbe.LookBrieflyAsync(cut, new SeededRandom(1), ProbeUse.Vault, None)).Reasons, StringComparison.Ordinal);
        Assert.Equal(StoreClass.C, (await StoreProbe.LookBrieflyAsync(careless, new SeededRandom(1), ProbeUse.Vault, None)).Class);
    }

    [Fact]
    public async Task A_watch_is_the_logs()
    {
        await using SplitStore silent = new(new MemoryStore(), new MemoryStore());
        silent.Watch("log/", static () => Assert.Fail("nothing tells")).Dispose();
        string root = Directory.CreateTempSubdirectory("drive-split-").FullName;
        try
        {
            await using SplitStore store = new(new MemoryStore(), StorePlace.Parse(root).Open(create: true, new LocalDisk(), TimeProvider.System, new SeededRandom(1)));
            await using IObjectStore other = StorePlace.Parse(root).Open(create: false, new LocalDisk(), TimeProvider.System, new SeededRandom(2));
            using SemaphoreSlim told = new(0);
            using IDisposable watch = store.Watch("log/", () => told.Release());
            await other.PutIfAbsentAsync(new ObjectName("log/1/1"), new byte[1], None);
            Assert.True(await told.WaitAsync(TimeSpan.FromSeconds(30)));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>One that is not taken for a local disk.</summary>
    private sealed class FarStore(IObjectStore inner) : ForwardingStore(inner)
    {
        public override StoreDescription Description => new("far", IsLocal: false);
    }

    private static async Task<List<string>> ListAsync(IObjectStore store, string prefix)
    {
        List<string> names = [];
        await foreach (ObjectInfo found in store.ListAsync(prefix, None))
        {
            names.Add(found.Name.Value);
        }

        return names;
    }
}
