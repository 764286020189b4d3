using Drive.Core.Volumes;
using Drive.Engine.History;
using Drive.Testing.Model;
using Xunit.Abstractions;

namespace Drive.Engine.Tests.History;

/// <summary>Bringing back and setting back: random histories, and the cases that people meet.</summary>
public sealed class RestoreTests(ITestOutputHelper output)
{
    private const int Operations = 90;
    private const int SeedsOfCase = 20;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public Task Each_moment_of_random_histories_comes_back_beside_the_present_and_in_its_place(int part) => Seeds.RunAsync(output, part * SeedsOfCase, SeedsOfCase, RunAsync);

    [Fact]
    public Task So_does_each_moment_of_a_history_that_nobody_chose() => Seeds.RunSomeAsync(output, 1, RunAsync);

    private static async Task RunAsync(int seed)
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        VolumeSettings settings = fixture.Settings() with { SaveInterval = TimeSpan.FromDays(1), UploadRest = TimeSpan.FromDays(1), UploadDeadline = TimeSpan.FromDays(1) };
        await using Volume volume = await fixture.OpenAsync(settings);
        RecordedHistory history = new();
        OperationRunner runner = new(volume);
        List<VolumeOperation> operations = VolumeOperations.Generate(seed, Operations);
        for (int step = 0; step < operations.Count; step++)
        {
            await runner.RunAsync(operations[step]);
            if (step % 30 == 29)
            {
                await volume.WaitAsync();
                await history.NoteAsync(volume);
            }
        }

        runner.CloseSlots();
        TimeMachine machine = volume.TimeMachine;
        long newest = history.Seqs.Max();
        foreach (long seq in history.Seqs)
        {
            // Back and forth in place: each rewind undoes the one before.
            (_, StateOfPast before) = await machine.RewindAsync(machine.Find($"@{seq}"), "", CancellationToken.None);
            await history.CompareRestoredAsync(volume, NodeId.Root, seq, $"Seed {seed}, rewound to {seq}");
            await machine.RewindAsync(before, "", CancellationToken.None);
            await history.CompareRestoredAsync(volume, NodeId.Root, newest, $"Seed {seed}, that undone");
        }

        foreach (long seq in history.Seqs)
        {
            volume.MakeDirectory(NodeId.Root, $"back {seq}");
            machine.Restore(machine.Find($"@{seq}"), "", $"back {seq}", overwrite: false, CancellationToken.None);
        }

        await volume.WaitAsync();
        foreach (long seq in history.Seqs)
        {
            await history.CompareRestoredAsync(volume, volume.Find(volume.Find(NodeId.Root, $"back {seq}"), $"drive@{seq}"), seq, $"Seed {seed}, beside the present, {seq}");
        }
    }

    [Fact]
    public async Task A_deleted_file_comes_back_where_it_was_with_the_folders_it_lay_in()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        NodeId a = volume.MakeDirectory(NodeId.Root, "a");
        NodeId b = volume.MakeDirectory(a, "b");
        byte[] content = VolumeFiles.Bytes(3, 2_500_000);
        volume.WriteFile(b, "f", content);
        await volume.WaitAsync();
        volume.WriteFile(b, "g", [1]);
        volume.Write(HandleId.Of(volume.Find(b, "f")), 100, [9, 9, 9], WriteOptions.None);
        await volume.WaitAsync();
        Assert.Equal(FsStatus.Ok, volume.Unlink(b, "f"u8));
        Assert.Equal(FsStatus.Ok, volume.Unlink(b, "g"u8));
        Assert.Equal(FsStatus.Ok, volume.RemoveDirectory(a, "b"u8));
        Assert.Equal(FsStatus.Ok, volume.RemoveDirectory(NodeId.Root, "a"u8));
        await volume.WaitAsync();

        TimeMachine machine = volume.TimeMachine;
        IReadOnlyList<PathVersion> versions = machine.Versions("a/b/f");
        Assert.Equal([VersionEnd.Changed, VersionEnd.Deleted], versions.Select(static version => version.End));
        Assert.Equal("first", machine.Describe(versions[1].To).Device);
        long last = machine.StateOf(versions[1])!.Value;
        machine.Restore(machine.Find($"@{last}"), "a/b/f", null, overwrite: false, CancellationToken.None);
        content[100] = content[101] = content[102] = 9;
        Assert.Equal(content, await volume.ReadFileAsync(volume.Find(volume.Find(volume.Find(NodeId.Root, "a"), "b"), "f")));

        FsException refused = Assert.Throws<FsException>(() => machine.Restore(machine.Find($"@{versions[0].From}"), "a/b/f", null, overwrite: false, CancellationToken.None));
        Assert.Equal(FsStatus.Exists, refused.Status);
        machine.Restore(machine.Find($"@{versions[0].From}"), "a/b/f", null, overwrite: true, CancellationToken.None);
        Assert.Equal(VolumeFiles.Bytes(3, 2_500_000), await volume.ReadFileAsync(volume.Find(volume.Find(volume.Find(NodeId.Root, "a"), "b"), "f")));
        Assert.Equal(FsStatus.NotFound, Assert.Throws<FsException>(() => machine.Restore(machine.Find("@1"), "a/b/f", null, overwrite: true, CancellationToken.None)).Status);
    }

    [Fact]
    public async Task What_a_restore_left_that_was_cut_off_does_not_stop_the_next_one()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        volume.WriteFile(NodeId.Root, "f", [1]);
        await volume.WaitAsync();
        TimeMachine machine = volume.TimeMachine;
        StateOfPast then = machine.Find("latest");
        volume.WriteFile(NodeId.Root, "new", [1, 2]);
        Assert.Equal(FsStatus.Ok, volume.Rename(NodeId.Root, "new"u8, NodeId.Root, "f"u8, RenameOptions.None));
        volume.WriteFile(NodeId.Root, $".drive-restore-{then.Seq}-0", [9]);
        machine.Restore(then, "f", null, overwrite: true, CancellationToken.None);
        Assert.Equal([1], await volume.ReadFileAsync(volume.Find(NodeId.Root, "f")));
        Assert.Equal([9], await volume.ReadFileAsync(volume.Find(NodeId.Root, $".drive-restore-{then.Seq}-0")));
        Assert.Equal(FsStatus.NotFound, volume.Lookup(NodeId.Root, System.Text.Encoding.ASCII.GetBytes($".drive-restore-{then.Seq}-1"), out _));
    }

    [Fact]
    public async Task A_version_is_known_by_how_it_ended()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        volume.WriteFile(NodeId.Root, "f", [1]);
        await volume.WaitAsync();
        volume.WriteFile(NodeId.Root, "new", [1, 2]);
        Assert.Equal(FsStatus.Ok, volume.Rename(NodeId.Root, "new"u8, NodeId.Root, "f"u8, RenameOptions.None));
        await volume.WaitAsync();
        Assert.Equal(FsStatus.Ok, volume.Rename(NodeId.Root, "f"u8, NodeId.Root, "g"u8, RenameOptions.None));
        await volume.WaitAsync();
        volume.WriteFile(NodeId.Root, "f", [1, 2, 3]);

        IReadOnlyList<PathVersion> versions = volume.TimeMachine.Versions("f");
        Assert.Equal([(1, VersionEnd.Replaced), (2, VersionEnd.Moved), (3, VersionEnd.None)], versions.Select(static version => (version.Row.Size, version.End)));
        Assert.Null(volume.TimeMachine.StateOf(versions[2]));
        Assert.Empty(volume.TimeMachine.Versions("never"));
        await volume.WaitAsync();
        Assert.NotNull(volume.TimeMachine.StateOf(volume.TimeMachine.Versions("f")[2]));
    }

    [Fact]
    public async Task Two_states_are_compared_by_name()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        NodeId d = volume.MakeDirectory(NodeId.Root, "d");
        foreach (string name in (string[])["changed", "gone", "mode", "moved", "same"])
        {
            volume.WriteFile(d, name, [1, 2, 3]);
        }

        await volume.WaitAsync();
        TimeMachine machine = volume.TimeMachine;
        StateOfPast then = machine.Find("latest");
        volume.Write(HandleId.Of(volume.Find(d, "changed")), 3, [4], WriteOptions.None);
        volume.Unlink(d, "gone"u8);
        volume.SetAttributes(volume.Find(d, "mode"), HandleId.None, new AttributeChange { Fields = AttributeFields.Mode, Mode = 0x100 }, out _);
        NodeId e = volume.MakeDirectory(NodeId.Root, "e");
        volume.Rename(d, "moved"u8, e, "there"u8, RenameOptions.None);

        string[] expected = ["Changed d/changed 3-4", "Removed d/gone 3-0", "Attributes d/mode 3-3", "Added e 0-0", "Moved e/there 3-3"];
        Assert.Equal(expected, Show(null, ""));
        Assert.Equal(["Changed changed 3-4", "Removed gone 3-0", "Attributes mode 3-3", "Removed moved 3-0"], Show(null, "d").Select(static line => line.Replace("d/", "", StringComparison.Ordinal)));
        await volume.WaitAsync();
        Assert.Equal(expected, Show(machine.Find("latest"), ""));
        Assert.Equal(FsStatus.NotFound, Assert.Throws<FsException>(() => machine.Compare(then, null, "nothing", CancellationToken.None)).Status);

        IEnumerable<string> Show(StateOfPast? to, string path) => machine.Compare(then, to, path, CancellationToken.None)
            .Select(static change => $"{change.Kind} {System.Text.Encoding.UTF8.GetString(change.Path)} {change.Before}-{change.After}");
    }
}
