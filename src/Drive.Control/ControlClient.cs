using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Drive.Control;

/// <summary>
/// Talks to one daemon. Failures are <see cref="DriveException"/>; a daemon that is not there is null from <see cref="TryConnectAsync"/>.
/// </summary>
public sealed partial class ControlClient : IDisposable
{
    // A daemon answers a status in milliseconds, and its stop has a limit of less than nine seconds.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(9.5);

    private readonly HttpClient _http;

    private ControlClient(DaemonRecord daemon)
    {
        Daemon = daemon;
        SocketsHttpHandler handler = new()
        {
            UseProxy = false,
            ConnectCallback = async (_, cancellationToken) => new NetworkStream(await ConnectAsync(daemon.Socket, cancellationToken), ownsSocket: true),
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://drive"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Whom it talks to.</summary>
    public DaemonRecord Daemon { get; }

    /// <summary>A client when the daemon accepts connections, null when it is gone.</summary>
    public static async Task<ControlClient?> TryConnectAsync(DaemonRecord daemon, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(daemon);
        try
        {
            (await ConnectAsync(daemon.Socket, cancellationToken)).Dispose();
            return new ControlClient(daemon);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AccessDenied)
        {
            throw new DriveException(DriveError.Failed, $"'{daemon.Socket}' belongs to another user: run the command as the one who mounted the drive.", exception);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>How the drive stands.</summary>
    public Task<DriveStatus> GetStatusAsync(CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Get, ControlRoutes.Status, null, ControlJson.Default.DriveStatus, cancellationToken);

    /// <summary>Keeps a path on this machine, or lets it go; what is pinned in all then.</summary>
    public Task<PinnedContent> SetPinnedAsync(string path, bool isPinned, CancellationToken cancellationToken) => AskAsync(
        HttpMethod.Post,
        isPinned ? ControlRoutes.Pin : ControlRoutes.Unpin,
        JsonContent.Create(new PathRequest(path), ControlJson.Default.PathRequest),
        ControlJson.Default.PinnedContent,
        cancellationToken);

    /// <summary>Frees the local space of a path.</summary>
    public Task<EvictReply> EvictAsync(string path, CancellationToken cancellationToken) => AskAsync(
        HttpMethod.Post, ControlRoutes.Evict, JsonContent.Create(new PathRequest(path), ControlJson.Default.PathRequest), ControlJson.Default.EvictReply, cancellationToken);

    /// <summary>Sets limits until the drive is unmounted; how they are then.</summary>
    public Task<TransferLimits> SetLimitsAsync(LimitRequest request, CancellationToken cancellationToken) => AskAsync(
        HttpMethod.Post, ControlRoutes.Limits, JsonContent.Create(request, ControlJson.Default.LimitRequest), ControlJson.Default.TransferLimits, cancellationToken);

    /// <summary>Lines until everything written before the call is in the store; the last one says so. Cancel to give up.</summary>
    public async IAsyncEnumerable<WaitLine> WaitAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Post, ControlRoutes.Wait, null, cancellationToken, cancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using StreamReader reader = new(body);
        while (await ReadLineAsync(reader, cancellationToken) is { } line)
        {
            yield return JsonSerializer.Deserialize(line, ControlJson.Default.WaitLine) ?? throw Garbled();
        }
    }

    /// <summary>Stops the daemon in order. When this returns nothing is mounted any more.</summary>
    public Task<StopReply> StopAsync(CancellationToken cancellationToken) => AskAsync(HttpMethod.Post, ControlRoutes.Stop, null, ControlJson.Default.StopReply, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static async Task<Socket> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<T> AskAsync<T>(HttpMethod method, string route, HttpContent? content, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(AnswerTime);
        return await AskPatientlyAsync(method, route, content, type, deadline.Token, cancellationToken);
    }

    private async Task<T> AskPatientlyAsync<T>(
        HttpMethod method, string route, HttpContent? content, JsonTypeInfo<T> type, CancellationToken deadline, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(method, route, content, deadline, cancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(deadline);
        return await JsonSerializer.DeserializeAsync(body, type, deadline) ?? throw Garbled();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string route, HttpContent? content, CancellationToken deadline, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            using HttpRequestMessage request = new(method, route) { Content = content };
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline);
        }
        catch (HttpRequestException exception)
        {
            throw Lost(exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DriveException(DriveError.Failed, $"The daemon of '{Daemon.Name}' (process {Daemon.Pid}) does not answer: see its log, or end the process and run 'drive up'.", exception);
        }

        if (response.StatusCode == HttpStatusCode.OK)
        {
            return response;
        }

        using (response)
        {
            byte[] body = await response.Content.ReadAsByteArrayAsync(deadline);
            ErrorReply? error = body.Length == 0 ? null : JsonSerializer.Deserialize(body, ControlJson.Default.ErrorReply);
            throw error is null
                ? new DriveException(DriveError.Failed, $"The daemon of '{Daemon.Name}' answered {(int)response.StatusCode}: it is of another version; unmount and mount again.")
                : new DriveException(error.Error, error.Message);
        }
    }

    private async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException && !cancellationToken.IsCancellationRequested)
        {
            throw Lost(exception);
        }
    }

    private DriveException Lost(Exception cause) =>
        new(DriveError.Failed, $"The daemon of '{Daemon.Name}' (process {Daemon.Pid}) ended meanwhile: run 'drive up' or 'drive mount'; nothing that was written is lost.", cause);

    private DriveException Garbled() =>
        new(DriveError.Failed, $"The daemon of '{Daemon.Name}' answered something else: it is of another version; unmount and mount again.");
}
