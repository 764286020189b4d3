using Drive.Core.Stores;
using Drive.Testing.Stores;
using StoreCall = Drive.Stores.Calls.StoreCall;

namespace Drive.Stores.Tests.Wrappers;

/// <summary>A store over a line as fast as it is let: it moves its bytes as a connection does, and notes when.</summary>
internal sealed class LineStore(IObjectStore inner, TimeProvider time) : ForwardingStore(inner)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private readonly long _start = time.GetTimestamp();
    private readonly Lock _gate = new();
    private bool _fails;

    /// <summary>What went over the line, and when.</summary>
    public List<(TimeSpan At, long Bytes)> Seen { get; } = [];

    /// <summary>All of it.</summary>
    public long Moved { get; private set; }

    /// <summary>The next put sends its bytes and fails.</summary>
    public void FailOnce() => _fails = true;

    public override async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        StoreCall call = StoreCall.Current!;
        for (int sent = 0, bytes; sent < content.Length; sent += bytes)
        {
            bytes = Math.Min(content.Length - sent, call.PieceUp);
            await call.TakeUpAsync(bytes, cancellationToken);
            Note(bytes);
            call.Note(bytes);
        }

        if (_fails)
        {
            _fails = false;
            throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, "The line broke.");
        }

        return await base.PutIfAbsentAsync(name, content, cancellationToken);
    }

    public override async ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        StoreCall call = StoreCall.Current!;
        for (int taken = 0, bytes; taken < destination.Length; taken += bytes)
        {
            bytes = Math.Min(destination.Length - taken, call.PieceDown);
            Note(bytes);
            call.Note(bytes);
            await call.TakeDownAsync(bytes, cancellationToken);
        }

        return await base.GetRangeAsync(name, offset, destination, cancellationToken);
    }

    /// <summary>Fails unless each ten seconds, from the first byte to the last, had the rate within a fifth.</summary>
    public static void RequireRate(IReadOnlyCollection<(TimeSpan At, long Bytes)> seen, long rate)
    {
        TimeSpan window = TimeSpan.FromSeconds(10);
        TimeSpan end = seen.Max(static one => one.At);
        Assert.True(end > 3 * window, $"all went within {end}");
        long[] bytesIn = new long[(long)(end / Step) + 1];
        foreach ((TimeSpan at, long bytes) in seen)
        {
            bytesIn[(long)(at / Step)] += bytes;
        }

        int steps = (int)(window / Step);
        for (int from = 0; from + steps < bytesIn.Length; from++)
        {
            double measured = bytesIn.AsSpan(from, steps).ToArray().Sum() / window.TotalSeconds;
            Assert.True(measured >= rate * 0.8 && measured <= rate * 1.2, $"{measured:0} bytes a second from {from * Step} on, where the limit is {rate}");
        }
    }

    private void Note(int bytes)
    {
        lock (_gate)
        {
            Moved += bytes;
            Seen.Add((time.GetElapsedTime(_start), bytes));
        }
    }
}
