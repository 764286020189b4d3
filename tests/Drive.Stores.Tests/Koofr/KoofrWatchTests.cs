using Drive.Core.Stores;
using Drive.Stores.Koofr;

namespace Drive.Stores.Tests.Koofr;

public sealed class KoofrWatchTests : KoofrServers
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_store_hears_of_anothers_commit_and_not_of_its_own_also_after_the_connection_broke()
    {
        string url = Server.NewFolder();
        await using KoofrStore writer = Open(url);
        await using KoofrStore reader = Open(url);
        await writer.PutIfAbsentAsync(new ObjectName("x"), Object, None);
        await reader.GetAsync(new ObjectName("x"), 100, None);
        using Calls calls = new();
        using IDisposable watch = reader.Watch("log/", calls.Count);
        await calls.AwaitAsync(1);
        await HearsAsync("log/1/1");

        // Elsewhere, and by itself: nothing. The event after it comes behind them.
        int before = calls.Sum;
        await writer.PutIfAbsentAsync(new ObjectName("packs/x"), Object, None);
        await reader.PutIfAbsentAsync(new ObjectName("log/1/2"), Object, None);
        await HearsAsync("log/1/3");
        Assert.Equal(before + 1, calls.Sum);

        Server.Events.Drop();
        await calls.AwaitAsync(before + 2);
        await HearsAsync("log/1/4");

        async Task HearsAsync(string name)
        {
            int heard = calls.Sum;
            await writer.PutIfAbsentAsync(new ObjectName(name), Object, None);
            await calls.AwaitAsync(heard + 1);
        }
    }

    [Fact]
    public async Task A_watch_never_signs_in_and_begins_when_a_request_has()
    {
        await using KoofrStore store = Open(Server.NewFolder());
        using Calls calls = new();
        using IDisposable watch = store.Watch("", calls.Count);
        while (Server.Requests.IsEmpty)
        {
            await store.PutIfAbsentAsync(Name, Object, None);
        }

        await calls.AwaitAsync(1);
        Assert.Equal(1, Server.SignIns);
    }

    [Theory]
    [InlineData("refuses")]
    [InlineData("page")]
    [InlineData("silent")]
    public async Task A_server_without_events_harms_nothing(string how)
    {
        await using KoofrStore store = await OpenFilledAsync();
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Instead = async context =>
        {
            if (context.Request.Path != "/events")
            {
                return false;
            }

            asked.TrySetResult();
            if (how == "silent")
            {
                using System.Net.WebSockets.WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.SendAsync("not json"u8.ToArray(), System.Net.WebSockets.WebSocketMessageType.Text, true, None);
                return true;
            }

            return await Testing.Koofr.KoofrServer.SayAsync(context, how == "page" ? System.Net.HttpStatusCode.OK : System.Net.HttpStatusCode.Unauthorized, "text/html", "<html/>");
        };
        using Calls calls = new();
        using IDisposable watch = store.Watch("", calls.Count);
        await asked.Task.WaitAsync(Limit);
        Assert.Equal(Object, await store.GetAsync(Name, 100, None));
        Assert.Equal((0, 1), (calls.Sum, Server.SignIns));
    }

    [Fact]
    public async Task A_watch_that_is_disposed_ends_its_connection()
    {
        await using KoofrStore store = await OpenFilledAsync();
        using Calls calls = new();
        IDisposable watch = store.Watch("", calls.Count);
        await calls.AwaitAsync(1);
        Assert.Equal(1, Server.Events.Listening);
        watch.Dispose();
        Assert.True(SpinWait.SpinUntil(() => Server.Events.Listening == 0, Limit));
    }

    /// <summary>Counts calls.</summary>
    private sealed class Calls : IDisposable
    {
        private readonly SemaphoreSlim _more = new(0);
        private int _sum;

        public int Sum => Volatile.Read(ref _sum);

        public void Count()
        {
            Interlocked.Increment(ref _sum);
            _more.Release();
        }

        public async Task AwaitAsync(int sum)
        {
            using CancellationTokenSource late = new(Limit);
            while (Sum < sum)
            {
                await _more.WaitAsync(late.Token);
            }
        }

        public void Dispose() => _more.Dispose();
    }
}
