using System.Net;
using Drive.Core.Stores;
using Drive.Stores.Koofr;
using Drive.Testing.Koofr;
using Microsoft.AspNetCore.Http;

namespace Drive.Stores.Tests.Koofr;

/// <summary>Answers that the service should not give, put in place of the fake server's own.</summary>
public sealed class KoofrAnswersTests : KoofrServers
{
    private const string Page = "<html>please accept our terms</html>";

    [Fact]
    public async Task A_page_in_place_of_any_answer_says_nothing_about_objects()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = static context => KoofrServer.SayAsync(context, HttpStatusCode.OK, "text/html", Page);
        await AllFailAsync(store, StoreErrorKind.Malformed);
        Server.Instead = static context => KoofrServer.SayAsync(context, HttpStatusCode.NotFound, "text/html", Page);
        await AllFailAsync(store, StoreErrorKind.Malformed);
        Server.Instead = static context => KoofrServer.SayAsync(context, HttpStatusCode.NotFound, "application/json", "{\"error\":\"gone\"}");
        await AllFailAsync(store, StoreErrorKind.Malformed);
        Server.Instead = static _ => Task.FromResult(false);
        Assert.Equal(Object, await store.GetAsync(Name, 100, None));
    }

    [Fact]
    public async Task A_page_in_place_of_the_sign_in_is_no_refusal()
    {
        Server.Instead = static context => KoofrServer.SayAsync(context, HttpStatusCode.OK, "text/html", Page);
        await using KoofrStore store = Open(Server.NewFolder());
        await FailsAsync(StoreErrorKind.Malformed, true, () => store.GetAsync(Name, 100, None));
        Server.Instead = static context => KoofrServer.SayAsync(context, HttpStatusCode.OK, "application/json", "{\"token\":\"a\\r\\nX-Evil: 1\"}");
        await FailsAsync(StoreErrorKind.Malformed, true, () => store.GetAsync(Name, 100, None));
        Server.Instead = static _ => Task.FromResult(false);
        Assert.True(await store.PutIfAbsentAsync(Name, Object, None));
    }

    [Fact]
    public async Task A_connection_that_breaks_is_unreachable_for_now()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = static context =>
        {
            context.Abort();
            return Task.FromResult(true);
        };
        await AllFailAsync(store, StoreErrorKind.Unreachable);
        Server.Instead = static _ => Task.FromResult(false);
        Assert.Equal(Object, await store.GetAsync(Name, 100, None));
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, StoreErrorKind.Failed, true)]
    [InlineData(HttpStatusCode.Forbidden, StoreErrorKind.Denied, false)]
    [InlineData(HttpStatusCode.NotFound, StoreErrorKind.Failed, true)]
    [InlineData(HttpStatusCode.MethodNotAllowed, StoreErrorKind.Failed, false)]
    [InlineData(HttpStatusCode.MovedPermanently, StoreErrorKind.Malformed, false)]
    [InlineData(HttpStatusCode.RequestEntityTooLarge, StoreErrorKind.Denied, false)]
    [InlineData(HttpStatusCode.TooManyRequests, StoreErrorKind.Throttled, true)]
    [InlineData(HttpStatusCode.InternalServerError, StoreErrorKind.Failed, true)]
    [InlineData(HttpStatusCode.BadGateway, StoreErrorKind.Unreachable, true)]
    [InlineData(HttpStatusCode.ServiceUnavailable, StoreErrorKind.Unreachable, true)]
    [InlineData(HttpStatusCode.InsufficientStorage, StoreErrorKind.Full, false)]
    public async Task Each_refusal_of_a_put_has_its_meaning(HttpStatusCode status, StoreErrorKind kind, bool isTransient)
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = context => IsOf(context, "/files/put") ? KoofrServer.RefuseAsync(context, status, "Other", "said\nso") : Task.FromResult(false);
        await FailsAsync(kind, isTransient, () => store.PutIfAbsentAsync(new ObjectName("packs/ab/two"), Object, None));
    }

    [Fact]
    public async Task A_put_under_another_name_is_not_believed_and_not_tried_again()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = static context => IsOf(context, "/files/put")
            ? KoofrServer.SayAsync(context, HttpStatusCode.OK, "application/json", "{\"name\":\"two (1)\",\"type\":\"file\",\"size\":100,\"hash\":\"x\"}")
            : Task.FromResult(false);
        await FailsAsync(StoreErrorKind.Malformed, false, () => store.PutIfAbsentAsync(new ObjectName("packs/ab/two"), Object, None));
    }

    [Fact]
    public async Task A_mount_that_tells_no_hash_is_refused()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = static context => IsOf(context, "/files/put")
            ? KoofrServer.SayAsync(context, HttpStatusCode.OK, "application/json", "{\"name\":\"two\",\"type\":\"file\",\"size\":100}")
            : Task.FromResult(false);
        await FailsAsync(StoreErrorKind.Malformed, false, () => store.PutIfAbsentAsync(new ObjectName("packs/ab/two"), Object, None));
    }

    [Fact]
    public async Task A_put_whose_answer_was_lost_is_taken_by_its_own_bytes()
    {
        await using KoofrStore store = await OpenFilledAsync();
        ObjectName name = new("packs/ab/two");
        Server.Instead = context =>
        {
            if (IsOf(context, "/files/put"))
            {
                // Done, and never said.
                string url = context.Request.Query["path"].ToString();
                Server.Tree.Put(url, "two", overwrite: false, autorename: false, null, Object);
                context.Abort();
                return Task.FromResult(true);
            }

            return Task.FromResult(false);
        };
        await FailsAsync(StoreErrorKind.Unreachable, true, () => store.PutIfAbsentAsync(name, Object, None));
        Server.Instead = static _ => Task.FromResult(false);
        Assert.False(await store.PutIfAbsentAsync(name, Object, None));
        Assert.Equal(Object, await store.GetAsync(name, 100, None));
    }

    [Theory]
    [InlineData(206, "bytes 11-20/100", 10, 100)]
    [InlineData(206, "bytes 10-20/100", 11, 100)]
    [InlineData(206, "bytes 10-18/100", 9, 100)]
    [InlineData(206, "bytes 10-19/100", 9, 100)]
    [InlineData(206, "bytes 10-19/200", 10, 100)]
    [InlineData(206, "items 10-19/100", 10, 100)]
    [InlineData(206, null, 10, 100)]
    [InlineData(200, null, 50, 100)]
    [InlineData(416, "bytes */100", 0, 100)]
    [InlineData(416, null, 0, 100)]
    public async Task A_part_that_is_not_the_one_asked_for_is_malformed(int status, string? range, int length, int size)
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = async context =>
        {
            if (!IsOf(context, "/files/get"))
            {
                return false;
            }

            context.Response.StatusCode = status;
            context.Response.Headers["X-File-Info"] = $"{{\"name\":\"one\",\"type\":\"file\",\"size\":{size},\"hash\":\"x\"}}";
            context.Response.Headers.ContentRange = range;
            context.Response.ContentLength = length;
            await context.Response.Body.WriteAsync(Object.AsMemory(0, length));
            return true;
        };
        StoreException failure = await Assert.ThrowsAsync<StoreException>(async () => await store.GetRangeAsync(Name, 10, new byte[10], None));
        Assert.Equal(StoreErrorKind.Malformed, failure.Kind);
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_sends_all_and_the_part_is_taken()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = static context =>
        {
            context.Request.Headers.Range = default;
            return Task.FromResult(false);
        };
        byte[] part = new byte[50];
        Assert.Equal(5, await store.GetRangeAsync(Name, 95, part, None));
        Assert.Equal(Object[95..], part[..5]);
        Assert.Equal(0, await store.GetRangeAsync(Name, 1000, part, None));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(0)]
    public async Task A_body_that_is_cut_is_unreachable_and_never_an_object(int sent)
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = async context =>
        {
            if (!IsOf(context, "/files/get"))
            {
                return false;
            }

            context.Response.Headers["X-File-Info"] = "{\"name\":\"one\",\"type\":\"file\",\"size\":100,\"hash\":\"x\"}";
            context.Response.ContentLength = 100;
            await context.Response.Body.WriteAsync(Object.AsMemory(0, sent));
            await context.Response.Body.FlushAsync();
            context.Abort();
            return true;
        };
        await FailsAsync(StoreErrorKind.Unreachable, true, () => store.GetAsync(Name, 100, None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"type\":\"file\",\"path\":\"/\",\"file\":{\"name\":\"packs\",\"type\":\"dir\"}}\n{\"type\":\"fi")]
    [InlineData("{\"type\":\"file\",\"path\":\"/\"}")]
    [InlineData("{\"type\":\"file\",\"path\":\"/\",\"file\":{\"name\":\"packs\",\"type\":\"file\",\"size\":\"many\"}}")]
    [InlineData("[]\n")]
    [InlineData("{\"type\":\"error\",\"error\":{\"code\":\"DeviceOffline\",\"message\":\"Device is offline\"}}")]
    [InlineData(Page)]
    public async Task A_listing_that_is_not_whole_fails(string lines)
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = context => IsOf(context, "/files/listrecursive") ? KoofrServer.SayAsync(context, HttpStatusCode.OK, "application/x-ndjson", lines) : Task.FromResult(false);
        StoreException failure = await Assert.ThrowsAsync<StoreException>(async () => await store.ListAsync("packs/", None).GetAsyncEnumerator(None).MoveNextAsync());
        Assert.True(failure.IsTransient);
    }

    [Fact]
    public async Task A_listing_stays_in_its_folder_and_skips_what_is_no_object()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = static context => IsOf(context, "/files/listrecursive")
            ? KoofrServer.SayAsync(context, HttpStatusCode.OK, "application/x-ndjson", string.Concat(
                Line("/", "dir"), Line("/ab/one", "file"), Line("/ab/Two", "file"), Line("/../log/1", "file"), Line("/ab", "dir"), Line("/ab/three (1).txt", "file"), "{\"type\":\"new\"}\n"))
            : Task.FromResult(false);
        List<string> found = [];
        await foreach (ObjectInfo info in store.ListAsync("packs/", None))
        {
            found.Add(info.Name.Value);
        }

        Assert.Equal(["packs/ab/one"], found);

        static string Line(string path, string type) => $"{{\"type\":\"file\",\"path\":\"{path}\",\"file\":{{\"name\":\"{path[(path.LastIndexOf('/') + 1)..]}\",\"type\":\"{type}\",\"size\":7}}}}\n";
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read_to_it()
    {
        await using KoofrStore store = await OpenFilledAsync();
        Server.Instead = static async context =>
        {
            byte[] chunk = new byte[1 << 20];
            while (IsOf(context, "/files/info") && !context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
            }

            return false;
        };
        await FailsAsync(StoreErrorKind.Malformed, true, () => store.GetLengthAsync(Name, None));
    }

    [Fact]
    public async Task A_late_answer_is_given_up_when_the_caller_does()
    {
        await using KoofrStore store = await OpenFilledAsync();
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Instead = async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
            return true;
        };
        using CancellationTokenSource patience = new();
        Task<byte[]?> waiting = store.GetAsync(Name, 100, patience.Token);
        await asked.Task;
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private static bool IsOf(HttpContext context, string what) =>
        context.Request.Path.Value!.EndsWith(what, StringComparison.Ordinal) && !context.Request.Query["path"].ToString().EndsWith("_store", StringComparison.Ordinal);

    private static async Task AllFailAsync(KoofrStore store, StoreErrorKind kind)
    {
        await FailsAsync(kind, true, () => store.GetAsync(Name, 100, None));
        await FailsAsync(kind, true, () => store.GetLengthAsync(Name, None));
        await FailsAsync(kind, true, () => store.GetRangeAsync(Name, 0, new byte[1], None).AsTask());
        await FailsAsync(kind, true, () => store.DeleteAsync(Name, None));
        await FailsAsync(kind, true, () => store.PutIfAbsentAsync(new ObjectName("log/1/1"), Object, None));
        await FailsAsync(kind, true, () => store.GetSpaceAsync(None));
        await FailsAsync(kind, true, async () => await store.ListAsync("packs/", None).GetAsyncEnumerator(None).MoveNextAsync());
    }
}
