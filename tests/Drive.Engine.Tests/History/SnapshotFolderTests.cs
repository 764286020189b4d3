using System.Globalization;
using System.Text;
using Drive.Core.History;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.History;
using Drive.Testing;
using Drive.Testing.Model;

namespace Drive.Engine.Tests.History;

/// <summary>The folder <c>.snapshots</c>: names, ids, what is refused, and what the kernel is told.</summary>
public sealed class SnapshotFolderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Each_state_of_a_random_history_is_a_folder(int seed)
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        Volume volume = await fixture.OpenAsync();
        await using HistoryVolume history = new(volume, isListed: false);
        RecordedHistory recorded = new();
        OperationRunner runner = new(history);
        List<VolumeOperation> operations = VolumeOperations.Generate(seed, 120);
        for (int step = 0; step < operations.Count; step++)
        {
            await runner.RunAsync(operations[step]);
            if (step % 20 == 19)
            {
                await volume.WaitAsync();
                await recorded.NoteAsync(volume);
            }
        }

        NodeId folder = history.Find(NodeId.Root, ".snapshots");
        HashSet<NodeId> tops = [];
        foreach (long seq in recorded.Seqs)
        {
            NodeId top = history.Find(folder, $"@{seq}");
            Assert.True(tops.Add(top));
            Assert.Equal(top, history.Find(folder, $"@{seq}"));
            await recorded.CompareBelowAsync(history, top, seq);
        }

        NodeId latest = history.Find(folder, "latest");
        Assert.True(tops.Add(latest));
        await recorded.CompareBelowAsync(history, latest, recorded.Seqs.Max());
        runner.CloseSlots();
    }

    [Fact]
    public async Task Names_are_snapshots_times_numbers_and_latest()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        ManualTime time = new();
        fixture.Time = time;
        Volume volume = await fixture.OpenAsync();
        await using HistoryVolume history = new(volume, isListed: false);
        volume.WriteFile(NodeId.Root, "one", [1]);
        await volume.WaitAsync(time);
        DateTimeOffset first = time.GetUtcNow();
        time.Advance(TimeSpan.FromHours(3));
        volume.WriteFile(NodeId.Root, "two", [2]);
        await volume.WaitAsync(time);
        await NameAsync(volume, time, "before the party");
        time.Advance(TimeSpan.FromHours(3));
        volume.WriteFile(NodeId.Root, "three", [3]);
        await volume.WaitAsync(time);

        NodeId folder = history.Find(NodeId.Root, ".snapshots");
        Assert.Equal(["one"], Names(history, history.Find(folder, Written(first.AddHours(1)))));
        Assert.Equal(["one", "two"], Names(history, history.Find(folder, Written(first.AddHours(4)))));
        Assert.Equal(["one", "two"], Names(history, history.Find(folder, "before the party")));
        Assert.Equal(["one", "three", "two"], Names(history, history.Find(folder, "latest")));
        Assert.Equal(["one", "three", "two"], Names(history, history.Find(folder, time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'Z'", CultureInfo.InvariantCulture).Replace("Z", "", StringComparison.Ordinal))));
        foreach (string absent in (string[])["2020-01-01", "2199-01-01", "@999999", "@0", "@x", "nonsense", "after the party"])
        {
            Assert.Equal(FsStatus.NotFound, history.Lookup(folder, Encoding.UTF8.GetBytes(absent), out _));
        }

        // Each listed name leads to a state, and only once.
        List<string> listed = Names(history, folder);
        Assert.Contains("latest", listed);
        Assert.Contains("before the party", listed);
        Assert.Equal(listed.Count, listed.Select(name => history.Find(folder, name)).Distinct().Count());
        Assert.InRange(listed.Count, 4, 8);
        Assert.DoesNotContain(".snapshots", Names(history, NodeId.Root));

        static string Written(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task The_root_lists_the_folder_when_asked_to()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        Volume volume = await fixture.OpenAsync();
        await using HistoryVolume history = new(volume, isListed: true);
        for (int number = 0; number < 300; number++)
        {
            volume.WriteFile(NodeId.Root, $"f{number}", [1]);
        }

        Assert.Equal(FsStatus.Ok, history.OpenDirectory(NodeId.Root, out HandleId handle));
        DirectoryCollector part = new(7);
        List<string> names = [];
        do
        {
            part.Clear();
            Assert.Equal(FsStatus.Ok, history.ReadDirectory(handle, part.NextCookie, part));
            names.AddRange(part.Names);
        }
        while (part.Entries.Count > 0);
        history.CloseDirectory(handle);
        Assert.Equal(303, names.Count);
        Assert.Single(names, ".snapshots");
    }

    [Fact]
    public async Task A_users_own_entry_of_that_name_stays_and_none_can_be_made()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        Volume volume = await fixture.OpenAsync();
        await using HistoryVolume history = new(volume, isListed: true);
        volume.WriteFile(NodeId.Root, "f", [1]);
        await volume.WaitAsync();
        Assert.Equal(FsStatus.Exists, history.MakeDirectory(NodeId.Root, ".snapshots"u8, 0x1FF, Caller.Root, out _));
        Assert.Equal(FsStatus.Exists, history.MakeNode(NodeId.Root, ".snapshots"u8, FileMode.Regular, 0, Caller.Root, out _));
        Assert.Equal(FsStatus.Busy, history.Rename(NodeId.Root, "f"u8, NodeId.Root, ".snapshots"u8, RenameOptions.None));
        Assert.Equal(FsStatus.Busy, history.RemoveDirectory(NodeId.Root, ".snapshots"u8));
        Assert.Equal(FsStatus.Busy, history.Rename(NodeId.Root, ".snapshots"u8, NodeId.Root, "g"u8, RenameOptions.None));

        // As it may come from another device, or from before.
        volume.WriteFile(volume.MakeDirectory(NodeId.Root, ".snapshots"), "mine", [7]);
        Assert.Equal(["mine"], Names(history, history.Find(NodeId.Root, ".snapshots")));
        Assert.Single(Names(history, NodeId.Root), ".snapshots");
        Assert.Equal(FsStatus.Ok, history.Rename(NodeId.Root, ".snapshots"u8, NodeId.Root, "kept"u8, RenameOptions.None));
        Assert.Contains("latest", Names(history, history.Find(NodeId.Root, ".snapshots")));
        Assert.Equal([7], await history.ReadFileAsync(history.Find(history.Find(NodeId.Root, "kept"), "mine")));
    }

    [Fact]
    public async Task The_past_refuses_changes_and_gives_its_content_without_copying()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        Volume volume = await fixture.OpenAsync();
        await using HistoryVolume history = new(volume, isListed: false);
        byte[] content = VolumeFiles.Bytes(5, 3_000_000);
        NodeId now = volume.WriteFile(NodeId.Root, "f", content);
        await volume.WaitAsync();
        long stored = await StoredAsync(fixture);
        NodeId folder = history.Find(NodeId.Root, ".snapshots");
        NodeId top = history.Find(folder, "latest");
        NodeId file = history.Find(top, "f");
        Assert.NotEqual(now, file);
        foreach (NodeId directory in (NodeId[])[folder, top])
        {
            Assert.Equal(FsStatus.ReadOnly, history.MakeDirectory(directory, "new"u8, 0x1FF, Caller.Root, out _));
            Assert.Equal(FsStatus.ReadOnly, history.Create(directory, "new"u8, 0x1B4, OpenOptions.Write, Caller.Root, out _, out _));
            Assert.Equal(FsStatus.ReadOnly, history.CreateUnnamed(directory, 0x1B4, OpenOptions.Write, Caller.Root, out _, out _));
            Assert.Equal(FsStatus.ReadOnly, history.Unlink(directory, "f"u8));
            Assert.Equal(FsStatus.ReadOnly, history.RemoveDirectory(directory, "f"u8));
            Assert.Equal(FsStatus.ReadOnly, history.Rename(directory, "f"u8, NodeId.Root, "g"u8, RenameOptions.None));
            Assert.Equal(FsStatus.ReadOnly, history.Rename(NodeId.Root, "f"u8, directory, "g"u8, RenameOptions.None));
            Assert.Equal(FsStatus.ReadOnly, history.SetAttributes(directory, HandleId.None, new AttributeChange { Fields = AttributeFields.Mode }, out _));
            Assert.Equal(FsStatus.ReadOnly, history.SetExtendedAttribute(directory, "user.x"u8, [1], AttributeSetOptions.None));
        }

        Assert.Equal(FsStatus.Exists, history.MakeDirectory(top, "f"u8, 0x1FF, Caller.Root, out _));
        Assert.Equal(FsStatus.ReadOnly, history.Write(HandleId.Of(file), 0, [1], WriteOptions.None));
        Assert.Equal(FsStatus.ReadOnly, history.Open(file, OpenOptions.Write, out _));
        Assert.Equal(FsStatus.ReadOnly, history.Allocate(HandleId.Of(file), 0, 10, AllocateOptions.None));
        Assert.Equal(FsStatus.CrossVolume, history.Link(file, NodeId.Root, "linked"u8, out _));
        Assert.Equal(FsStatus.ReadOnly, history.Link(now, top, "linked"u8, out _));
        Assert.Equal(FsStatus.ReadOnly, (await history.CopyRangeAsync(HandleId.Of(now), 0, HandleId.Of(file), 0, 10, CancellationToken.None)).Status);

        volume.WriteFile(NodeId.Root, "other", [0]);
        NodeId copy = volume.WriteFile(NodeId.Root, "copy", []);
        IoResult copied = await history.CopyRangeAsync(HandleId.Of(file), 0, HandleId.Of(copy), 0, content.Length, CancellationToken.None);
        Assert.Equal(IoResult.Done(content.Length), copied);
        await volume.WaitAsync();
        Assert.Equal(content, await history.ReadFileAsync(copy));
        Assert.InRange(await StoredAsync(fixture), stored, stored + 20_000);
    }

    [Fact]
    public async Task Whoever_caches_is_told_when_a_name_means_another_state()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        ManualTime time = new();
        fixture.Time = time;
        Volume volume = await fixture.OpenAsync();
        await using HistoryVolume history = new(volume, isListed: false);
        Told told = new();
        history.Observe(told);
        volume.WriteFile(NodeId.Root, "one", [1]);
        await volume.WaitAsync(time);
        NodeId folder = history.Find(NodeId.Root, ".snapshots");
        string today = MomentName.Format(time.GetUtcNow(), TimeZoneInfo.Utc)[..10];
        NodeId latest = history.Find(folder, "latest");
        NodeId day = history.Find(folder, today);
        string before = $"@{volume.GetStatus().Seq}";
        history.Find(folder, before);
        Assert.Equal(FsStatus.NotFound, history.Lookup(folder, "named"u8, out _));

        volume.WriteFile(NodeId.Root, "two", [2]);
        await volume.WaitAsync(time);
        await NameAsync(volume, time, "named");
        await UploadTests.EventuallyAsync(() => told.Names().Contains("named"), "the name is told");
        Assert.Superset(new HashSet<string>(["latest", today, "named"]), told.Names());
        Assert.DoesNotContain(before, told.Names());
        Assert.NotEqual(latest, history.Find(folder, "latest"));
        Assert.NotEqual(day, history.Find(folder, today));
        Assert.Equal(["one"], Names(history, latest));
        Assert.Equal(["one", "two"], Names(history, history.Find(folder, "named")));

        await volume.TimeMachine.DropAsync("named", CancellationToken.None).WaitPumpedAsync(time);
        await UploadTests.EventuallyAsync(() => history.Lookup(folder, "named"u8, out _) == FsStatus.NotFound, "the name is gone");
    }

    private static async Task<long> StoredAsync(EngineFixture fixture)
    {
        long bytes = 0;
        await foreach (ObjectInfo stored in fixture.Store.ListAsync("", CancellationToken.None))
        {
            bytes += stored.Length;
        }

        return bytes;
    }

    private static Task NameAsync(Volume volume, ManualTime time, string name) => volume.TimeMachine.NameAsync(name, CancellationToken.None).WaitPumpedAsync(time);

    private static List<string> Names(IVolume volume, NodeId directory)
    {
        DirectoryCollector entries = new();
        Assert.Equal(FsStatus.Ok, volume.OpenDirectory(directory, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.ReadDirectory(handle, 0, entries));
        volume.CloseDirectory(handle);
        return [.. entries.Names.Where(static name => name is not ("." or "..")).Order(StringComparer.Ordinal)];
    }

    private sealed class Told : IVolumeObserver
    {
        private readonly Lock _gate = new();
        private readonly HashSet<string> _names = [];

        public HashSet<string> Names()
        {
            lock (_gate)
            {
                return [.. _names];
            }
        }

        public void NodeChanged(NodeId node, bool contentChanged)
        {
        }

        public void EntryChanged(NodeId parent, ReadOnlySpan<byte> name)
        {
            lock (_gate)
            {
                _names.Add(Encoding.UTF8.GetString(name));
            }
        }
    }
}

internal static class Pumped
{
    public static async Task WaitPumpedAsync(this Task task, ManualTime time)
    {
        await VolumeFiles.PumpAsync(task, time);
        await task;
    }
}
