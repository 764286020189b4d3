using System.Net;
using System.Net.Http.Headers;
using System.Xml;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.WebDav;

/// <summary>Requests to one WebDAV server, each tried once. Signs in as the server asks. Owns its connections.</summary>
internal sealed class DavClient : IDisposable
{
    public static readonly HttpMethod PropFind = new("PROPFIND");
    public static readonly HttpMethod MakeCollection = new("MKCOL");
    public static readonly HttpMethod Move = new("MOVE");

    // A pack on a slow link takes its time; beyond that the server is taken for dead. Arbitrary.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly HttpClient _http;
    private readonly DavPlace _place;
    private readonly TimeProvider _time;
    private readonly bool _asksFirst;

    public DavClient(DavPlace place, DavCredentials credentials, TimeProvider time)
        : this(place, credentials, time, Handler(credentials.For(place), time))
    {
    }

    /// <summary>For tests: answers come from <paramref name="handler"/>.</summary>
    internal DavClient(DavPlace place, DavCredentials credentials, TimeProvider time, HttpMessageHandler handler)
    {
        _place = place;
        _time = time;
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        if (credentials.Token is { } token)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        // With Digest each request may be refused first: a body should not have travelled then.
        _asksFirst = credentials is { Token: null, User: not null };
    }

    /// <summary>Does the work within the time limit; what fails on the way becomes a <see cref="StoreException"/>.</summary>
    public Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) => CallLimit.WithinAsync(
        Patience,
        _time,
        work,
        error => error is HttpRequestException or IOException or XmlException or OperationCanceledException ? DavErrors.From(error, _place) : null,
        cancellationToken);

    /// <summary>The answer, its body not read yet.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is not null && _asksFirst)
        {
            request.Headers.ExpectContinue = true;
        }

        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>Sends a request whose answer is its status alone.</summary>
    public async Task<HttpStatusCode> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            using HttpResponseMessage answer = await SendAsync(request, cancellationToken);

            // Read to its end, so that the connection serves the next one.
            await answer.Content.CopyToAsync(Stream.Null, cancellationToken);
            return answer.StatusCode;
        }
    }

    public void Dispose() => _http.Dispose();

    private static SocketsHttpHandler Handler(ICredentials? credentials, TimeProvider time)
    {
        SocketsHttpHandler handler = new Wire(time).NewHandler();
        handler.Credentials = credentials;
        handler.PreAuthenticate = true;
        return handler;
    }
}
