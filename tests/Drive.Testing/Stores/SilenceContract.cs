using Drive.Core.Stores;
using Xunit;

namespace Drive.Testing.Stores;

/// <summary>
/// What a store on a server does when its connections fall silent without a word: the call goes on by a new one, and nothing is lost or doubled. Over a real server and a real
/// proxy; only the waiting is by a clock of the test. <c>open</c> opens a new store on the server by way of an address, whose calls are tried again without a wait.
/// </summary>
public sealed class SilenceContract(Uri server, Func<Uri, TimeProvider, IObjectStore> open)
{
    private const int Pack = 8 << 20;

    // A little more than the 15 s that silence is borne; and than the 32 s that a server has for 8 MiB on top.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(17);
    private static readonly TimeSpan SilenceOfPack = TimeSpan.FromSeconds(17 + 33);

    // Of the test itself, in real time, where nothing comes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly ObjectName Name = new("packs/ab/one");
    private readonly ManualTime _time = new();

    private static CancellationToken None => CancellationToken.None;

    /// <summary>Names of what is tried.</summary>
    public static TheoryData<string> Tests =>
        [.. typeof(SilenceContract).GetMethods().Where(static method => method.ReturnType == typeof(Task) && method.GetParameters().Length == 0).Select(static method => method.Name)];

    /// <summary>Runs one of <see cref="Tests"/>.</summary>
    public Task RunAsync(string test) => (Task)typeof(SilenceContract).GetMethod(test)!.Invoke(this, [])!;

    public async Task A_read_goes_on_by_a_new_connection_and_is_tried_on_no_other_old_one()
    {
        await using SilentProxy proxy = new(server);
        await using IObjectStore store = open(proxy.Address, _time);
        byte[] content = Bytes(1, 100_000);
        Assert.True(await store.PutIfAbsentAsync(Name, content, None));

        // Several that are kept open, all of which die.
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => store.GetAsync(Name, content.Length, None)));
        int before = proxy.Connections;
        proxy.FallSilent();
        Task<byte[]?> read = store.GetAsync(Name, content.Length, None);
        await proxy.SwallowedAsync();
        _time.Advance(TimeSpan.FromSeconds(13));
        Assert.False(read.IsCompleted);
        await PassAsync(Silence - TimeSpan.FromSeconds(13), read);
        Assert.Equal(content, await read);
        Assert.InRange(proxy.Connections, before + 1, before + 2);
    }

    public async Task A_read_whose_connection_falls_silent_within_the_object_begins_again()
    {
        await using SilentProxy proxy = new(server);
        await using IObjectStore store = open(proxy.Address, _time);
        byte[] content = Bytes(2, Pack);
        Assert.True(await store.PutIfAbsentAsync(Name, content, None));
        proxy.FallSilentAfter(0, Pack / 3);
        byte[] destination = new byte[Pack];
        Task<int?> read = store.GetRangeAsync(Name, 0, destination, None).AsTask();
        await proxy.SwallowedAsync(32 << 10);
        await PassAsync(Silence, read);
        Assert.Equal(Pack, await read);
        Assert.Equal(content, destination);
    }

    public async Task A_put_whose_connection_falls_silent_within_the_object_is_made_once_and_whole()
    {
        await using SilentProxy proxy = new(server);
        await using IObjectStore store = open(proxy.Address, _time);
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("packs/ab/first"), new byte[10], None));
        byte[] content = Bytes(3, Pack);
        proxy.FallSilentAfter(Pack / 3, 0);
        Task<bool> put = store.PutIfAbsentAsync(Name, content, None);
        await proxy.SwallowedAsync(Pack / 2);
        await PassAsync(SilenceOfPack, put);
        Assert.True(await put);
        Assert.Equal(content, await store.GetAsync(Name, Pack, None));
        Assert.Equal(2, await CountAsync(store));
    }

    public async Task A_put_that_was_made_and_whose_answer_never_came_is_ours()
    {
        await using SilentProxy proxy = new(server);
        await using IObjectStore store = open(proxy.Address, _time);
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("packs/ab/first"), new byte[10], None));
        byte[] content = Bytes(4, 60_000);

        // All of the body went up; its answer does not come.
        proxy.FallSilentAfter(content.Length, 0);
        Task<bool> put = store.PutIfAbsentAsync(Name, content, None);
        await proxy.SwallowedAsync();
        await PassAsync(Silence, put);
        Assert.True(await put);
        Assert.Equal(content, await store.GetAsync(Name, Pack, None));
        Assert.Equal(2, await CountAsync(store));
    }

    /// <summary>
    /// Lets so much time pass. What the last bytes did on their way may have been a moment later than the clock, so it passes again where nothing comes of it; but not as
    /// often as a call has tries.
    /// </summary>
    private async Task PassAsync(TimeSpan span, Task call)
    {
        for (int round = 0; round < 2 && !call.IsCompleted; round++)
        {
            _time.Advance(span);
            await Task.WhenAny(call, Task.Delay(Patience, TimeProvider.System, None));
        }

        Assert.True(call.IsCompleted, "the call did not go on");
    }

    private static async Task<int> CountAsync(IObjectStore store)
    {
        int count = 0;
        await foreach (ObjectInfo _ in store.ListAsync("packs/", None))
        {
            count++;
        }

        return count;
    }

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
