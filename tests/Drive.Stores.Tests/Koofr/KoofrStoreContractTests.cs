using Drive.Core.Stores;
using Drive.Stores.Koofr;
using Drive.Testing;
using Drive.Testing.Koofr;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.Koofr;

public sealed class KoofrStoreContractTests : ObjectStoreContract
{
    private KoofrServer? _server;

    protected override async ValueTask<IObjectStore> OpenAsync()
    {
        _server = await KoofrServer.StartAsync();
        KoofrPlace place = (KoofrPlace)StorePlace.Parse(_server.NewFolder());
        return place.Open(place.User, KoofrServer.Password, create: true, TimeProvider.System, new SeededRandom(1));
    }

    protected override ValueTask CleanAsync() => _server!.DisposeAsync();
}
