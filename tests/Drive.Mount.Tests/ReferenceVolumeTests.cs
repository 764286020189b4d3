using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Mount.Tests;

/// <summary>The reference keeps the contract that it stands for.</summary>
public sealed class ReferenceVolumeTests : VolumeContract
{
    protected override Task<IVolume> CreateAsync(TimeProvider time) => Task.FromResult<IVolume>(new ReferenceVolume(time));

    protected override Task<IVolume> ReopenReadOnlyAsync(IVolume volume)
    {
        ((ReferenceVolume)volume).IsReadOnly = true;
        return Task.FromResult(volume);
    }

    [Fact]
    public void A_full_volume_is_NoSpace_and_cutting_makes_room()
    {
        ReferenceVolume volume = new(Time, capacityBytes: 1 << 20);
        Assert.Equal(FsStatus.Ok, volume.Create(NodeId.Root, "f"u8, 0, OpenOptions.Write, Caller.Root, out NodeAttributes made, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, new byte[1 << 20], WriteOptions.None));
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, new byte[1 << 20], WriteOptions.None));
        Assert.Equal(FsStatus.NoSpace, volume.Write(handle, 1 << 20, new byte[1], WriteOptions.None));
        AttributeChange cut = new() { Fields = AttributeFields.Size, Size = 0 };
        Assert.Equal(FsStatus.Ok, volume.SetAttributes(made.Node, HandleId.None, cut, out _));
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 1 << 20, new byte[1], WriteOptions.None));
    }
}
