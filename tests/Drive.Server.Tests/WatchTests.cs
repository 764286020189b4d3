using System.Diagnostics;
using Drive.Core.Stores;
using Xunit.Abstractions;

namespace Drive.Server.Tests;

public sealed class WatchTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_client_hears_of_anothers_commit_within_a_second_also_after_the_server_was_away()
    {
        await using Served served = await Served.StartAsync();
        await using IObjectStore writer = served.Server.Open("vault");
        await using IObjectStore reader = served.Server.Open("vault");
        await writer.GetLengthAsync(new ObjectName("x"), None);
        using Calls calls = new();
        using IDisposable watch = ((IWatchedStore)reader).Watch("log/", calls.Count);
        await calls.AwaitAsync(1, TimeSpan.FromSeconds(20));
        await HearsAsync("log/1/1");

        // What is made elsewhere is not told of.
        int before = calls.Sum;
        await writer.PutIfAbsentAsync(new ObjectName("packs/x"), new byte[1], None);
        await HearsAsync("log/1/2");
        Assert.Equal(before + 1, calls.Sum);

        await served.Server.StopAsync();
        await served.Server.StartAgainAsync();
        await calls.AwaitAsync(before + 2, TimeSpan.FromSeconds(20));
        await HearsAsync("log/1/3");

        async Task HearsAsync(string name)
        {
            int heard = calls.Sum;
            await writer.PutIfAbsentAsync(new ObjectName(name), new byte[1], None);
            long made = Stopwatch.GetTimestamp();
            await calls.AwaitAsync(heard + 1, Soon);
            output.WriteLine($"{name}: {Stopwatch.GetElapsedTime(made).TotalMilliseconds:0.0} ms after its put was answered");
        }
    }

    [Fact]
    public async Task A_watch_begins_before_its_vault_or_server_is_there_and_ends_when_disposed()
    {
        await using Served served = await Served.StartAsync();
        await using IObjectStore reader = served.Server.Open("later", create: false);
        using Calls calls = new();
        IDisposable watch = ((IWatchedStore)reader).Watch("", calls.Count);
        await using IObjectStore writer = served.Server.Open("later");
        await writer.PutIfAbsentAsync(new ObjectName("x"), new byte[1], None);
        await calls.AwaitAsync(1, TimeSpan.FromSeconds(20));
        watch.Dispose();
        using HttpClient http = served.Server.Http();
        while (!(await http.GetStringAsync("/metrics")).Contains("drive_server_watches 0\n", StringComparison.Ordinal))
        {
            // Until the server sees that it ended.
        }

        int heard = calls.Sum;
        await writer.PutIfAbsentAsync(new ObjectName("y"), new byte[1], None);
        Assert.Equal(heard, calls.Sum);
    }

    [Fact]
    public async Task The_server_stops_at_once_while_it_is_watched()
    {
        await using Served served = await Served.StartAsync();
        await using IObjectStore reader = served.Server.Open("vault");
        await reader.GetLengthAsync(new ObjectName("x"), None);
        using Calls calls = new();
        using IDisposable watch = ((IWatchedStore)reader).Watch("", calls.Count);
        await calls.AwaitAsync(1, TimeSpan.FromSeconds(20));
        long start = Stopwatch.GetTimestamp();
        await served.Server.StopAsync();
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        await served.Server.StartAgainAsync();
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

        public async Task AwaitAsync(int sum, TimeSpan limit)
        {
            using CancellationTokenSource late = new(limit);
            while (Sum < sum)
            {
                await _more.WaitAsync(late.Token);
            }
        }

        public void Dispose() => _more.Dispose();
    }
}
