using System.Net;
using System.Net.Sockets;
using Drive.Stores.Calls;

namespace Drive.Stores.Http;

/// <summary>
/// The connections to one server. Each keeps the user's limits for the call that it serves (<see cref="WireStream"/>), and one on which nothing moves any more, as after
/// sleep or in another network, is given up: the call fails as transient, and its next try gets a new connection.
/// </summary>
/// <remarks>
/// <para>What silence means depends on who is silent. When the other machine's kernel acknowledges nothing, not even the question whether it is there, the connection is
/// dead after <see cref="SilenceMax"/>, whatever was sent. When it does, or something in between does, a server may be busy with what it got: it has that time, more for what
/// was sent since it was last heard (<see cref="AnswerBytesPerSecond"/>), and twice as much with each further try of the same call.</para>
/// <para>Where one is silent, those that are idle are likely to be dead as well, and go too.</para>
/// <para>Threads: any. The clock runs only while there are connections.</para>
/// </remarks>
internal sealed class Wire(TimeProvider time)
{
    /// <summary>
    /// Nothing for so long is no answer. Longer than it takes a disk to start or a name to be looked up, shorter than anybody waits for a file before calling the machine broken.
    /// </summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(15);

    /// <summary>How fast a server is expected to digest a body when it answers: 8 MiB are 32 s more. Such as pass it on to another, or scan it, are slow.</summary>
    public const int AnswerBytesPerSecond = 256 << 10;

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(15);

    // Addresses change.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private const int DoublingsMax = 3;

    private readonly Lock _gate = new();

    // Guarded by _gate.
    private readonly HashSet<WireStream> _open = [];
    private ITimer? _clock;

    // Guarded by _gate for those who change it.
    private volatile int _count;

    public TimeProvider Time => time;

    /// <summary>Connections that are open.</summary>
    public int Count => _count;

    /// <summary>What an HTTP client of a store sends by; the caller adds what is its own.</summary>
    public SocketsHttpHandler NewHandler() => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = ConnectTime,
        PooledConnectionLifetime = Lifetime,
        ConnectCallback = ConnectAsync,
    };

    /// <summary>How long a connection may be silent, by the tries of its call and the bytes that were sent since the server was heard.</summary>
    public static TimeSpan Patience(int attempt, long sentBytes) =>
        (SilenceMax + TimeSpan.FromSeconds(sentBytes / (double)AnswerBytesPerSecond)) * (1 << Math.Clamp(attempt - 1, 0, DoublingsMax));

    internal void Remove(WireStream stream)
    {
        lock (_gate)
        {
            _open.Remove(stream);
            _count = _open.Count;
            if (_open.Count == 0)
            {
                _clock?.Dispose();
                _clock = null;
            }
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            TcpOptions.Prepare(socket);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            WireStream stream = new(this, socket);
            lock (_gate)
            {
                _open.Add(stream);
                _count = _open.Count;
                _clock ??= time.CreateTimer(static wire => ((Wire)wire!).Look(), this, LookInterval, LookInterval);
            }

            return stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Look()
    {
        WireStream[] open;
        lock (_gate)
        {
            open = [.. _open];
        }

        // The idle ones first: the call whose connection ends looks for another at once.
        (WireStream Stream, TimeSpan Quiet)[] silent = [.. open.Select(static stream => (stream, stream.Silence)).Where(static one => one.Silence is not null).Select(static one => (one.stream, one.Silence!.Value))];
        foreach (WireStream stream in open.Where(stream => stream.IsIdle && (silent.Length > 0 || stream.IsOutgrown)))
        {
            stream.End("it was idle when another connection fell silent");
        }

        foreach ((WireStream stream, TimeSpan quiet) in silent)
        {
            stream.End($"nothing came or went for {quiet.TotalSeconds:0} s");
        }
    }
}
