using Drive.Core.Volumes;
using Drive.Engine.Tests.Merging;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Model;
using Xunit.Abstractions;

namespace Drive.Engine.Tests.History;

/// <summary>Each state of random histories is shown bit for bit: while changes wait, after restarts, by another device, and from a database that was built anew.</summary>
public sealed class PastVolumeTests(ITestOutputHelper output)
{
    private const int Operations = 110;
    private const int SeedsOfCase = 25;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public Task Each_moment_of_random_histories_is_shown_as_it_was(int part) => Seeds.RunAsync(output, part * SeedsOfCase, SeedsOfCase, RunAsync);

    [Fact]
    public Task So_is_each_moment_of_a_history_that_nobody_chose() => Seeds.RunSomeAsync(output, 1, RunAsync);

    private static async Task RunAsync(int seed)
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        VolumeSettings settings = fixture.Settings() with { SaveInterval = TimeSpan.FromDays(1), UploadRest = TimeSpan.FromDays(1), UploadDeadline = TimeSpan.FromDays(1), NodesCachedMax = 64 };
        Volume volume = await fixture.OpenAsync(settings);
        RecordedHistory history = new();
        Random random = new(seed);
        OperationRunner runner = new(volume);
        List<VolumeOperation> operations = VolumeOperations.Generate(seed, Operations);
        for (int step = 0; step < operations.Count; step++)
        {
            await runner.RunAsync(operations[step]);
            switch (random.Next(40))
            {
                case 0 or 1:
                    await volume.WaitAsync();
                    await history.NoteAsync(volume);
                    break;
                case 2:
                    await volume.FsyncAsync(HandleId.None, false, CancellationToken.None);
                    break;
                case 3 when step % 3 == 0:
                    runner.CloseSlots();
                    await volume.DisposeAsync();
                    volume = await fixture.OpenAsync(settings);
                    runner = new OperationRunner(volume);
                    break;
            }
        }

        // Some of it saved and not sent, some in memory only.
        await history.CompareAsync(volume.OpenPast, $"Seed {seed}, with changes of its own");
        runner.CloseSlots();
        await volume.DisposeAsync();
        await using (Volume again = await fixture.OpenAsync(settings))
        {
            await history.CompareAsync(again.OpenPast, $"Seed {seed}, after a restart");
            await again.WaitAsync();
            await history.NoteAsync(again);
        }

        await using MemoryStore copy = await ((MemoryStore)fixture.Store).CloneAsync();
        await using Volume other = await fixture.RecoverAsync("other", copy);
        await history.CompareAsync(other.OpenPast, $"Seed {seed}, from the log");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task What_two_devices_did_at_once_is_shown_by_both(int seed)
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        RecordedHistory history = new();
        Random random = new(seed);
        OperationRunner first = new(devices.First.Volume);
        OperationRunner second = new(devices.Second.Volume);
        List<VolumeOperation> operations = VolumeOperations.Generate(seed, 160);
        for (int step = 0; step < operations.Count; step++)
        {
            await (random.Next(2) == 0 ? first : second).RunAsync(operations[step]);
            if (step % 40 == 39)
            {
                await devices.MeetAsync(isBlind: random.Next(2) == 0);
                await history.NoteAsync(devices.First.Volume);
            }
        }

        // The operations after the last meeting are nobody's yet.
        devices.First.Write("later", "than all");
        await history.CompareAsync(devices.First.Volume.OpenPast, $"Seed {seed}, the first device");
        await history.CompareAsync(devices.Second.Volume.OpenPast, $"Seed {seed}, the second device");
        first.CloseSlots();
        second.CloseSlots();
    }

    [Fact]
    public async Task A_file_that_is_read_in_the_past_stays_as_it_was_while_the_present_goes_on()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        byte[] old = VolumeFiles.Bytes(1, 3_000_000);
        NodeId file = volume.WriteFile(NodeId.Root, "film", old);
        await volume.WaitAsync();
        IVolume past = volume.OpenPast(volume.GetStatus().Seq);
        Assert.Equal(FsStatus.Ok, past.Open(file, OpenOptions.Read, out HandleId reading));
        byte[] buffer = new byte[100_000];
        using MemoryStream read = new();
        for (int part = 0; read.Length < old.Length; part++)
        {
            Assert.Equal(FsStatus.Ok, volume.Write(HandleId.Of(file), part * 100_000, VolumeFiles.Bytes(part, 150_000), WriteOptions.None));
            IoResult got = await past.ReadAsync(reading, read.Length, buffer, CancellationToken.None);
            Assert.Equal(FsStatus.Ok, got.Status);
            read.Write(buffer, 0, (int)got.Count);
            if (part % 10 == 0)
            {
                await volume.WaitAsync();
            }
        }

        Assert.Equal(FsStatus.Ok, volume.Unlink(NodeId.Root, "film"u8));
        await volume.WaitAsync();
        Assert.Equal(old, read.ToArray());
        Assert.Equal(old, await past.ReadFileAsync(past.Find(NodeId.Root, "film")));
    }

    [Fact]
    public async Task A_directory_of_ten_thousand_names_is_listed_once_each_though_it_changed_since()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        NodeId folder = volume.MakeDirectory(NodeId.Root, "many");
        string[] names = [.. Enumerable.Range(0, 10_000).Select(static number => $"file {number}")];
        foreach (string name in names)
        {
            volume.WriteFile(folder, name, [1]);
        }

        await volume.WaitAsync();
        IVolume past = volume.OpenPast(volume.GetStatus().Seq);
        foreach (string name in names.Where(static (_, index) => index % 3 > 0))
        {
            Assert.Equal(FsStatus.Ok, volume.Unlink(folder, System.Text.Encoding.UTF8.GetBytes(name)));
        }

        volume.WriteFile(folder, "new", [1]);
        await volume.WaitAsync();
        List<string> listed = [];
        Assert.Equal(FsStatus.Ok, past.OpenDirectory(folder, out HandleId handle));
        DirectoryCollector part = new(97);
        do
        {
            part.Clear();
            Assert.Equal(FsStatus.Ok, past.ReadDirectory(handle, part.NextCookie, part));
            listed.AddRange(part.Names);
        }
        while (part.Entries.Count > 0);
        Assert.Equal(names.Order(StringComparer.Ordinal), listed.Where(static name => name is not ("." or "..")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Everything_that_would_change_the_past_is_refused()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        NodeId file = volume.WriteFile(NodeId.Root, "f", [1, 2, 3]);
        NodeId folder = volume.MakeDirectory(NodeId.Root, "d");
        await volume.WaitAsync();
        IVolume past = volume.OpenPast(volume.GetStatus().Seq);
        Assert.True(past.IsReadOnly);
        Assert.Equal(FsStatus.ReadOnly, past.MakeNode(folder, "n"u8, FileMode.Regular, 0, Caller.Root, out _));
        Assert.Equal(FsStatus.Exists, past.MakeDirectory(NodeId.Root, "d"u8, 0x1FF, Caller.Root, out _));
        Assert.Equal(FsStatus.NotDirectory, past.MakeDirectory(file, "d"u8, 0x1FF, Caller.Root, out _));
        Assert.Equal(FsStatus.ReadOnly, past.Create(folder, "n"u8, 0x1B4, OpenOptions.Write, Caller.Root, out _, out _));
        Assert.Equal(FsStatus.ReadOnly, past.Create(NodeId.Root, "f"u8, 0x1B4, OpenOptions.Write, Caller.Root, out _, out _));
        Assert.Equal(FsStatus.ReadOnly, past.CreateUnnamed(folder, 0x1B4, OpenOptions.Write, Caller.Root, out _, out _));
        Assert.Equal(FsStatus.ReadOnly, past.Link(file, folder, "n"u8, out _));
        Assert.Equal(FsStatus.ReadOnly, past.Unlink(NodeId.Root, "f"u8));
        Assert.Equal(FsStatus.ReadOnly, past.RemoveDirectory(NodeId.Root, "d"u8));
        Assert.Equal(FsStatus.ReadOnly, past.Rename(NodeId.Root, "f"u8, folder, "f"u8, RenameOptions.None));
        Assert.Equal(FsStatus.ReadOnly, past.Open(file, OpenOptions.Write, out _));
        Assert.Equal(FsStatus.ReadOnly, past.Write(HandleId.Of(file), 0, [9], WriteOptions.None));
        Assert.Equal(FsStatus.ReadOnly, past.SetAttributes(file, HandleId.None, new AttributeChange { Fields = AttributeFields.Mode }, out _));
        Assert.Equal(FsStatus.ReadOnly, past.SetExtendedAttribute(file, "user.x"u8, [1], AttributeSetOptions.None));
        Assert.Equal(FsStatus.NoAttribute, past.GetExtendedAttribute(file, "user.x"u8, [], out _));
        Assert.Equal([1, 2, 3], await past.ReadFileAsync(file));
    }
}
