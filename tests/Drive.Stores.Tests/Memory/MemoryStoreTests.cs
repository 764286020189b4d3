using Drive.Core.Stores;
using Drive.Stores.Memory;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.Memory;

public sealed class MemoryStoreTests : ObjectStoreContract
{
    protected override ValueTask<IObjectStore> OpenAsync() => ValueTask.FromResult<IObjectStore>(new MemoryStore());
}
