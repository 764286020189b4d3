using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Stores.Folder;
using Drive.Testing.Disk;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.Folder;

public sealed class FolderStoreOnLocalDiskTests : ObjectStoreContract
{
    private readonly string _path = System.IO.Directory.CreateTempSubdirectory("drive-store-").FullName;

    protected override ValueTask<IObjectStore> OpenAsync() =>
        ValueTask.FromResult<IObjectStore>(FolderStore.Open(new LocalDisk(), _path, create: true, SystemRandomSource.Instance));

    protected override ValueTask CleanAsync()
    {
        System.IO.Directory.Delete(_path, recursive: true);
        return ValueTask.CompletedTask;
    }
}

public sealed class FolderStoreOnMemoryDiskTests : ObjectStoreContract
{
    protected override ValueTask<IObjectStore> OpenAsync() =>
        ValueTask.FromResult<IObjectStore>(FolderStore.Open(new MemoryDisk(), "/mnt/vault", create: true, SystemRandomSource.Instance));
}
