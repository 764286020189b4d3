using System.Text;
using Drive.Core.Stores;
using Drive.Stores.Koofr;
using Drive.Testing;
using Drive.Testing.Koofr;

namespace Drive.Stores.Tests.Koofr;

/// <summary>What is Koofr's own: sign-in, tokens, the marker, MD5, names without case, events.</summary>
public sealed class KoofrStoreTests : KoofrServers
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_probe_says_class_a_and_of_a_server_that_replaces_class_c(bool isCareless)
    {
        string url = Server.NewFolder();
        await using KoofrStore first = Open(url);
        await using KoofrStore second = Open(url);
        await first.PutIfAbsentAsync(new ObjectName("x"), Object, None);
        Server.Tree.IgnoresConditions = isCareless;
        ProbeSize size = isCareless ? ProbeSize.Quick : ProbeSize.Full with { Rounds = 40, Writers = 16, LargeBytes = 1 << 20 };
        ProbeResult result = await new StoreProbe([first, second], size, new SeededRandom(1)).RunAsync(None);
        Assert.Equal((isCareless ? StoreClass.C : StoreClass.A, isCareless), (result.Class, result.Reasons.Length > 0));
    }

    [Fact]
    public async Task It_signs_in_once_for_many_and_again_when_its_token_has_run_out()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Assert.Equal(1, Server.SignIns);
        for (int round = 2; round <= 3; round++)
        {
            Server.ExpireTokens();
            byte[]?[] got = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => store.GetAsync(Name, 100, None)));
            Assert.All(got, content => Assert.Equal(Object, content));
            Assert.Equal(round, Server.SignIns);
        }

        Server.ExpireTokens();
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("log/1/1"), Object, None));
    }

    [Fact]
    public async Task A_password_that_is_refused_is_tried_once_whatever_comes_after()
    {
        await using KoofrStore store = Open(Server.NewFolder(), "wrong");
        for (int call = 0; call < 5; call++)
        {
            StoreException refused = await FailsAsync(StoreErrorKind.SignInRefused, false, () => store.GetAsync(Name, 100, None));
            Assert.Contains("DRIVE_KOOFR_PASSWORD", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal((1, 1), (Server.SignIns, Server.Requests.Count));
    }

    [Fact]
    public async Task A_password_that_is_taken_away_ends_the_tries_too()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.ExpireTokens();
        Server.Instead = static context => context.Request.Path == "/token"
            ? KoofrServer.RefuseAsync(context, System.Net.HttpStatusCode.Unauthorized, "Unauthorized", "Invalid email or password")
            : Task.FromResult(false);
        await FailsAsync(StoreErrorKind.SignInRefused, false, () => store.GetAsync(Name, 100, None));
        int requests = Server.Requests.Count;
        Server.Instead = static _ => Task.FromResult(false);
        await FailsAsync(StoreErrorKind.SignInRefused, false, () => store.PutIfAbsentAsync(Name, Object, None));
        Assert.Equal(requests, Server.Requests.Count);
    }

    [Fact]
    public async Task A_server_that_takes_no_token_of_its_own_is_not_asked_for_ever()
    {
        Server.Instead = static context =>
        {
            context.Response.StatusCode = 401;
            return Task.FromResult(context.Request.Path != "/token");
        };
        await using KoofrStore store = Open(Server.NewFolder());
        await FailsAsync(StoreErrorKind.SignInRefused, false, () => store.GetAsync(Name, 100, None));
        await FailsAsync(StoreErrorKind.SignInRefused, false, () => store.GetAsync(Name, 100, None));
        Assert.Equal(2, Server.SignIns);
    }

    [Fact]
    public async Task Too_many_sign_ins_are_waited_out_for_an_hour_without_a_request()
    {
        ManualTime time = new();
        Server.Instead = static context => context.Request.Path == "/token"
            ? KoofrServer.RefuseAsync(context, System.Net.HttpStatusCode.TooManyRequests, "Other", "Too many login retries")
            : Task.FromResult(false);
        await using KoofrStore store = Open(Server.NewFolder(), time: time);
        await FailsAsync(StoreErrorKind.Throttled, true, () => store.GetAsync(Name, 100, None));
        time.Advance(TimeSpan.FromMinutes(59));
        await FailsAsync(StoreErrorKind.Throttled, true, () => store.GetAsync(Name, 100, None));
        Assert.Equal(1, Server.SignIns);
        time.Advance(TimeSpan.FromMinutes(2));
        Server.Instead = static _ => Task.FromResult(false);
        Assert.Null(await store.GetAsync(Name, 100, None));
        Assert.Equal(2, Server.SignIns);
    }

    [Theory]
    [InlineData("20", 20)]
    [InlineData("Fri, 02 Jan 2026 03:04:25 GMT", 20)]
    [InlineData(null, 1)]
    public async Task A_server_that_asks_to_wait_is_left_alone_for_that_long(string? retryAfter, int seconds)
    {
        ManualTime time = new();
        await using KoofrStore store = await OpenFilledAsync(time);
        Server.Instead = async context =>
        {
            context.Response.Headers.RetryAfter = retryAfter;
            return await KoofrServer.SayAsync(context, System.Net.HttpStatusCode.TooManyRequests, "text/html", "<html>slow down</html>");
        };
        await FailsAsync(StoreErrorKind.Throttled, true, () => store.GetAsync(Name, 100, None));
        Server.Instead = static _ => Task.FromResult(false);
        int requests = Server.Requests.Count;
        Task<byte[]?> waiting = store.GetAsync(Name, 100, None);
        time.Advance(TimeSpan.FromSeconds(seconds - 0.5));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(requests, Server.Requests.Count);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Object, await waiting);
    }

    [Fact]
    public async Task A_long_wait_fails_at_once_and_sends_nothing()
    {
        ManualTime time = new();
        await using KoofrStore store = await OpenFilledAsync(time);
        Server.Instead = static context =>
        {
            context.Response.Headers.RetryAfter = "900";
            return KoofrServer.RefuseAsync(context, System.Net.HttpStatusCode.TooManyRequests, "Other", "slow down");
        };
        await FailsAsync(StoreErrorKind.Throttled, true, () => store.GetAsync(Name, 100, None));
        int requests = Server.Requests.Count;
        time.Advance(TimeSpan.FromMinutes(10));
        await FailsAsync(StoreErrorKind.Throttled, true, () => store.GetAsync(Name, 100, None));
        Assert.Equal(requests, Server.Requests.Count);
    }

    [Fact]
    public async Task Bytes_that_were_broken_on_the_way_are_put_again_over_exactly_those()
    {
        await using KoofrStore store = await OpenFilledAsync();
        bool isBroken = true;
        Server.Tree.Keep = (_, content) => !isBroken || (isBroken = false) ? content : [.. content.Reverse()];
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("packs/ab/two"), Object, None));
        Assert.Equal(Object, await store.GetAsync(new ObjectName("packs/ab/two"), 100, None));
        Assert.Contains(Server.Requests, static line => line.Contains("overwriteIfHash=", StringComparison.Ordinal));

        Server.Tree.Keep = static (_, content) => content[..10];
        await FailsAsync(StoreErrorKind.Malformed, true, () => store.PutIfAbsentAsync(new ObjectName("packs/ab/three"), Object, None));
    }

    [Fact]
    public async Task Bytes_that_changed_on_the_server_are_not_given()
    {
        string url = Server.NewFolder();
        await using KoofrStore store = Open(url);
        Server.Tree.Keep = static (_, content) => content;
        await store.PutIfAbsentAsync(Name, Object, None);
        Server.Instead = static async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/files/get", StringComparison.Ordinal) || context.Request.Query["path"].ToString().EndsWith("_store", StringComparison.Ordinal))
            {
                return false;
            }

            context.Response.Headers["X-File-Info"] = "{\"name\":\"one\",\"type\":\"file\",\"size\":100,\"hash\":\"2eedb741f199ecc19f1ba815d3d9914d\"}";
            await context.Response.Body.WriteAsync(new byte[100]);
            return true;
        };
        await FailsAsync(StoreErrorKind.Malformed, true, () => store.GetAsync(Name, 100, None));
    }

    [Fact]
    public async Task A_folder_that_was_moved_away_is_away_and_nothing_in_it_absent()
    {
        string url = Server.NewFolder();
        string path = "/" + string.Join('/', url.Split('/')[3..]);
        await using KoofrStore store = Open(url);
        await store.PutIfAbsentAsync(Name, Object, None);
        Server.Tree.Move(path, "/elsewhere");
        await AllFailAsync();

        // Another store in its place is no better.
        await using KoofrStore other = Open(url);
        await other.PutIfAbsentAsync(Name, Object, None);
        await FailsAsync(StoreErrorKind.Unreachable, true, () => store.PutIfAbsentAsync(new ObjectName("log/1/2"), Object, None));
        await FailsAsync(StoreErrorKind.Unreachable, true, () => store.GetAsync(new ObjectName("log/1/2"), 100, None));
        Server.Tree.Remove(path, null);
        Server.Tree.Move("/elsewhere", path);
        Assert.Equal(Object, await store.GetAsync(Name, 100, None));

        async Task AllFailAsync()
        {
            await FailsAsync(StoreErrorKind.Unreachable, true, () => store.GetAsync(Name, 100, None));
            await FailsAsync(StoreErrorKind.Unreachable, true, () => store.GetLengthAsync(Name, None));
            await FailsAsync(StoreErrorKind.Unreachable, true, () => store.GetRangeAsync(Name, 0, new byte[1], None).AsTask());
            await FailsAsync(StoreErrorKind.Unreachable, true, () => store.DeleteAsync(Name, None));
            await FailsAsync(StoreErrorKind.Unreachable, true, () => store.PutIfAbsentAsync(Name, Object, None));
            await FailsAsync(StoreErrorKind.Unreachable, true, async () => await store.ListAsync("packs/", None).GetAsyncEnumerator(None).MoveNextAsync());
        }
    }

    [Fact]
    public async Task A_folder_with_other_things_in_it_and_one_that_is_no_store_are_refused()
    {
        string url = Server.NewFolder();
        await using KoofrStore strange = Open(url, create: false);
        await FailsAsync(StoreErrorKind.Unreachable, true, () => strange.GetAsync(Name, 100, None));
        Server.Tree.MakeFolder("/", "vaults");
        Server.Tree.MakeFolder("/vaults", url[(url.LastIndexOf('/') + 1)..]);
        Server.Tree.MakeFolder("/vaults/" + url[(url.LastIndexOf('/') + 1)..], "Photos");
        await using KoofrStore store = Open(url);
        await FailsAsync(StoreErrorKind.Denied, false, () => store.PutIfAbsentAsync(Name, Object, None));
    }

    [Fact]
    public async Task Names_that_differ_in_case_are_the_same_object_and_a_folder_is_never_removed()
    {
        string url = Server.NewFolder();
        await using KoofrStore store = Open(url);
        await using KoofrStore shouted = Open(url.Replace("drive-", "DRIVE-", StringComparison.Ordinal));
        Assert.True(await store.PutIfAbsentAsync(Name, Object, None));
        Assert.False(await shouted.PutIfAbsentAsync(Name, new byte[1], None));
        Assert.Equal(Object, await shouted.GetAsync(Name, 100, None));
        await store.DeleteAsync(new ObjectName("packs"), None);
        Assert.DoesNotContain(Server.Requests, static line => line.StartsWith("DELETE", StringComparison.Ordinal));
        Assert.Equal(Object, await store.GetAsync(Name, 100, None));
    }

    [Fact]
    public async Task Another_mount_is_found_by_its_name_and_one_that_is_missing_is_named()
    {
        await using KoofrStore store = Open(Server.NewFolder() + "?mount=my%20files");
        Assert.True(await store.PutIfAbsentAsync(Name, Object, None));
        await using KoofrStore none = Open(Server.NewFolder() + "?mount=none");
        StoreException failure = await FailsAsync(StoreErrorKind.Unreachable, true, () => none.PutIfAbsentAsync(Name, Object, None));
        Assert.Contains("Dropbox, My files", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Space_is_the_quota_of_the_mount()
    {
        await using KoofrStore store = Open(Server.NewFolder());
        Assert.Equal(new StoreSpace(10L << 30, 10_000L << 20), await store.GetSpaceAsync(None));
    }

    [Fact]
    public async Task The_password_goes_to_the_sign_in_alone()
    {
        await using KoofrStore store = await OpenFilledAsync();
        await store.DeleteAsync(Name, None);
        Assert.NotEmpty(Server.Heard);
        Assert.All(Server.Heard, static heard => Assert.True(heard.AsSpan().IndexOf(Encoding.UTF8.GetBytes(KoofrServer.Password)) < 0));
    }

    [Theory]
    [InlineData("", KoofrServer.Password)]
    [InlineData(KoofrServer.User, "")]
    [InlineData(KoofrServer.User, null)]
    public void Without_a_user_or_a_password_nothing_is_opened(string user, string? password)
    {
        StoreException refused = Assert.Throws<StoreException>(() =>
            ((KoofrPlace)StorePlace.Parse("koofr://app.koofr.net/x")).Open(user, password, create: true, TimeProvider.System, new SeededRandom(1)));
        Assert.Equal((StoreErrorKind.SignInRefused, false), (refused.Kind, refused.IsTransient));
    }
}
