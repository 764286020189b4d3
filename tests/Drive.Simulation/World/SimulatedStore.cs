using System.Runtime.CompilerServices;
using Drive.Core.Stores;

namespace Drive.Simulation.World;

/// <summary>How a store and the way to it behave. Chances are in percent of calls.</summary>
internal sealed record Weather
{
    public static Weather Fair { get; } = new();

    /// <summary>No call arrives.</summary>
    public bool IsAway { get; init; }

    /// <summary>Fails before the store did anything …</summary>
    public int RefusedPercent { get; init; }

    /// <summary>… or after it did everything …</summary>
    public int ReplyLostPercent { get; init; }

    /// <summary>… or is told as failed, and a put arrives later all the same.</summary>
    public int LatePutPercent { get; init; }

    /// <summary>A put is done once more, later.</summary>
    public int TwicePercent { get; init; }

    public int SlowPercent { get; init; }

    public TimeSpan SlowMax { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>One of the ways in which it is bad.</summary>
    public static Weather Foul(Random random) => random.Next(5) switch
    {
        0 => new Weather { IsAway = true },
        1 => new Weather { SlowPercent = 60 },
        2 => new Weather { ReplyLostPercent = 40, LatePutPercent = 20 },
        3 => new Weather { RefusedPercent = 50, SlowPercent = 20 },
        _ => new Weather { RefusedPercent = 10, ReplyLostPercent = 15, LatePutPercent = 15, TwicePercent = 20, SlowPercent = 20 },
    };
}

/// <summary>The objects of a store, and puts that are still on their way. They outlive every device.</summary>
internal sealed class StoreContent
{
    private readonly SortedDictionary<string, ReadOnlyMemory<byte>> _objects = new(StringComparer.Ordinal);
    private readonly List<(string Name, ReadOnlyMemory<byte> Content)> _onTheirWay = [];

    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Objects => _objects;

    public bool Put(string name, ReadOnlyMemory<byte> content) => _objects.TryAdd(name, content);

    public void Remove(string name) => _objects.Remove(name);

    public void SendLate(string name, ReadOnlyMemory<byte> content) => _onTheirWay.Add((name, content));

    /// <summary>Puts that were on their way arrive, each or not, in any order.</summary>
    public void Deliver(Random random, bool all)
    {
        while (_onTheirWay.Count > 0)
        {
            int index = random.Next(_onTheirWay.Count);
            (string name, ReadOnlyMemory<byte> content) = _onTheirWay[index];
            _onTheirWay.RemoveAt(index);
            if (all || random.Next(2) == 0)
            {
                Put(name, content);
            }
        }
    }

    /// <summary>One of the puts that are on their way arrives.</summary>
    public void DeliverOne(Random random)
    {
        if (_onTheirWay.Count > 0)
        {
            int index = random.Next(_onTheirWay.Count);
            Put(_onTheirWay[index].Name, _onTheirWay[index].Content);
            _onTheirWay.RemoveAt(index);
        }
    }

    public StoreContent Clone()
    {
        StoreContent copy = new();
        foreach ((string name, ReadOnlyMemory<byte> content) in _objects)
        {
            copy._objects.Add(name, content);
        }

        copy._onTheirWay.AddRange(_onTheirWay);
        return copy;
    }
}

/// <summary>One process's way to a store. When the process dies, nothing more goes through; a put under way may arrive or not.</summary>
internal sealed class SimulatedStore(StoreContent content, TimeProvider time, Random random, Trace trace) : IObjectStore
{
    private readonly Dictionary<string, int> _numbers = [];
    private bool _isCut;

    public Weather Weather { get; set; } = Weather.Fair;

    public StoreDescription Description { get; } = new("simulated:", IsLocal: false);

    /// <summary>The process is gone.</summary>
    public void Cut() => _isCut = true;

    public async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content1, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> copy = content1.ToArray();
        bool made = await CallAsync("put", name.Value, copy, () => content.Put(name.Value, copy), cancellationToken);
        trace.Add(made ? "made" : "taken", copy.Length);
        return made;
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => CallAsync(
        "get",
        name.Value,
        null,
        () => !content.Objects.TryGetValue(name.Value, out ReadOnlyMemory<byte> found) ? null
            : found.Length > bytesMax ? throw new StoreException(StoreErrorKind.TooLarge, isTransient: false, $"{name} is too large") : found.ToArray(),
        cancellationToken);

    public async ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) => await CallAsync<int?>(
        "range",
        name.Value,
        null,
        () =>
        {
            if (!content.Objects.TryGetValue(name.Value, out ReadOnlyMemory<byte> found))
            {
                return null;
            }

            int count = (int)Math.Clamp(found.Length - offset, 0, destination.Length);
            found.Slice((int)Math.Min(offset, found.Length), count).CopyTo(destination);
            return count;
        },
        cancellationToken);

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => CallAsync<long?>(
        "length", name.Value, null, () => content.Objects.TryGetValue(name.Value, out ReadOnlyMemory<byte> found) ? found.Length : null, cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => CallAsync(
        "delete",
        name.Value,
        null,
        () =>
        {
            content.Remove(name.Value);
            return true;
        },
        cancellationToken);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectInfo[] found = await CallAsync<ObjectInfo[]>(
            "list",
            prefix,
            null,
            () => [.. content.Objects.Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(item => new ObjectInfo(new ObjectName(item.Key), item.Value.Length))],
            cancellationToken);
        foreach (ObjectInfo info in found)
        {
            yield return info;
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => CallAsync<StoreSpace?>("space", "", null, () => null, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<T> CallAsync<T>(string kind, string name, ReadOnlyMemory<byte>? put, Func<T> call, CancellationToken cancellationToken)
    {
        trace.Add(kind, Number(name));
        if (_isCut)
        {
            throw Unreachable();
        }

        Weather weather = Weather;
        if (Happens(weather.SlowPercent))
        {
            try
            {
                await DelayAsync(weather.SlowMax * random.NextDouble(), cancellationToken);
            }
            catch (OperationCanceledException) when (put is { } undecided && random.Next(2) == 0)
            {
                content.SendLate(name, undecided);
                throw;
            }
        }

        if (_isCut)
        {
            // It was on its way when the process died.
            if (put is { } lost && random.Next(2) == 0)
            {
                content.Put(name, lost);
            }

            throw Unreachable();
        }

        if (Weather.IsAway || Happens(weather.RefusedPercent))
        {
            throw Unreachable();
        }

        if (put is { } late && Happens(weather.LatePutPercent))
        {
            content.SendLate(name, late);
            throw Unreachable();
        }

        if (put is { } again && Happens(weather.TwicePercent))
        {
            content.SendLate(name, again);
        }

        T result = call();
        return Happens(weather.ReplyLostPercent) ? throw Unreachable() : result;
    }

    private bool Happens(int percent) => percent > 0 && random.Next(100) < percent;

    private StoreException Unreachable()
    {
        trace.Add("unreachable");
        return new StoreException(StoreErrorKind.Unreachable, isTransient: true, "No answer (simulated)");
    }

    private async Task DelayAsync(TimeSpan by, CancellationToken cancellationToken)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ITimer timer = time.CreateTimer(_ => done.TrySetResult(), null, by, Timeout.InfiniteTimeSpan);
        using CancellationTokenRegistration cancelled = cancellationToken.UnsafeRegister(_ => done.TrySetResult(), null);
        await done.Task;
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Names as numbers in the order they come up: those of slots and devices come from keys.</summary>
    private int Number(string name)
    {
        if (!_numbers.TryGetValue(name, out int number))
        {
            _numbers.Add(name, number = _numbers.Count);
        }

        return number;
    }
}
