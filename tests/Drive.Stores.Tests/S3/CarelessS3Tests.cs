using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.S3;

/// <summary>Real S3 servers that ignore conditions are found out. With Ceph's tests, since the credentials belong to the process.</summary>
[Collection(CephCollection.Name)]
public sealed class CarelessS3Tests
{
    [NeedsServerFact("s3rver")]
    public Task S3rver_is_class_c() => IsRefusedAsync("s3rver");

    [NeedsServerFact("fauxqs")]
    public Task Fauxqs_is_class_c() => IsRefusedAsync("fauxqs");

    private static async Task IsRefusedAsync(string program)
    {
        await using CarelessS3 server = await CarelessS3.StartAsync(program);
        await using IObjectStore store = StorePlace.Parse(server.Url).Open(create: true, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance);
        ProbeResult result = await new StoreProbe([store], ProbeSize.Quick, SystemRandomSource.Instance).RunAsync(CancellationToken.None);
        Assert.Equal(StoreClass.C, result.Class);
        Assert.Contains(ProbeFinding.IgnoresTheCondition, result.Findings.Keys);
        Assert.Contains(ProbeFinding.LetsSeveralWin, result.Findings.Keys);
    }
}
