using System.Buffers;
using Drive.Cache.Blocks;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Vault;

namespace Drive.Engine.Reading;

/// <summary>
/// Sealed bytes of packs from a store that is far away, into the block cache. What several want at once is fetched once; what will be wanted soon is fetched ahead,
/// from a budget of bytes under way that all readers share in equal parts. A fetch goes on when the reader that began it stops waiting: its bytes are in the cache then.
/// </summary>
/// <remarks>What a reader asks for is never held back by the budget. A fetch ahead that fails is forgotten: who needs the bytes asks again, and hears why.</remarks>
internal sealed class PackFetcher(IObjectStore store, BlockCache cache, RateMeter meter, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Bytes under way ahead of readers, for all of them: a fifth of a second of a link of 1 Gbit/s.</summary>
    public const int BudgetBytes = 24 << 20;

    /// <summary>About the bytes of one request ahead: several fill a link, and a reader waits for one of them only.</summary>
    private const int RequestBytes = 2 << 20;

    /// <summary>A small read's neighbours up to this size come with it in one request: that takes less than a second request costs.</summary>
    private const int PieceInOneBytes = 512 << 10;

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();

    // All guarded by _gate.
    private readonly List<Flight> _flights = [];
    private readonly Dictionary<object, long> _aheadBytes = [];
    private readonly PackNeighbours _neighbours = new(time);
    private long _aheadTotal;

    /// <summary>Fills the destination from a pack. Throws <see cref="FsException"/> (the store does not have it), <see cref="StoreException"/>.</summary>
    /// <param name="pack">The pack.</param>
    /// <param name="start">Where in it.</param>
    /// <param name="destination">The bytes, sealed and not proven.</param>
    /// <param name="isSmall">Part of a small file: its neighbours in the pack are fetched too.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask ReadAsync(PackId pack, long start, Memory<byte> destination, bool isSmall, CancellationToken cancellationToken)
    {
        RangeList left = new();
        left.Add(start, start + destination.Length);
        List<Flight> flights = BeginDemand(pack, left.Ranges[0], isSmall);
        try
        {
            foreach (Flight flight in flights)
            {
                await flight.Landed.WaitAsync(cancellationToken);
                ByteRange part = new(Math.Max(flight.Range.Start, start), Math.Min(flight.Range.End, start + destination.Length));
                flight.Copy(part, Part(part));
                left.Remove(part.Start, part.End);
            }
        }
        finally
        {
            flights.ForEach(static flight => flight.Release());
        }

        // The rest was in the cache a moment ago, and is almost always still there.
        foreach (ByteRange part in left.Ranges)
        {
            if (!cache.TryRead(pack, part.Start, Part(part).Span))
            {
                await ReadAsync(pack, part.Start, Part(part), isSmall: false, cancellationToken);
            }
        }

        Memory<byte> Part(ByteRange part) => destination.Slice((int)(part.Start - start), (int)part.Length);
    }

    /// <summary>What a stream may have under way ahead of it now.</summary>
    public long ShareOf(object stream)
    {
        lock (_gate)
        {
            return BudgetBytes / Math.Max(1, _aheadBytes.Count + (_aheadBytes.ContainsKey(stream) ? 0 : 1));
        }
    }

    /// <summary>Fetches ranges of packs that will be wanted soon, as far as they are not here and the budget goes; false when it did not go so far.</summary>
    public bool FetchAhead(object stream, IReadOnlyList<(PackId Pack, ByteRange Range)> ranges)
    {
        foreach ((PackId pack, ByteRange range) in ranges)
        {
            foreach (ByteRange request in Requests(range))
            {
                List<Flight> flights;
                lock (_gate)
                {
                    if (_aheadTotal + request.Length > BudgetBytes)
                    {
                        return false;
                    }

                    flights = [.. Gaps(pack, request).Select(gap => Add(pack, gap, stream))];
                }

                flights.ForEach(flight => _ = RunAsync(flight));
            }
        }

        return true;
    }

    /// <summary>Ends what is under way, and waits for it: store and cache may go then.</summary>
    public async ValueTask DisposeAsync()
    {
        _closing.Cancel();
        Task[] landed;
        lock (_gate)
        {
            landed = [.. _flights.Select(static flight => flight.Landed)];
        }

        await Task.WhenAll(landed).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    /// <summary>A range in equal parts of about the size of a request: sealed bytes are a little more than plain ones, and the little more is no request of its own.</summary>
    internal static IEnumerable<ByteRange> Requests(ByteRange range)
    {
        long count = Math.Max(1, (range.Length + (RequestBytes / 2)) / RequestBytes);
        for (long number = 0; number < count; number++)
        {
            yield return new ByteRange(range.Start + (range.Length * number / count), range.Start + (range.Length * (number + 1) / count));
        }
    }

    /// <summary>Begins what is missing of a range and returns all that is under way for it, retained.</summary>
    private List<Flight> BeginDemand(PackId pack, ByteRange wanted, bool isSmall)
    {
        List<Flight> begun = [];
        List<Flight> all;
        lock (_gate)
        {
            if (Gaps(pack, wanted) is { Count: > 0 } gaps)
            {
                ByteRange piece = isSmall ? _neighbours.Around(pack, wanted.Start) : wanted;
                if (piece.Length <= PieceInOneBytes)
                {
                    gaps = Gaps(pack, new ByteRange(Math.Min(piece.Start, wanted.Start), Math.Max(piece.End, wanted.End)));
                }

                begun.AddRange(gaps.Select(gap => Add(pack, gap, stream: null)));
                if (piece.Length > PieceInOneBytes && _aheadTotal + piece.Length <= BudgetBytes)
                {
                    begun.AddRange(Gaps(pack, piece).Select(gap => Add(pack, gap, _neighbours)));
                }
            }

            all = [.. _flights.Where(flight => flight.Pack == pack && flight.Range.Start < wanted.End && flight.Range.End > wanted.Start)];
            all.ForEach(static flight => flight.Retain());
        }

        begun.ForEach(flight => _ = RunAsync(flight));
        return all;
    }

    /// <summary>Parts of a range that are not in the cache, and that nothing under way brings.</summary>
    private List<ByteRange> Gaps(PackId pack, ByteRange range)
    {
        RangeList gaps = new();
        foreach ((long start, long end) in cache.FindMissing(pack, range.Start, range.Length))
        {
            gaps.Add(start, end);
        }

        foreach (Flight flight in _flights)
        {
            if (flight.Pack == pack)
            {
                gaps.Remove(flight.Range.Start, flight.Range.End);
            }
        }

        return [.. gaps.Ranges];
    }

    private Flight Add(PackId pack, ByteRange range, object? stream)
    {
        Flight flight = new(pack, range, stream);
        _flights.Add(flight);
        if (stream is not null)
        {
            _aheadTotal += range.Length;
            _aheadBytes[stream] = _aheadBytes.GetValueOrDefault(stream) + range.Length;
        }

        return flight;
    }

    private async Task RunAsync(Flight flight)
    {
        try
        {
            int? read = await store.GetRangeAsync(VaultNames.Pack(flight.Pack), flight.Range.Start, flight.Buffer, _closing.Token);
            meter.Add(read ?? 0);
            if (read > 0)
            {
                cache.Write(flight.Pack, flight.Range.Start, flight.Buffer.Span[..read.Value]);
            }

            Remove(flight);
            flight.Land(read);
        }
        catch (Exception error)
        {
            Remove(flight);
            flight.Fail(error);
        }
        finally
        {
            flight.Release();
        }
    }

    private void Remove(Flight flight)
    {
        lock (_gate)
        {
            _flights.Remove(flight);
            if (flight.Stream is { } stream)
            {
                _aheadTotal -= flight.Range.Length;
                long left = _aheadBytes[stream] - flight.Range.Length;
                if (left > 0)
                {
                    _aheadBytes[stream] = left;
                }
                else
                {
                    _aheadBytes.Remove(stream);
                }
            }
        }
    }

    /// <summary>One request under way. Its buffer lives until the request and all who wait for it are done.</summary>
    private sealed class Flight(PackId pack, ByteRange range, object? stream)
    {
        private readonly TaskCompletionSource<int?> _landed = new();
        private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent((int)range.Length);
        private int _users = 1;

        public PackId Pack => pack;

        public ByteRange Range => range;

        public object? Stream => stream;

        public Memory<byte> Buffer => _buffer.AsMemory(0, (int)range.Length);

        public Task Landed => _landed.Task;

        public void Retain() => Interlocked.Increment(ref _users);

        public void Release()
        {
            if (Interlocked.Decrement(ref _users) == 0)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
            }
        }

        public void Land(int? read) => _landed.SetResult(read);

        public void Fail(Exception error)
        {
            _landed.SetException(error);

            // A fetch ahead has nobody who waits.
            _ = _landed.Task.Exception;
        }

        /// <summary>Hands out part of what came, or says what the store did.</summary>
        public void Copy(ByteRange part, Memory<byte> destination)
        {
            BlockReader.RequireAll(pack, _landed.Task.Result, (int)(part.End - range.Start));
            Buffer.Slice((int)(part.Start - range.Start), (int)part.Length).CopyTo(destination);
        }
    }
}
