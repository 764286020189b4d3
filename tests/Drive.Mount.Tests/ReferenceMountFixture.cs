using Drive.Core.Volumes;
using Drive.Fuse;
using Drive.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Mount.Tests;

/// <summary>A volume behind the real kernel; how the volume comes about is said by who inherits it.</summary>
public abstract class FuseMountFixture : MountFixture
{
    private FuseSession? _session;
    private IVolume? _volume;

    public sealed override async Task InitializeAsync()
    {
        Root = MakeTemporary("mount");
        _volume = await CreateVolumeAsync();
        FuseMountOptions options = new() { MountPoint = Root, AllowOther = true, Options = ["suid", "dev"] };
        _session = await FuseSession.MountAsync(options, _volume, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
    }

    public sealed override async Task DisposeAsync()
    {
        if (_session is not null)
        {
            await _session.DisposeAsync();
        }

        if (_volume is not null)
        {
            await _volume.DisposeAsync();
        }

        Directory.Delete(Root);
        await RemoveAsync();
    }

    /// <summary>Takes away what <see cref="CreateVolumeAsync"/> left on the disk.</summary>
    protected virtual Task RemoveAsync() => Task.CompletedTask;

    protected abstract Task<IVolume> CreateVolumeAsync();
}

/// <summary>The reference volume, mounted.</summary>
public sealed class ReferenceMountFixture : FuseMountFixture
{
    protected override Task<IVolume> CreateVolumeAsync() => Task.FromResult<IVolume>(new ReferenceVolume(TimeProvider.System));
}
