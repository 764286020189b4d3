using System.Net;
using System.Text;
using Drive.Core.Stores;
using Drive.Stores.WebDav;
using Drive.Testing;

namespace Drive.Stores.Tests.WebDav;

/// <summary>Answers that real servers rarely give: each by hand, over a handler in place of the network.</summary>
public sealed class DavAnswersTests
{
    private const string Marker = "0123456789abcdef0123456789abcdef put\n";
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly ObjectName Name = new("packs/ab/one");
    private static readonly byte[] Object = [.. Enumerable.Range(0, 100).Select(static value => (byte)value)];

    [Theory]
    [InlineData(0, 10, 10)]
    [InlineData(30, 50, 50)]
    [InlineData(95, 50, 5)]
    [InlineData(100, 1, 0)]
    [InlineData(1000, 1, 0)]
    public async Task A_server_that_knows_no_ranges_sends_all_and_the_part_is_taken(int offset, int count, int expected)
    {
        await using DavStore store = Open(static _ => Content(HttpStatusCode.OK, Object));
        byte[] part = new byte[count];
        Assert.Equal(expected, await store.GetRangeAsync(Name, offset, part, None));
        Assert.Equal(Object.Skip(offset).Take(expected), part.Take(expected));
    }

    [Theory]
    [InlineData("bytes 11-20/100", 10)]
    [InlineData("bytes 10-20/100", 11)]
    [InlineData("bytes 10-18/100", 9)]
    [InlineData("bytes 10-19/100", 9)]
    [InlineData("items 10-19/100", 10)]
    [InlineData(null, 10)]
    public async Task A_part_that_is_not_the_one_asked_for_is_malformed(string? range, int length)
    {
        await using DavStore store = Open(_ =>
        {
            HttpResponseMessage answer = Content(HttpStatusCode.PartialContent, Object[..length]);
            answer.Content.Headers.TryAddWithoutValidation("Content-Range", range);
            return answer;
        });
        StoreException failure = await Assert.ThrowsAsync<StoreException>(async () => await store.GetRangeAsync(Name, 10, new byte[10], None));
        Assert.Equal((StoreErrorKind.Malformed, false), (failure.Kind, failure.IsTransient));
    }

    [Fact]
    public async Task A_short_part_at_the_end_is_fine()
    {
        await using DavStore store = Open(static _ =>
        {
            HttpResponseMessage answer = Content(HttpStatusCode.PartialContent, Object[90..]);
            answer.Content.Headers.TryAddWithoutValidation("Content-Range", "bytes 90-99/100");
            return answer;
        });
        Assert.Equal(10, await store.GetRangeAsync(Name, 90, new byte[50], None));
    }

    [Fact]
    public async Task Without_its_marker_nothing_is_absent()
    {
        bool isThere = true;
        await using DavStore store = new(
            Place, false, Client(request => request.RequestUri!.AbsolutePath.EndsWith("_store", StringComparison.Ordinal) && isThere ? Content(HttpStatusCode.OK, Encoding.ASCII.GetBytes(Marker)) : new(HttpStatusCode.NotFound)),
            new SeededRandom(1));
        Assert.Null(await store.GetAsync(Name, 10, None));
        isThere = false;
        await UnreachableAsync(() => store.GetAsync(Name, 10, None));
        await UnreachableAsync(() => store.GetLengthAsync(Name, None));
        await UnreachableAsync(() => store.GetRangeAsync(Name, 0, new byte[1], None).AsTask());
        await UnreachableAsync(() => store.DeleteAsync(Name, None));
        await UnreachableAsync(() => store.PutIfAbsentAsync(Name, new byte[1], None));
        await UnreachableAsync(() => store.GetSpaceAsync(None));
        await UnreachableAsync(async () => await store.ListAsync("packs/", None).GetAsyncEnumerator(None).MoveNextAsync());
    }

    [Fact]
    public async Task A_page_in_place_of_the_store_says_nothing_about_objects()
    {
        // As a network does that wants its terms accepted first.
        await using DavStore store = new(Place, true, Client(static _ => Content(HttpStatusCode.OK, "<html>welcome</html>"u8.ToArray())), new SeededRandom(1));
        await UnreachableAsync(() => store.GetAsync(Name, 100, None));
        await UnreachableAsync(() => store.PutIfAbsentAsync(Name, new byte[1], None));
    }

    [Fact]
    public async Task A_server_that_replaces_what_it_should_keep_is_not_believed()
    {
        await using DavStore store = Open(static request => new(request.Method == DavClient.MakeCollection ? HttpStatusCode.Created : HttpStatusCode.NoContent));
        StoreException failure = await Assert.ThrowsAsync<StoreException>(() => store.PutIfAbsentAsync(new ObjectName("log/1/1"), new byte[1], None));
        Assert.Equal((StoreErrorKind.Malformed, false), (failure.Kind, failure.IsTransient));
    }

    [Fact]
    public async Task Another_step_than_the_store_was_made_with_is_refused()
    {
        await using DavStore store = new(Place with { Slot = DavSlot.Folder }, false, Client(Answer(static _ => new(HttpStatusCode.OK))), new SeededRandom(1));
        StoreException failure = await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(Name, 100, None));
        Assert.Equal((StoreErrorKind.Denied, false), (failure.Kind, failure.IsTransient));
        Assert.Contains("slot=put", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, StoreErrorKind.Denied, false)]
    [InlineData(HttpStatusCode.Forbidden, StoreErrorKind.Denied, false)]
    [InlineData(HttpStatusCode.Conflict, StoreErrorKind.Failed, true)]
    [InlineData(HttpStatusCode.Locked, StoreErrorKind.Failed, true)]
    [InlineData(HttpStatusCode.MethodNotAllowed, StoreErrorKind.Malformed, false)]
    [InlineData(HttpStatusCode.MovedPermanently, StoreErrorKind.Malformed, false)]
    [InlineData(HttpStatusCode.RequestEntityTooLarge, StoreErrorKind.Denied, false)]
    [InlineData(HttpStatusCode.TooManyRequests, StoreErrorKind.Throttled, true)]
    [InlineData(HttpStatusCode.InternalServerError, StoreErrorKind.Failed, true)]
    [InlineData(HttpStatusCode.NotImplemented, StoreErrorKind.Malformed, false)]
    [InlineData(HttpStatusCode.BadGateway, StoreErrorKind.Failed, true)]
    [InlineData(HttpStatusCode.ServiceUnavailable, StoreErrorKind.Throttled, true)]
    [InlineData(HttpStatusCode.InsufficientStorage, StoreErrorKind.Full, false)]
    public async Task Each_refusal_of_a_put_has_its_meaning(HttpStatusCode status, StoreErrorKind kind, bool isTransient)
    {
        await using DavStore store = Open(request => new(request.Method == DavClient.MakeCollection ? HttpStatusCode.Created : status));
        StoreException failure = await Assert.ThrowsAsync<StoreException>(() => store.PutIfAbsentAsync(Name, new byte[1], None));
        Assert.Equal((kind, isTransient), (failure.Kind, failure.IsTransient));
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_unreachable_for_now()
    {
        await using DavStore store = Open(static _ => throw new HttpRequestException("no route"));
        await UnreachableAsync(() => store.GetAsync(Name, 100, None));
    }

    [Fact]
    public async Task Space_is_what_quota_says()
    {
        await using DavStore store = Open(static _ => Found(Response("/x/", "<resourcetype><collection/></resourcetype><quota-available-bytes>70</quota-available-bytes><quota-used-bytes>30</quota-used-bytes>")));
        Assert.Equal(new StoreSpace(100, 70), await store.GetSpaceAsync(None));
    }

    [Theory]
    [InlineData("<quota-available-bytes>-3</quota-available-bytes><quota-used-bytes>30</quota-used-bytes>")]
    [InlineData("<quota-available-bytes>9223372036854775807</quota-available-bytes><quota-used-bytes>30</quota-used-bytes>")]
    [InlineData("<quota-used-bytes>30</quota-used-bytes>")]
    [InlineData("")]
    public async Task Space_that_makes_no_sense_is_not_told(string properties)
    {
        await using DavStore store = Open(_ => Found(Response("/x/", properties)));
        Assert.Null(await store.GetSpaceAsync(None));
    }

    [Fact]
    public async Task A_listing_stays_in_its_folder_and_skips_what_is_no_object()
    {
        await using DavStore store = Open(static request => request.RequestUri!.AbsolutePath != "/x/packs/" ? new(HttpStatusCode.NotFound) : Found(string.Concat(
            Response("/x/packs/", "<resourcetype><collection/></resourcetype>"),
            Response("https://inside:8080/x/packs/%6fne", "<getcontentlength>1</getcontentlength>"),
            Response("/x/packs/Two", "<getcontentlength>2</getcontentlength>"),
            Response("/x/packs/a/b", "<getcontentlength>3</getcontentlength>"),
            Response("/x/log/1", "<getcontentlength>4</getcontentlength>"),
            Response("/x/packs/%2e%2e/out", "<getcontentlength>5</getcontentlength>"),
            Response("/elsewhere/packs/six", "<getcontentlength>6</getcontentlength>"),
            "<response><href>/x/packs/gone</href><status>HTTP/1.1 404 Not Found</status></response>",
            Response("/x/packs/", "<resourcetype><collection/></resourcetype>"))));
        List<ObjectInfo> found = [];
        await foreach (ObjectInfo info in store.ListAsync("packs/", None))
        {
            found.Add(info);
        }

        Assert.Equal([new ObjectInfo(new ObjectName("packs/one"), 1)], found);
    }

    [Theory]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"aaaa\">]><multistatus xmlns=\"DAV:\">&a;</multistatus>")]
    [InlineData("<!DOCTYPE multistatus SYSTEM \"file:///etc/passwd\"><multistatus xmlns=\"DAV:\"/>")]
    [InlineData("<multistatus xmlns=\"DAV:\">")]
    [InlineData("<html/>")]
    [InlineData("")]
    public async Task What_is_no_answer_of_webdav_is_refused(string answer)
    {
        await using DavStore store = Open(_ => Content(HttpStatusCode.MultiStatus, Encoding.UTF8.GetBytes(answer)));
        StoreException failure = await Assert.ThrowsAsync<StoreException>(() => store.GetLengthAsync(Name, None));
        Assert.Equal((StoreErrorKind.Malformed, true), (failure.Kind, failure.IsTransient));
    }

    private static DavPlace Place { get; } = (DavPlace)StorePlace.Parse("davs://host/x");

    private static async Task UnreachableAsync(Func<Task> call)
    {
        StoreException failure = await Assert.ThrowsAsync<StoreException>(call);
        Assert.Equal((StoreErrorKind.Unreachable, true), (failure.Kind, failure.IsTransient));
    }

    /// <summary>A store whose marker is there and says "put", and which answers everything else as told.</summary>
    private static DavStore Open(Func<HttpRequestMessage, HttpResponseMessage> answer) => new(Place, false, Client(Answer(answer)), new SeededRandom(1));

    private static Func<HttpRequestMessage, HttpResponseMessage> Answer(Func<HttpRequestMessage, HttpResponseMessage> answer) => request => request.RequestUri!.AbsolutePath switch
    {
        "/x/_store/_object" => new(HttpStatusCode.NotFound),
        "/x/_store" => Content(HttpStatusCode.OK, Encoding.ASCII.GetBytes(Marker)),
        _ => answer(request),
    };

    private static DavClient Client(Func<HttpRequestMessage, HttpResponseMessage> answer) => new(Place, new DavCredentials(null, null, null), TimeProvider.System, new Handler(answer));

    private static HttpResponseMessage Content(HttpStatusCode status, byte[] content) => new(status) { Content = new ByteArrayContent(content) };

    private static HttpResponseMessage Found(string responses) => Content(HttpStatusCode.MultiStatus, Encoding.UTF8.GetBytes($"<multistatus xmlns=\"DAV:\">{responses}</multistatus>"));

    private static string Response(string href, string properties) =>
        $"<response><href>{href}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat></response>";

    private sealed class Handler(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }
}
