using Drive.Testing.Stores;

namespace Drive.Stores.Tests.S3;

[CollectionDefinition(Name)]
public sealed class CephCollection : ICollectionFixture<CephGateway>
{
    public const string Name = "Ceph";
}
