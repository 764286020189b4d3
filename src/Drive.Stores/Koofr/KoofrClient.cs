using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text.Json;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Folder;
using Drive.Stores.Http;

namespace Drive.Stores.Koofr;

/// <summary>
/// Requests to one Koofr account, each tried once, but for a token that has run out: then it signs in and sends the same request again. After an answer that asked to
/// wait (429), requests wait for that long; where that is longer than somebody would, they fail at once, unsent.
/// </summary>
/// <remarks>Threads: any. Owns its connections.</remarks>
internal sealed class KoofrClient : IDisposable
{
    // A pack on a slow link takes its time; beyond that the server is taken for dead. Arbitrary.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // Somebody may be waiting for a file.
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);

    // Where the answer does not say how long. Arbitrary.
    private static readonly TimeSpan WaitDefault = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);

    /// <summary>From here on a refusal comes before the bytes are sent.</summary>
    private const int AskFirstBytes = 1 << 20;

    private readonly KoofrPlace _place;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly KoofrSession _session;
    private readonly Pause _pause;

    /// <summary>Nothing is asked yet. <see cref="StoreException"/> when there is nobody to sign in as, or no password.</summary>
    public KoofrClient(KoofrPlace place, string? user, string? password, TimeProvider time, IRandomSource random)
        : this(place, user, password, time, random, Handler(place, time))
    {
    }

    /// <summary>For tests: answers come from <paramref name="handler"/>.</summary>
    internal KoofrClient(KoofrPlace place, string? user, string? password, TimeProvider time, IRandomSource random, HttpMessageHandler handler)
    {
        if (string.IsNullOrEmpty(user) || string.IsNullOrEmpty(password))
        {
            handler.Dispose();
            string missing = string.IsNullOrEmpty(user) ? "user" : "password";
            throw new StoreException(
                StoreErrorKind.SignInRefused,
                isTransient: false,
                $"There is no {missing} for {place}: run 'drive store login {place}', or set {KoofrPlace.UserVariable} (or write koofr://user@host/path) and {KoofrPlace.PasswordVariable}, an app password.");
        }

        _place = place;
        _time = time;
        _pause = new Pause(time);
        UserAgent = $"drive/{StoreRoot.NewId(random)}";
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, BaseAddress = place.Server };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd(UserAgent);
        _session = new KoofrSession(place, user, password, _http, time);
    }

    /// <summary>What requests say who they come from, new for each client: events bear it, so that one's own are known.</summary>
    public string UserAgent { get; }

    /// <summary>Does the work within the time limit; what fails on the way becomes a <see cref="StoreException"/>.</summary>
    public Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        CallLimit.WithinAsync(Patience, _time, work, error => KoofrErrors.From(error, _place), cancellationToken);

    /// <summary>The answer to a request, its body not read yet. Made anew for a second try.</summary>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        string? dead = null;
        while (true)
        {
            await PassAsync(cancellationToken);
            string token = await _session.GetTokenAsync(dead, cancellationToken);
            HttpResponseMessage answer;
            using (HttpRequestMessage request = make())
            {
                request.Headers.Authorization = Authorization(token);
                request.Headers.ExpectContinue = request.Content?.Headers.ContentLength >= AskFirstBytes;
                answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            }

            if (answer.StatusCode == HttpStatusCode.TooManyRequests || answer is { StatusCode: HttpStatusCode.ServiceUnavailable, Headers.RetryAfter: not null })
            {
                _pause.Begin(KoofrErrors.AskedToWait(answer, _time) ?? WaitDefault);
            }

            if (answer.StatusCode != HttpStatusCode.Unauthorized)
            {
                return answer;
            }

            answer.Dispose();
            if (dead is not null)
            {
                throw _session.Refuse("does not take a token that it has just given");
            }

            dead = token;
        }
    }

    /// <summary>The JSON of an answer of 200, and null for a refusal whose code is one of <paramref name="absent"/>. The caller disposes it.</summary>
    public async Task<JsonDocument?> AskAsync(string path, CancellationToken cancellationToken, params string[] absent)
    {
        using HttpResponseMessage answer = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);
        return await IsThereAsync(answer, cancellationToken, absent) ? await KoofrAnswers.ReadAsync(answer, cancellationToken) : null;
    }

    /// <summary>True: the answer is 200 or 206. False: it is a refusal of Koofr's own whose code is one of <paramref name="absent"/>. Anything else is thrown.</summary>
    public async Task<bool> IsThereAsync(HttpResponseMessage answer, CancellationToken cancellationToken, params string[] absent)
    {
        if (answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent)
        {
            return true;
        }

        KoofrError? said = await KoofrAnswers.ReadErrorAsync(answer, cancellationToken);
        return said is not null && absent.Contains(said.Code) && answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.Conflict
            ? false
            : throw KoofrErrors.From(answer, said, _place);
    }

    /// <summary>A connection for events, and what it must say first to be let in; null as long as nobody is signed in. Never signs in.</summary>
    public async Task<(WebSocket Socket, string Authorization)?> ConnectAsync(CancellationToken cancellationToken)
    {
        if (_session.Token is not { } token || _pause.Left > TimeSpan.Zero)
        {
            return null;
        }

        UriBuilder events = new(_place.Server) { Scheme = _place.Server.Scheme == Uri.UriSchemeHttps ? "wss" : "ws", Path = "/events", Query = "wsauth=true" };
        ClientWebSocket socket = new();
        try
        {
            // Frames of the WebSocket itself, without which a connection that was cut without a word would not be missed.
            socket.Options.KeepAliveInterval = KeepAlive;
            socket.Options.KeepAliveTimeout = KeepAlive;
            if (_place.Server.IsLoopback)
            {
                socket.Options.Proxy = null;
            }

            await socket.ConnectAsync(events.Uri, cancellationToken);
            return (socket, Authorization(token).ToString());
        }
        catch (Exception)
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _session.Dispose();
    }

    // As Koofr's own Java client writes it.
    private static AuthenticationHeaderValue Authorization(string token) => new("Token", $"token=\"{token}\"");

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        if (_pause.Left is { } left && left > WaitMax)
        {
            throw KoofrErrors.Throttled(_place, "to be left alone", left);
        }

        await _pause.PassAsync(cancellationToken);
    }

    private static SocketsHttpHandler Handler(KoofrPlace place, TimeProvider time)
    {
        SocketsHttpHandler handler = new Wire(time).NewHandler();
        handler.UseProxy = !place.Server.IsLoopback;
        return handler;
    }
}
