using System.Text;
using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Testing;
using Drive.Vault.Keys;

namespace Drive.Engine.Tests;

/// <summary>What is there after stops, restarts, uploads and the loss of a machine.</summary>
public sealed class LifetimeTests
{
    [Fact]
    public async Task What_was_written_is_there_after_a_restart()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        byte[] content = VolumeFiles.Bytes(1, 3_500_000);
        await using (Volume volume = await fixture.OpenAsync())
        {
            NodeId directory = volume.MakeDirectory(NodeId.Root, "d");
            volume.WriteFile(directory, "f", content);
        }

        await using Volume again = await fixture.OpenAsync();
        Assert.Equal(content, await again.ReadFileAsync(again.Find(again.Find(NodeId.Root, "d"), "f")));
    }

    [Fact]
    public async Task A_note_of_access_is_there_after_a_restart_though_nothing_else_changed()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        ManualTime time = new();
        fixture.Time = time;
        await using (Volume volume = await fixture.OpenAsync())
        {
            volume.WriteFile(NodeId.Root, "f", [1]);
        }

        time.Advance(TimeSpan.FromHours(1));
        NodeAttributes noted;
        await using (Volume volume = await fixture.OpenAsync())
        {
            NodeId node = volume.Find(NodeId.Root, "f");
            Assert.Equal([1], await volume.ReadFileAsync(node));
            volume.GetAttributes(node, out noted);
            Assert.True(noted.AccessTime > noted.ModifyTime);
        }

        await using Volume again = await fixture.OpenAsync();
        again.GetAttributes(again.Find(NodeId.Root, "f"), out NodeAttributes found);
        Assert.Equal(noted.AccessTime, found.AccessTime);
    }

    [Fact]
    public async Task What_was_uploaded_is_read_from_the_store()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        byte[] content = VolumeFiles.Bytes(2, 2_500_000);
        await using Volume volume = await fixture.OpenAsync();
        NodeId node = volume.WriteFile(NodeId.Root, "f", content);
        await volume.WaitAsync();
        VolumeStatus status = volume.GetStatus();
        Assert.Equal(0, status.LocalOnly.Files + status.LocalOnly.Bytes + status.Uploading.Files);
        Assert.Equal(new Amount(1, content.Length), status.InCloud);
        Assert.Equal(FileState.InCloud, volume.GetFileState(node));
        Assert.Equal(content, await volume.ReadFileAsync(node));
    }

    [Fact]
    public async Task A_machine_that_lost_everything_recovers_what_was_uploaded()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        byte[] content = VolumeFiles.Bytes(3, 1_234_567);
        byte[] edit = VolumeFiles.Bytes(4, 10);
        await using (Volume volume = await fixture.OpenAsync())
        {
            NodeId directory = volume.MakeDirectory(NodeId.Root, "d");
            NodeId node = volume.WriteFile(directory, "f", content);
            volume.MakeSymbolicLink(directory, "link"u8, "f"u8, Caller.Root, out _);
            volume.SetExtendedAttribute(node, "user.x"u8, "y"u8, AttributeSetOptions.None);
            volume.Link(node, NodeId.Root, "hard"u8, out _);
            await volume.WaitAsync();
            Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write, out HandleId handle));
            volume.Write(handle, 1_100_000, edit, WriteOptions.None);
            volume.Close(handle);
            volume.MakeDirectory(directory, "inner");
            await volume.WaitAsync();
        }

        edit.CopyTo(content.AsSpan(1_100_000));
        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            fixture.Store, fixture.RecoveryKey, "second", null, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        await using Volume second = await fixture.OpenAsync(fixture.Settings("second"), recovered.Keys.Export());
        NodeId found = second.Find(NodeId.Root, "d");
        NodeId file = second.Find(found, "f");
        Assert.Equal(content, await second.ReadFileAsync(file));
        Assert.Equal(file, second.Find(NodeId.Root, "hard"));
        second.GetAttributes(file, out NodeAttributes attributes);
        Assert.Equal((2u, (long)content.Length), (attributes.LinkCount, attributes.Size));
        second.GetAttributes(found, out NodeAttributes directoryAttributes);
        Assert.Equal(3u, directoryAttributes.LinkCount);
        byte[] buffer = new byte[10];
        Assert.Equal(FsStatus.Ok, second.GetExtendedAttribute(file, "user.x"u8, buffer, out int length));
        Assert.Equal("y", Encoding.ASCII.GetString(buffer, 0, length));
        Assert.Equal(FsStatus.Ok, second.ReadLink(second.Find(found, "link"), buffer, out length));
        Assert.Equal("f", Encoding.ASCII.GetString(buffer, 0, length));
    }

    [Fact]
    public async Task A_file_cut_and_written_while_its_upload_is_under_way_is_right_before_and_after()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        byte[] first = VolumeFiles.Bytes(5, 2_200_000);
        NodeId node = volume.WriteFile(NodeId.Root, "f", first);
        await volume.WaitAsync();
        for (int round = 0; round < 20; round++)
        {
            Task waiting = volume.WaitAsync();
            Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Read | OpenOptions.Write, out HandleId handle));
            AttributeChange cut = new() { Fields = AttributeFields.Size, Size = 1_000_000 + round };
            Assert.Equal(FsStatus.Ok, volume.SetAttributes(node, handle, cut, out _));
            byte[] tail = VolumeFiles.Bytes(round, 70_000);
            Assert.Equal(FsStatus.Ok, volume.Write(handle, 1_500_000, tail, WriteOptions.None));
            byte[] expected = new byte[1_570_000];
            first.AsSpan(0, 1_000_000).CopyTo(expected);
            if (round > 0)
            {
                first.AsSpan(0, 1_000_000).CopyTo(expected);
            }

            expected.AsSpan(1_000_000, round).Clear();
            if (round == 0)
            {
                first.AsSpan(1_000_000, 0).CopyTo(expected.AsSpan(1_000_000));
            }

            tail.CopyTo(expected.AsSpan(1_500_000));
            byte[] read = await volume.ReadHandleAsync(handle);
            Assert.Equal(expected.Length, read.Length);
            Assert.True(expected.AsSpan(1_000_020).SequenceEqual(read.AsSpan(1_000_020)), $"round {round}");
            Assert.True(expected.AsSpan(0, 1_000_000).SequenceEqual(read.AsSpan(0, 1_000_000)), $"round {round}");
            await waiting;
            await volume.WaitAsync();
            Assert.Equal(read, await volume.ReadHandleAsync(handle));
            volume.Close(handle);
        }
    }

    [Fact]
    public async Task An_unlinked_file_stays_readable_after_the_commit_that_removes_it()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        byte[] content = VolumeFiles.Bytes(6, 200_000);
        NodeId node = volume.WriteFile(NodeId.Root, "f", content);
        await volume.WaitAsync();
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Read, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.Unlink(NodeId.Root, "f"u8));
        await volume.WaitAsync();
        Assert.Equal(content, await volume.ReadHandleAsync(handle));
        volume.Close(handle);
        volume.Forget(node);
        Assert.Equal(FsStatus.NotFound, volume.GetAttributes(node, out _));
    }
}
