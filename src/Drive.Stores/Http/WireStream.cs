using System.Net.Sockets;
using Drive.Stores.Calls;

namespace Drive.Stores.Http;

/// <summary>
/// A connection: moves bytes in pieces, as fast as the limits of the call allow that it serves at the moment, and knows how long nothing has moved. TLS and HTTP are above it,
/// so what is counted is what goes over the line.
/// </summary>
/// <remarks>Threads: one reader and one writer, and the clock of the <see cref="Wire"/>. Owns the socket.</remarks>
internal sealed class WireStream(Wire wire, Socket socket) : Stream
{
    // The kernel takes in what nobody has read yet: a quarter of a second's worth on all connections, and what a few packets need on each.
    private const int ReceivePartOfSecond = 4;
    private const int ReceiveBytesMin = 16 << 10;

    // What a connection's buffer must be short of to be worth a new one. Arbitrary.
    private const long OutgrownTimes = 4;

    private readonly NetworkStream _inner = new(socket, ownsSocket: true);

    // The call that used the connection last: it is idle when that is over.
    private volatile StoreCall? _call;
    private volatile string? _ended;
    private int _reads;
    private int _writes;

    // Timestamps: of the last byte, of the last read and write that began.
    private long _movedAt = wire.Time.GetTimestamp();
    private long _beganAt = wire.Time.GetTimestamp();

    // Bytes that went out since the last one came in.
    private long _unanswered;

    // What the receive buffer was last set to; 0 where the kernel chooses.
    private int _receiveBytes;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Whether no call is under way on it. The connection of a watch is idle in this sense: it is made anew by itself.</summary>
    public bool IsIdle => _call is not { IsOver: false };

    /// <summary>Whether its receive buffer was made small for a limit that holds no more: the kernel does not let it grow again.</summary>
    public bool IsOutgrown => _receiveBytes > 0 && _call is { } call && ReceiveBytes(call.RateDown) is var wanted && (wanted is null || wanted > OutgrownTimes * _receiveBytes);

    /// <summary>How long it has been silent while a call waits for it, when that is longer than is borne; else null.</summary>
    public TimeSpan? Silence
    {
        get
        {
            if (_call is not { IsOver: false } call || call.QuietSince is not { } quietSince || (Volatile.Read(ref _reads) == 0 && Volatile.Read(ref _writes) == 0))
            {
                return null;
            }

            // A wait for the limits counts as movement, which the call knows of.
            long since = Math.Max(quietSince, Math.Max(Volatile.Read(ref _movedAt), Volatile.Read(ref _beganAt)));
            TimeSpan quiet = wire.Time.GetElapsedTime(since);
            if (quiet < Wire.SilenceMax)
            {
                return null;
            }

            bool isPeerGone = TcpOptions.SilenceOfPeer(socket) >= Wire.SilenceMax;
            return isPeerGone || quiet >= Wire.Patience(call.Attempt, Volatile.Read(ref _unanswered)) ? quiet : null;
        }
    }

    /// <summary>Closes the connection; what is under way on it fails.</summary>
    public void End(string reason)
    {
        _ended ??= reason;
        _inner.Dispose();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        StoreCall? call = Adopt();
        while (!buffer.IsEmpty)
        {
            int bytes = Math.Min(buffer.Length, call?.PieceUp ?? buffer.Length);
            if (call is not null)
            {
                await call.TakeUpAsync(bytes, cancellationToken);
            }

            Begin(ref _writes);
            try
            {
                await _inner.WriteAsync(buffer[..bytes], cancellationToken);
            }
            catch (Exception error) when (_ended is { } reason && error is not OperationCanceledException)
            {
                throw new SilenceException(reason, error);
            }
            finally
            {
                Interlocked.Decrement(ref _writes);
            }

            Interlocked.Add(ref _unanswered, bytes);
            Note(call, bytes);
            buffer = buffer[bytes..];
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        StoreCall? call = Adopt();
        if (call is not null)
        {
            KeepReceiveBufferSmall(call.RateDown);
            buffer = buffer[..Math.Min(buffer.Length, call.PieceDown)];
        }

        int bytes;
        Begin(ref _reads);
        try
        {
            bytes = await _inner.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception error) when (_ended is { } reason && error is not OperationCanceledException)
        {
            throw new SilenceException(reason, error);
        }
        finally
        {
            Interlocked.Decrement(ref _reads);
        }

        if (bytes > 0)
        {
            Volatile.Write(ref _unanswered, 0);
            Note(call, bytes);
            if (call is not null)
            {
                await call.TakeDownAsync(bytes, cancellationToken);
            }
        }

        return bytes;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Nothing that matters waits for an answer without giving its thread back.</summary>
    public override int Read(byte[] buffer, int offset, int count) => _inner.Read(buffer, offset, count);

    public override void Write(byte[] buffer, int offset, int count) => _inner.Write(buffer, offset, count);

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            wire.Remove(this);
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private int? ReceiveBytes(long? rate) => rate is { } bytesPerSecond ? (int)Math.Clamp(bytesPerSecond / ReceivePartOfSecond / Math.Max(1, wire.Count), ReceiveBytesMin, int.MaxValue / 4) : null;

    // Work that belongs to no call (a pool that looks after its connections) leaves the connection to the one before.
    private StoreCall? Adopt() => StoreCall.Current is { } call ? _call = call : null;

    private void Begin(ref int count)
    {
        Volatile.Write(ref _beganAt, wire.Time.GetTimestamp());
        Interlocked.Increment(ref count);
    }

    private void Note(StoreCall? call, int bytes)
    {
        Volatile.Write(ref _movedAt, wire.Time.GetTimestamp());
        call?.Note(bytes);
    }

    private void KeepReceiveBufferSmall(long? rate)
    {
        if (ReceiveBytes(rate) is { } wanted && (_receiveBytes == 0 || wanted < _receiveBytes))
        {
            socket.ReceiveBufferSize = wanted;
            _receiveBytes = wanted;
        }
    }
}
