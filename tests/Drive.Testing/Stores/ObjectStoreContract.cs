using System.Reflection;
using Drive.Core.Stores;

namespace Drive.Testing.Stores;

/// <summary>
/// What <see cref="IObjectStore"/> promises, as tests. Each store and each wrapper inherits it and gives a fresh, empty store.
/// </summary>
public abstract class ObjectStoreContract : IAsyncLifetime
{
    private IObjectStore? _store;

    protected IObjectStore Store => _store ?? throw new InvalidOperationException("The store is not open yet.");

    protected static CancellationToken None => CancellationToken.None;

    /// <summary>
    /// False for a store that finds out by comparing bytes whether an unanswered put was its own: of racing puts of equal bytes several may be told true.
    /// </summary>
    protected virtual bool TellsEqualBytesApart => true;

    public static TheoryData<int> Lengths => [0, 1, 4096, 65_537, 8 << 20];

    /// <summary>Each test, by name: for stores whose server may be missing, and which must then be skipped.</summary>
    public static TheoryData<string> Tests =>
        [.. typeof(ObjectStoreContract).GetMethods().Where(static method => method.GetCustomAttribute<FactAttribute>() is not null).Select(static method => method.Name)];

    /// <summary>Runs one of <see cref="Tests"/>, each of its rows on a fresh store.</summary>
    public static async Task RunAsync(string test, Func<ValueTask<IObjectStore>> open, bool tellsEqualBytesApart = true)
    {
        MethodInfo method = typeof(ObjectStoreContract).GetMethod(test)!;
        object[][] rows = method.GetParameters().Length == 0 ? [[]] : [.. ((IEnumerable<object[]>)Lengths).Select(static row => row)];
        foreach (object[] row in rows)
        {
            Opened opened = new(open, tellsEqualBytesApart);
            await opened.InitializeAsync();
            await (Task)method.Invoke(opened, row)!;
            await opened.DisposeAsync();
        }
    }

    public async Task InitializeAsync() => _store = await OpenAsync();

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await CleanAsync();
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task What_was_put_is_got_back_whole(int length)
    {
        byte[] content = Bytes(length, length);
        Assert.True(await Store.PutIfAbsentAsync(Name("packs/ab/one"), content, None));
        Assert.Equal(content, await Store.GetAsync(Name("packs/ab/one"), length, None));
        Assert.Equal(length, await Store.GetLengthAsync(Name("packs/ab/one"), None));
    }

    [Fact]
    public async Task A_name_that_is_taken_keeps_its_object()
    {
        Assert.True(await Store.PutIfAbsentAsync(Name("log/1/1"), Bytes(1, 100), None));
        Assert.False(await Store.PutIfAbsentAsync(Name("log/1/1"), Bytes(2, 200), None));
        Assert.Equal(Bytes(1, 100), await Store.GetAsync(Name("log/1/1"), 1000, None));
    }

    [Fact]
    public async Task A_put_of_the_same_bytes_is_told_that_the_name_is_taken()
    {
        Assert.True(await Store.PutIfAbsentAsync(Name("log/1/1"), Bytes(1, 100), None));
        Assert.False(await Store.PutIfAbsentAsync(Name("log/1/1"), Bytes(1, 100), None));
    }

    [Fact]
    public async Task The_caller_may_change_its_buffer_after_the_put()
    {
        byte[] content = Bytes(1, 100);
        await Store.PutIfAbsentAsync(Name("x"), content, None);
        content.AsSpan().Clear();
        byte[] got = (await Store.GetAsync(Name("x"), 100, None))!;
        Assert.Equal(Bytes(1, 100), got);
        got.AsSpan().Clear();
        Assert.Equal(Bytes(1, 100), await Store.GetAsync(Name("x"), 100, None));
    }

    [Fact]
    public async Task An_object_that_was_never_put_is_absent_in_every_way()
    {
        await Store.PutIfAbsentAsync(Name("packs/ab/there"), Bytes(1, 10), None);
        foreach (string name in new[] { "packs/ab/other", "packs/ab", "packs", "nothing/at/all", "packs/ab/there2" })
        {
            Assert.Null(await Store.GetAsync(Name(name), 1000, None));
            Assert.Null(await Store.GetRangeAsync(Name(name), 0, new byte[10], None));
            Assert.Null(await Store.GetLengthAsync(Name(name), None));
            await Store.DeleteAsync(Name(name), None);
        }

        Assert.Equal(10, await Store.GetLengthAsync(Name("packs/ab/there"), None));
    }

    [Fact]
    public async Task A_range_is_exact_and_short_only_at_the_end()
    {
        byte[] content = Bytes(1, 100_000);
        await Store.PutIfAbsentAsync(Name("packs/ab/one"), content, None);
        foreach ((int offset, int count, int expected) in new[]
        {
            (0, 10, 10), (1, 65_536, 65_536), (0, 100_000, 100_000), (99_999, 1, 1), (99_990, 100, 10), (0, 200_000, 100_000), (100_000, 10, 0), (5_000_000, 10, 0), (50, 0, 0),
        })
        {
            byte[] destination = new byte[count];
            Assert.Equal(expected, await Store.GetRangeAsync(Name("packs/ab/one"), offset, destination, None));
            Assert.Equal(expected == 0 ? [] : content[offset..(offset + expected)], destination[..expected]);
            Assert.All(destination[expected..], value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public async Task An_object_larger_than_asked_for_is_refused()
    {
        await Store.PutIfAbsentAsync(Name("x"), Bytes(1, 101), None);
        StoreException exception = await Assert.ThrowsAsync<StoreException>(() => Store.GetAsync(Name("x"), 100, None));
        Assert.Equal(StoreErrorKind.TooLarge, exception.Kind);
        Assert.False(exception.IsTransient);
    }

    [Fact]
    public async Task Deleting_removes_the_object_and_may_run_twice()
    {
        await Store.PutIfAbsentAsync(Name("packs/ab/one"), Bytes(1, 100), None);
        Assert.Equal(5, await Store.GetRangeAsync(Name("packs/ab/one"), 0, new byte[5], None));
        await Store.DeleteAsync(Name("packs/ab/one"), None);
        await Store.DeleteAsync(Name("packs/ab/one"), None);
        Assert.Null(await Store.GetAsync(Name("packs/ab/one"), 100, None));
        Assert.Null(await Store.GetRangeAsync(Name("packs/ab/one"), 0, new byte[5], None));

        Assert.True(await Store.PutIfAbsentAsync(Name("packs/ab/one"), Bytes(2, 50), None));
        byte[] head = new byte[50];
        Assert.Equal(50, await Store.GetRangeAsync(Name("packs/ab/one"), 0, head, None));
        Assert.Equal(Bytes(2, 50), head);
    }

    [Fact]
    public async Task A_listing_gives_names_and_lengths_below_the_prefix()
    {
        foreach ((string name, int length) in new[] { ("packs/ab/one", 1), ("packs/ab/two", 2), ("packs/cd/three", 3), ("log/1/1", 4), ("vault", 5), ("packs-not", 6) })
        {
            await Store.PutIfAbsentAsync(Name(name), Bytes(1, length), None);
        }

        await Store.PutIfAbsentAsync(Name("packs/ab/gone"), Bytes(1, 1), None);
        await Store.DeleteAsync(Name("packs/ab/gone"), None);
        Assert.Equal(["packs/ab/one 1", "packs/ab/two 2", "packs/cd/three 3"], await ListAsync("packs/"));
        Assert.Equal(["packs/ab/one 1", "packs/ab/two 2"], await ListAsync("packs/ab/"));
        Assert.Equal(["log/1/1 4"], await ListAsync("log/"));
        Assert.Equal([], await ListAsync("none/"));
        Assert.Equal(6, (await ListAsync("")).Count);
    }

    [Fact]
    public async Task Of_racing_creators_exactly_one_wins_and_its_bytes_are_whole()
    {
        foreach (int length in TellsEqualBytesApart ? new[] { 0, 100, 300_000 } : [100, 300_000])
        {
            byte[][] contents = [.. Enumerable.Range(0, 8).Select(writer => Bytes(writer, length))];
            for (int round = 0; round < 5; round++)
            {
                ObjectName name = Name($"log/{length}/{round}");
                using var start = new Barrier(8);
                bool[] isMade = await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Factory.StartNew(
                    async () =>
                    {
                        start.SignalAndWait();
                        return await Store.PutIfAbsentAsync(name, contents[writer], None);
                    },
                    None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default).Unwrap()));
                int winner = Assert.Single(Enumerable.Range(0, 8), writer => isMade[writer]);
                Assert.Equal(contents[winner], await Store.GetAsync(name, length, None));
            }
        }
    }

    [Fact]
    public async Task A_reader_never_sees_half_an_object()
    {
        const int Length = 1 << 20;
        for (int round = 0; round < 8; round++)
        {
            ObjectName name = Name($"packs/ab/{round}");
            byte[] expected = Bytes(round, Length);
            Task<bool> put = Task.Run(() => Store.PutIfAbsentAsync(name, expected, None));
            bool isSeen = false;
            while (!isSeen)
            {
                bool isPut = put.IsCompleted;
                byte[]? content = await Store.GetAsync(name, Length, None);
                isSeen = content is not null;
                Assert.True(isSeen || !isPut, "the put is done and the object is absent");
                Assert.True(content is null || content.AsSpan().SequenceEqual(expected), "half an object was seen");
            }

            Assert.True(await put);
        }
    }

    [Fact]
    public async Task A_cancelled_call_stops()
    {
        await Store.PutIfAbsentAsync(Name("x"), Bytes(1, 10), None);
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutIfAbsentAsync(Name("y"), Bytes(1, 10), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.GetAsync(Name("x"), 10, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.GetRangeAsync(Name("x"), 0, new byte[1], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.GetLengthAsync(Name("x"), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.DeleteAsync(Name("x"), cancelled));
        Assert.Null(await Store.GetAsync(Name("y"), 10, None));
        Assert.NotNull(await Store.GetAsync(Name("x"), 10, None));
    }

    [Fact]
    public async Task The_longest_name_works_and_a_name_that_was_never_set_does_not()
    {
        ObjectName name = Name("packs/" + new string('a', ObjectName.CharactersMax - 6));
        Assert.True(await Store.PutIfAbsentAsync(name, Bytes(1, 10), None));
        Assert.Equal(Bytes(1, 10), await Store.GetAsync(name, 10, None));
        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => Store.GetAsync(default, 10, None));
    }

    [Fact]
    public async Task A_negative_offset_is_the_callers_fault()
    {
        await Assert.ThrowsAnyAsync<ArgumentOutOfRangeException>(async () => await Store.GetRangeAsync(Name("x"), -1, new byte[1], None));
    }

    [Fact]
    public async Task Space_is_told_or_not_but_makes_sense()
    {
        if (await Store.GetSpaceAsync(None) is { } space)
        {
            Assert.InRange(space.FreeBytes, 0, space.TotalBytes);
        }
    }

    protected static ObjectName Name(string name) => new(name);

    protected static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A fresh, empty store.</summary>
    protected abstract ValueTask<IObjectStore> OpenAsync();

    /// <summary>Removes what the store lay in, after it was disposed.</summary>
    protected virtual ValueTask CleanAsync() => ValueTask.CompletedTask;

    private async Task<List<string>> ListAsync(string prefix)
    {
        List<string> found = [];
        await foreach (ObjectInfo info in Store.ListAsync(prefix, None))
        {
            found.Add($"{info.Name} {info.Length}");
        }

        return [.. found.Order(StringComparer.Ordinal)];
    }

    private sealed class Opened(Func<ValueTask<IObjectStore>> open, bool tellsEqualBytesApart) : ObjectStoreContract
    {
        protected override bool TellsEqualBytesApart => tellsEqualBytesApart;

        protected override ValueTask<IObjectStore> OpenAsync() => open();
    }
}
