using System.Net;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Server.Tests;

/// <summary>Users, tokens, quotas and limits.</summary>
public sealed class RightsTests
{
    private static readonly ObjectName Name = new("packs/ab/one");

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_revoked_token_stops_working_at_once_and_another_goes_on()
    {
        await using Served served = await Served.StartAsync();
        string other = served.Server.NewToken(RunningServer.User);
        await using IObjectStore first = served.Server.Open("vault");
        await using IObjectStore second = served.Server.Open("vault", other);
        Assert.True(await second.PutIfAbsentAsync(Name, new byte[10], None));
        served.Server.Accounts.Revoke(other[3..11]);
        await DeniedAsync(() => second.GetAsync(Name, 10, None));
        await DeniedAsync(() => second.PutIfAbsentAsync(new ObjectName("x"), new byte[1], None));
        Assert.Equal(10, await first.GetLengthAsync(Name, None));
        Assert.Null(await first.GetLengthAsync(new ObjectName("x"), None));
    }

    [Fact]
    public async Task A_token_that_is_revoked_while_a_body_is_sent_makes_nothing_and_its_watch_ends()
    {
        await using Served served = await Served.StartAsync();
        string other = served.Server.NewToken(RunningServer.User);
        await using IObjectStore store = served.Server.Open("vault");
        await store.PutIfAbsentAsync(Name, new byte[10], None);
        using HttpClient http = served.Server.Http(other);
        using HttpResponseMessage watch = await http.GetAsync("/v1/vault?watch=", HttpCompletionOption.ResponseHeadersRead);
        using StreamReader lines = new(await watch.Content.ReadAsStreamAsync());
        Assert.StartsWith(":", await lines.ReadLineAsync(), StringComparison.Ordinal);

        TaskCompletionSource half = new();
        TaskCompletionSource rest = new();
        using HttpRequestMessage put = new(HttpMethod.Put, "/v1/vault/late") { Content = new SlowContent(half, rest.Task) };
        put.Headers.IfNoneMatch.Add(System.Net.Http.Headers.EntityTagHeaderValue.Any);
        Task<HttpResponseMessage> sent = http.SendAsync(put);
        await half.Task;
        served.Server.Accounts.Revoke(other[3..11]);
        rest.SetResult();
        using HttpResponseMessage answer = await sent;
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Null(await store.GetLengthAsync(new ObjectName("late"), None));
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(10));
        while (await lines.ReadLineAsync(limit.Token) is not null)
        {
        }
    }

    [Fact]
    public async Task An_append_only_token_does_everything_but_remove()
    {
        await using Served served = await Served.StartAsync();
        await using IObjectStore store = served.Server.Open("vault", served.Server.NewToken(RunningServer.User, isAppendOnly: true));
        Assert.True(await store.PutIfAbsentAsync(Name, new byte[10], None));
        Assert.False(await store.PutIfAbsentAsync(Name, new byte[11], None));
        await DeniedAsync(() => store.DeleteAsync(Name, None));
        Assert.Equal(10, (await store.GetAsync(Name, 10, None))!.Length);
        Assert.Equal(1, await CountAsync(store));
    }

    [Fact]
    public async Task A_user_sees_nothing_of_anothers_vaults()
    {
        await using Served served = await Served.StartAsync();
        served.Server.Accounts.AddUser("ben", 1 << 20);
        string ben = served.Server.NewToken("ben");
        await using IObjectStore store = served.Server.Open("secret");
        await store.PutIfAbsentAsync(Name, new byte[10], None);
        using HttpClient http = served.Server.Http(ben);
        List<string> answers = [];
        foreach (string path in new[] { "/v1/secret/packs/ab/one", "/v1/nothing/packs/ab/one", "/v1/secret?list=", "/v1/nothing?list=", "/v1/secret?watch=", "/v1/nothing?watch=" })
        {
            using HttpResponseMessage answer = await http.GetAsync(path);
            answer.Headers.Date = null;
            answers.Add($"{answer.StatusCode} {answer.Headers} {await answer.Content.ReadAsStringAsync()}");
        }

        Assert.Single(answers.Distinct());
        Assert.StartsWith("NotFound", answers[0], StringComparison.Ordinal);

        // The same name is another vault for another user.
        await using IObjectStore bens = served.Server.Open("secret", ben);
        Assert.Null(await bens.GetLengthAsync(Name, None));
        Assert.Equal(10, await store.GetLengthAsync(Name, None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("drv")]
    [InlineData("drv0000000000000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("a-long-one-that-is-not-a-token-of-this-server-and-never-was")]
    public async Task Who_has_no_token_hears_nothing_but_that(string token)
    {
        await using Served served = await Served.StartAsync();
        using HttpClient http = served.Server.Http();
        http.DefaultRequestHeaders.Authorization = token.Length == 0 ? null : new("Bearer", token);
        foreach (string path in new[] { "/v1/vault/x", "/v1/vault?list=", "/", "/v2/x", "/v1/%2e%2e/x" })
        {
            using HttpResponseMessage answer = await http.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        using HttpResponseMessage health = await http.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task The_quota_is_held_told_given_back_and_counted_anew_at_a_start()
    {
        await using Served served = await Served.StartAsync();
        served.Server.Accounts.AddUser("ben", 1 << 20);
        string token = served.Server.NewToken("ben");
        await using IObjectStore store = served.Server.Open("one", token);
        await using IObjectStore other = served.Server.Open("two", token);
        Assert.True(await store.PutIfAbsentAsync(Name, new byte[600_000], None));
        long left = (1 << 20) - 602_112;
        Assert.Equal(new StoreSpace(1 << 20, left), await other.GetSpaceAsync(None));
        await FullAsync(other);

        // A put that came to nothing costs nothing.
        Assert.False(await store.PutIfAbsentAsync(Name, new byte[300_000], None));
        Assert.Equal(new StoreSpace(1 << 20, left), await store.GetSpaceAsync(None));
        await served.Server.StopAsync();
        await served.Server.StartAgainAsync();
        Assert.Equal(new StoreSpace(1 << 20, left), await store.GetSpaceAsync(None));
        await FullAsync(other);
        await store.DeleteAsync(Name, None);
        Assert.Equal(new StoreSpace(1 << 20, 1 << 20), await store.GetSpaceAsync(None));
        Assert.True(await other.PutIfAbsentAsync(Name, new byte[600_000], None));

        static async Task FullAsync(IObjectStore store)
        {
            StoreException full = await Assert.ThrowsAsync<StoreException>(() => store.PutIfAbsentAsync(new ObjectName("more"), new byte[600_000], None));
            Assert.Equal((StoreErrorKind.Full, false), (full.Kind, full.IsTransient));
        }
    }

    [Fact]
    public async Task Racing_puts_do_not_pass_the_quota_together()
    {
        await using Served served = await Served.StartAsync();
        served.Server.Accounts.AddUser("ben", 10 * 4096);
        await using IObjectStore store = served.Server.Open("one", served.Server.NewToken("ben"));
        await store.GetLengthAsync(Name, None);
        bool[] made = await Task.WhenAll(Enumerable.Range(0, 40).Select(async index =>
        {
            try
            {
                return await store.PutIfAbsentAsync(new ObjectName($"x{index}"), new byte[index], None);
            }
            catch (StoreException full) when (full.Kind == StoreErrorKind.Full)
            {
                return false;
            }
        }));
        Assert.Equal(10, made.Count(static isMade => isMade));
        Assert.Equal(10, await CountAsync(store));
    }

    [Fact]
    public async Task An_object_beyond_the_limit_is_refused_and_leaves_nothing()
    {
        await using Served served = await Served.StartAsync(static settings => settings with { ObjectBytesMax = 2 << 20 });
        await using IObjectStore store = served.Server.Open("vault");
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("fits"), new byte[2 << 20], None));
        StoreException refusal = await Assert.ThrowsAsync<StoreException>(() => store.PutIfAbsentAsync(Name, new byte[(2 << 20) + 1], None));
        Assert.Equal((StoreErrorKind.TooLarge, false), (refusal.Kind, refusal.IsTransient));
        Assert.Null(await store.GetLengthAsync(Name, None));
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_come_again_and_the_client_keeps_to_it()
    {
        await using Served served = await Served.StartAsync(static settings => settings with { RequestsPerSecond = 2 });
        await using IObjectStore store = served.Server.Open("vault");
        StoreException? throttled = null;
        for (int index = 0; index < 40 && throttled is null; index++)
        {
            throttled = await Record.ExceptionAsync(() => store.GetLengthAsync(Name, None)) as StoreException;
        }

        Assert.Equal((StoreErrorKind.Throttled, true), (throttled!.Kind, throttled.IsTransient));
        using HttpClient http = served.Server.Http();
        using HttpResponseMessage answer = await http.GetAsync("/v1/vault/x");
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 2);

        // The next call waits by itself, so it is answered. Another token has its own count.
        Assert.Null(await store.GetLengthAsync(Name, None));
        await using IObjectStore other = served.Server.Open("vault", served.Server.NewToken(RunningServer.User));
        Assert.Null(await other.GetLengthAsync(Name, None));
    }

    [Fact]
    public async Task A_user_has_only_so_many_vaults_and_a_token_so_many_watches()
    {
        await using Served served = await Served.StartAsync(static settings => settings with { VaultsMax = 2, WatchesMax = 2 });
        using HttpClient http = served.Server.Http();
        HttpStatusCode[] made = [.. await Task.WhenAll(Enumerable.Range(0, 4).Select(async index => (await http.PutAsync($"/v1/v{index}", null)).StatusCode))];
        Assert.Equal(2, made.Count(static status => status == HttpStatusCode.Created));
        Assert.Equal(2, made.Count(static status => status == HttpStatusCode.InsufficientStorage));
        string vault = $"/v1/v{Array.IndexOf(made, HttpStatusCode.Created)}";
        List<HttpResponseMessage> watches = [];
        for (int index = 0; index < 3; index++)
        {
            watches.Add(await http.GetAsync(vault + "?watch=", HttpCompletionOption.ResponseHeadersRead));
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], watches.Select(static watch => watch.StatusCode));
        watches.ForEach(static watch => watch.Dispose());
    }

    [Fact]
    public async Task The_log_names_who_did_what_and_holds_no_token_no_content_and_no_whole_name()
    {
        await using Served served = await Served.StartAsync();
        await using IObjectStore store = served.Server.Open("vault");
        byte[] content = "a very secret content"u8.ToArray();
        await store.PutIfAbsentAsync(new ObjectName("packs/ab/0123456789"), content, None);
        await store.GetAsync(new ObjectName("packs/ab/0123456789"), 100, None);
        await store.GetAsync(new ObjectName("somebodys/own"), 100, None);
        using HttpClient stranger = served.Server.Http("drvsecretsecret");
        using HttpResponseMessage answer = await stranger.GetAsync("/v1/vault/x?key=" + served.Server.Token);
        string[] log = [.. served.Server.Log];
        string id = served.Server.Token[3..11];
        Assert.Contains(log, line => line.StartsWith($"127.0.0.1 ana/{id} PUT vault packs 201 21 ", StringComparison.Ordinal));
        Assert.Contains(log, line => line.StartsWith($"127.0.0.1 ana/{id} GET vault packs 200 21 ", StringComparison.Ordinal));
        Assert.Contains(log, line => line.StartsWith($"127.0.0.1 ana/{id} GET vault other 404 0 ", StringComparison.Ordinal));
        Assert.Contains(log, line => line.StartsWith("127.0.0.1 - GET - - 401 0 ", StringComparison.Ordinal));
        foreach (string secret in new[] { served.Server.Token, served.Server.Token[11..], "secret", "0123456789", "somebodys" })
        {
            Assert.DoesNotContain(log, line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Metrics_count_and_a_second_server_on_the_directory_is_refused()
    {
        await using Served served = await Served.StartAsync();
        await using IObjectStore store = served.Server.Open("vault");
        await store.PutIfAbsentAsync(Name, new byte[5000], None);
        using HttpClient http = served.Server.Http();
        string metrics = await http.GetStringAsync("/metrics");
        Assert.Contains("drive_server_requests_total{method=\"PUT\",status=\"201\"} 2\n", metrics, StringComparison.Ordinal);
        Assert.Contains("drive_server_received_bytes_total 5000\n", metrics, StringComparison.Ordinal);
        Assert.Contains("drive_server_used_bytes 8192\n", metrics, StringComparison.Ordinal);
        ServerException refusal = await Assert.ThrowsAsync<ServerException>(served.Server.StartAgainAsync);
        Assert.Equal(ServerError.InUse, refusal.Error);
    }

    [Fact]
    public void Plain_http_is_for_this_machine_only()
    {
        Assert.False(ListenAddress.Parse("http://127.0.0.1:80").IsTls);
        Assert.Throws<ServerException>(() => ListenAddress.Parse("http://0.0.0.0:80"));
        Assert.Throws<ServerException>(() => ListenAddress.Parse("https://example.org:80"));
        Assert.Throws<ServerException>(() => ListenAddress.Parse("ftp://127.0.0.1"));
        Assert.Throws<ServerException>(() => ListenAddress.Parse("https://127.0.0.1:80/x"));
    }

    [Fact]
    public async Task Users_have_plain_names_and_are_there_once()
    {
        await using Served served = await Served.StartAsync();
        foreach (string name in new[] { "", "..", ".x", "a/b", "Ana", "a b", new string('a', 65) })
        {
            Assert.Equal(ServerError.Usage, Assert.Throws<ServerException>(() => served.Server.Accounts.AddUser(name, 1)).Error);
        }

        Assert.Equal(ServerError.InUse, Assert.Throws<ServerException>(() => served.Server.Accounts.AddUser(RunningServer.User, 1)).Error);
        Assert.Equal(ServerError.NotFound, Assert.Throws<ServerException>(() => served.Server.NewToken("nobody")).Error);
        Assert.Equal(ServerError.NotFound, Assert.Throws<ServerException>(() => served.Server.Accounts.Revoke("00000000")).Error);
        UnixFileMode mode = File.GetUnixFileMode(Path.Combine(served.Server.Root, "accounts.json"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode);
        Assert.Equal(mode, File.GetUnixFileMode(Path.Combine(served.Server.Root, "certificate.pem")));
        Assert.DoesNotContain(served.Server.Token[11..], File.ReadAllText(Path.Combine(served.Server.Root, "accounts.json")), StringComparison.Ordinal);
    }

    private static async Task DeniedAsync(Func<Task> call)
    {
        StoreException failure = await Assert.ThrowsAsync<StoreException>(call);
        Assert.Equal((StoreErrorKind.Denied, false), (failure.Kind, failure.IsTransient));
    }

    private static async Task<int> CountAsync(IObjectStore store)
    {
        int count = 0;
        await foreach (ObjectInfo found in store.ListAsync("", None))
        {
            count++;
        }

        return count;
    }

    /// <summary>Half, then a wait, then the rest.</summary>
    private sealed class SlowContent(TaskCompletionSource half, Task rest) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[500]);
            await stream.FlushAsync();
            half.SetResult();
            await rest;
            await stream.WriteAsync(new byte[500]);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 1000;
            return true;
        }
    }
}

/// <summary>A server of a test's own, for <c>await using</c>.</summary>
internal sealed class Served(RunningServer server) : IAsyncDisposable
{
    public RunningServer Server => server;

    public static async Task<Served> StartAsync(Func<ServerSettings, ServerSettings>? change = null) => new(await RunningServer.StartAsync(change));

    public async ValueTask DisposeAsync() => await server.DisposeAsync();
}
