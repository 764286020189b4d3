using Drive.Core.Volumes;
using Drive.Engine.History;
using Drive.Testing;

namespace Drive.Engine.Tests.History;

/// <summary>A volume that shows its past keeps the contract of every volume.</summary>
public sealed class HistoryVolumeContractTests : VolumeContract, IAsyncLifetime
{
    private EngineFixture? _fixture;

    protected override async Task<IVolume> CreateAsync(TimeProvider time)
    {
        _fixture = await EngineFixture.CreateAsync();
        _fixture.Time = time;
        return new HistoryVolume(await _fixture.OpenAsync(), isListed: false);
    }

    protected override async Task<IVolume> ReopenReadOnlyAsync(IVolume volume)
    {
        await volume.DisposeAsync();
        return new HistoryVolume(await _fixture!.OpenAsync(_fixture.Settings() with { ReadOnly = true }), isListed: false);
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeAsync();
        await _fixture!.DisposeAsync();
    }
}
