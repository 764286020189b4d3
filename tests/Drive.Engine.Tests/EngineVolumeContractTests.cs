using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Engine.Tests;

/// <summary>The engine keeps the contract of every volume.</summary>
public sealed class EngineVolumeContractTests : VolumeContract, IAsyncLifetime
{
    private EngineFixture? _fixture;

    protected override async Task<IVolume> CreateAsync(TimeProvider time)
    {
        _fixture = await EngineFixture.CreateAsync();
        _fixture.Time = time;
        return await _fixture.OpenAsync();
    }

    protected override async Task<IVolume> ReopenReadOnlyAsync(IVolume volume)
    {
        await volume.DisposeAsync();
        return await _fixture!.OpenAsync(_fixture.Settings() with { ReadOnly = true });
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeAsync();
        await _fixture!.DisposeAsync();
    }
}
