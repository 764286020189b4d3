using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Drive.Core.Platform;
using Drive.Core.Stores;

namespace Drive.Stores.Http;

/// <summary>
/// A vault on a server of Drive's own (docs/server.md). Every call is one try; after an answer that asked to wait (429), the next call waits that long first.
/// </summary>
/// <remarks>Threads: all calls may run at once. Owns its connections and its watches.</remarks>
internal sealed class HttpStore : IObjectStore, IWatchedStore
{
    // As the S3 client has it. Retries are the wrapper's business.
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(100);

    // However long a server asks for, somebody may be waiting for a file.
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(30);

    /// <summary>From here on a refusal (no room, no right) comes before the bytes are sent.</summary>
    private const int AskFirstBytes = 1 << 20;

    // What a refusal says of itself is a line.
    private const int SaidMax = 300;

    private readonly HttpClient _http;
    private readonly HttpPlace _place;
    private readonly string _vault;
    private readonly bool _create;
    private readonly TimeProvider _time;
    private readonly IRandomSource _random;
    private readonly StoreWatches _watches = new();
    private readonly Pause _pause;

    private HttpStore(HttpClient http, HttpPlace place, bool create, TimeProvider time, IRandomSource random)
    {
        _http = http;
        _place = place;
        _vault = ServerWire.Root + place.Vault;
        _create = create;
        _time = time;
        _random = random;
        _pause = new Pause(time);
    }

    public StoreDescription Description => _place.Description;

    /// <summary>The store; nothing is asked yet. With <paramref name="create"/> the vault is made by the first call that hears that there is none.</summary>
    public static HttpStore Open(HttpPlace place, string? token, bool create, TimeProvider time, IRandomSource random)
    {
        if (string.IsNullOrEmpty(token) || !token.All(char.IsAsciiLetterOrDigit))
        {
            throw new StoreException(
                StoreErrorKind.Denied, isTransient: false, $"There is no token for {place}: run 'drive store login {place}', or set {HttpPlace.TokenVariable} to what 'drive serve token add' printed.");
        }

        SocketsHttpHandler handler = new Wire(time).NewHandler();
        handler.UseProxy = !place.Server.IsLoopback;

        // The server always says whether it wants the body: who sends one without having heard that sends it to nobody.
        handler.Expect100ContinueTimeout = Wire.SilenceMax * 2;
        if (place.Pin is { } pin)
        {
            byte[] expected = Convert.FromHexString(pin);
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    certificate is not null && CryptographicOperations.FixedTimeEquals(certificate.GetCertHash(HashAlgorithmName.SHA256), expected),
            };
        }

        HttpClient http = new(handler) { BaseAddress = place.Server, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return new HttpStore(http, place, create, time, random);
    }

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        return CallAsync(
            () =>
            {
                HttpRequestMessage request = new(HttpMethod.Put, path) { Content = new ReadOnlyMemoryContent(content) };
                request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
                request.Headers.ExpectContinue = content.Length >= AskFirstBytes;
                return request;
            },
            async (answer, token) => answer.StatusCode switch
            {
                HttpStatusCode.Created => true,
                HttpStatusCode.PreconditionFailed when ReasonOf(answer) == ServerWire.Taken => false,
                _ => throw await RefusalAsync(answer, token),
            },
            cancellationToken);
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        return CallAsync<byte[]?>(
            () => new HttpRequestMessage(HttpMethod.Get, path),
            async (answer, token) =>
            {
                if (!await IsThereAsync(answer, HttpStatusCode.OK, token))
                {
                    return null;
                }

                long length = LengthOf(answer);
                if (length > bytesMax)
                {
                    throw StoreErrors.TooLarge(name, length, bytesMax);
                }

                byte[] content = new byte[length];
                await FillAsync(answer, content, token);
                return content;
            },
            cancellationToken);
    }

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        string path = PathOf(name);
        return new(destination.IsEmpty ? GetNothingAsync() : CallAsync<int?>(
            () =>
            {
                HttpRequestMessage request = new(HttpMethod.Get, path);
                request.Headers.Range = new RangeHeaderValue(offset, offset > long.MaxValue - destination.Length ? null : offset + destination.Length - 1);
                return request;
            },
            async (answer, token) =>
            {
                if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && ReasonOf(answer) is not null)
                {
                    return 0;
                }

                if (!await IsThereAsync(answer, HttpStatusCode.PartialContent, token))
                {
                    return null;
                }

                long length = LengthOf(answer);
                if (length > destination.Length || answer.Content.Headers.ContentRange?.From != offset)
                {
                    throw new StoreException(StoreErrorKind.Malformed, isTransient: false, $"{_place} gave another part of {name} than was asked for.");
                }

                await FillAsync(answer, destination[..(int)length], token);
                return (int)length;
            },
            cancellationToken));

        async Task<int?> GetNothingAsync() => await GetLengthAsync(name, cancellationToken) is null ? null : 0;
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        return CallAsync<long?>(
            () => new HttpRequestMessage(HttpMethod.Head, path),
            async (answer, token) => await IsThereAsync(answer, HttpStatusCode.OK, token) ? LengthOf(answer) : null,
            cancellationToken);
    }

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        return CallAsync(() => new HttpRequestMessage(HttpMethod.Delete, path), (answer, token) => IsThereAsync(answer, HttpStatusCode.NoContent, token), cancellationToken);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        string? after = "";
        while (after is not null)
        {
            string path = $"{_vault}?list={Uri.EscapeDataString(prefix)}&after={after}";
            (List<ObjectInfo> page, after) = await CallAsync(() => new HttpRequestMessage(HttpMethod.Get, path), ReadPageAsync, cancellationToken);
            foreach (ObjectInfo found in page)
            {
                yield return found;
            }
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => CallAsync<StoreSpace?>(
        () => new HttpRequestMessage(HttpMethod.Get, _vault + "?space"),
        async (answer, token) =>
        {
            await RequireAsync(answer, HttpStatusCode.OK, token);
            string[] numbers = (await answer.Content.ReadAsStringAsync(token)).TrimEnd().Split(' ');
            return numbers.Length == 2 && TryNumber(numbers[0], out long total) && TryNumber(numbers[1], out long free) ? new StoreSpace(total, free) : throw NotUnderstood();
        },
        cancellationToken);

    public IDisposable Watch(string prefix, Action changed)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(changed);
        string path = $"{_vault}?watch={Uri.EscapeDataString(prefix)}";
        return _watches.Add(new HttpWatch(
            token => _http.SendAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead, token), changed, _time, _random));
    }

    public async ValueTask DisposeAsync()
    {
        await _watches.DisposeAsync();
        _http.Dispose();
    }

    private string PathOf(ObjectName name) => _vault + "/" + name.Value;

    private async Task<T> CallAsync<T>(Func<HttpRequestMessage> request, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _pause.PassAsync(cancellationToken);
        return await CallLimit.WithinAsync(
            CallTime,
            _time,
            async token =>
            {
                using HttpResponseMessage answer = await SendAsync(request, token);
                return await read(answer, token);
            },
            error => error is OperationCanceledException ? HttpErrors.TimedOut(_place, CallTime) : HttpErrors.IsKnown(error) ? HttpErrors.From(error, _place) : null,
            cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> request, CancellationToken cancellationToken)
    {
        HttpResponseMessage answer = await _http.SendAsync(request(), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!_create || answer.StatusCode != HttpStatusCode.NotFound || ReasonOf(answer) != ServerWire.NoVault)
        {
            return answer;
        }

        answer.Dispose();
        using (HttpResponseMessage made = await _http.SendAsync(new HttpRequestMessage(HttpMethod.Put, _vault), cancellationToken))
        {
            if (made.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.NoContent))
            {
                throw await RefusalAsync(made, cancellationToken);
            }
        }

        return await _http.SendAsync(request(), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>True: the answer is the one for an object that is there. False: the server said that it is absent. Anything else is thrown.</summary>
    private async Task<bool> IsThereAsync(HttpResponseMessage answer, HttpStatusCode expected, CancellationToken cancellationToken)
    {
        if (answer.StatusCode == HttpStatusCode.NotFound && ReasonOf(answer) == ServerWire.Absent)
        {
            return false;
        }

        await RequireAsync(answer, expected, cancellationToken);
        return true;
    }

    private async Task RequireAsync(HttpResponseMessage answer, HttpStatusCode expected, CancellationToken cancellationToken)
    {
        if (answer.StatusCode != expected)
        {
            throw await RefusalAsync(answer, cancellationToken);
        }
    }

    private async Task<StoreException> RefusalAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer is { StatusCode: HttpStatusCode.TooManyRequests, Headers.RetryAfter.Delta: { } asked })
        {
            _pause.Begin(asked < PauseMax ? asked : PauseMax);
        }

        byte[] said = new byte[SaidMax];
        await using Stream body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        int length = await body.ReadAtLeastAsync(said, said.Length, throwOnEndOfStream: false, cancellationToken);
        string line = System.Text.Encoding.UTF8.GetString(said, 0, length).Split('\n')[0].Trim();
        return HttpErrors.FromAnswer(answer.StatusCode, ReasonOf(answer), string.Concat(line.Where(static letter => !char.IsControl(letter))), _place);
    }

    private static string? ReasonOf(HttpResponseMessage answer) => answer.Headers.TryGetValues(ServerWire.ReasonHeader, out IEnumerable<string>? values) ? values.First() : null;

    private long LengthOf(HttpResponseMessage answer) => answer.Content.Headers.ContentLength ?? throw NotUnderstood();

    private static async Task FillAsync(HttpResponseMessage answer, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await using Stream body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        await body.ReadExactlyAsync(destination, cancellationToken);
    }

    /// <summary>Lines "length name".</summary>
    private async Task<(List<ObjectInfo> Page, string? Next)> ReadPageAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await RequireAsync(answer, HttpStatusCode.OK, cancellationToken);
        List<ObjectInfo> page = [];
        string text = await answer.Content.ReadAsStringAsync(cancellationToken);
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            page.Add(space > 0 && TryNumber(line.AsSpan(0, space), out long length) && ObjectName.IsValid(line.AsSpan(space + 1))
                ? new ObjectInfo(new ObjectName(line[(space + 1)..]), length)
                : throw NotUnderstood());
        }

        string? next = answer.Headers.TryGetValues(ServerWire.NextHeader, out IEnumerable<string>? values) ? values.First() : null;
        return next is null || ObjectName.IsValid(next) ? (page, next) : throw NotUnderstood();
    }

    private StoreException NotUnderstood() => new(StoreErrorKind.Malformed, isTransient: true, $"{_place} gave an answer that makes no sense.");

    private static bool TryNumber(ReadOnlySpan<char> text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
