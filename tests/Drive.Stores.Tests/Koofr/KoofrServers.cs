using Drive.Core.Stores;
using Drive.Stores.Koofr;
using Drive.Testing;
using Drive.Testing.Koofr;

namespace Drive.Stores.Tests.Koofr;

/// <summary>A fake server of its own for each test, and stores on it.</summary>
public abstract class KoofrServers : IAsyncLifetime
{
    private KoofrServer? _server;
    private int _opened;

    protected static CancellationToken None => CancellationToken.None;

    protected static ObjectName Name { get; } = new("packs/ab/one");

    protected static byte[] Object { get; } = [.. Enumerable.Range(0, 100).Select(static value => (byte)value)];

    protected KoofrServer Server => _server!;

    public async Task InitializeAsync() => _server = await KoofrServer.StartAsync();

    public async Task DisposeAsync() => await Server.DisposeAsync();

    /// <summary>A store of one connection of its own.</summary>
    internal KoofrStore Open(string url, string? password = KoofrServer.Password, bool create = true, TimeProvider? time = null)
    {
        KoofrPlace place = (KoofrPlace)StorePlace.Parse(url);
        return (KoofrStore)place.Open(place.User, password, create, time ?? TimeProvider.System, new SeededRandom(Interlocked.Increment(ref _opened)));
    }

    /// <summary>A new store with <see cref="Object"/> in it.</summary>
    internal async Task<KoofrStore> OpenFilledAsync(TimeProvider? time = null)
    {
        KoofrStore store = Open(Server.NewFolder(), time: time);
        Assert.True(await store.PutIfAbsentAsync(Name, Object, None));
        return store;
    }

    protected static async Task<StoreException> FailsAsync(StoreErrorKind kind, bool isTransient, Func<Task> call)
    {
        StoreException failure = await Assert.ThrowsAsync<StoreException>(call);
        Assert.True((kind, isTransient) == (failure.Kind, failure.IsTransient), $"{failure.Kind} {failure.IsTransient}: {failure.Message}");
        Assert.DoesNotContain('\n', failure.Message);
        Assert.DoesNotContain(KoofrServer.Password, failure.Message, StringComparison.Ordinal);
        return failure;
    }
}
