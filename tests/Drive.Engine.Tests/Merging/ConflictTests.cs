using Drive.Core.Volumes;
using Drive.Testing;
using Device = Drive.Engine.Tests.Merging.TwoDevices.Device;

namespace Drive.Engine.Tests.Merging;

/// <summary>
/// Two devices change one vault without seeing each other. The first one's commit comes first, so it is "theirs" to the second, which merges. Every case says what all devices,
/// a new one among them, must show.
/// </summary>
public sealed class ConflictTests
{
    [Fact]
    public Task Different_files_are_no_conflict() => MeetAsync(
        static both => both.Write("common", "0"),
        static first => first.Write("a", "1"),
        static second => second.Write("b", "2"),
        "a=1 | b=2 | common=0");

    [Fact]
    public Task Edit_and_edit_keeps_both() => MeetAsync(
        static both => both.Write("doc.txt", "old"),
        static first => first.Write("doc.txt", "first"),
        static second => second.Write("doc.txt", "second"),
        "doc (conflict, second).txt=second | doc.txt=first");

    [Fact]
    public Task Edit_and_edit_to_the_same_bytes_is_no_conflict() => MeetAsync(
        static both => both.Write("doc", "old"),
        static first => first.Write("doc", "same"),
        static second => second.Write("doc", "same"),
        "doc=same");

    /// <summary>A write that changes neither length nor times leaves no row of the node. Found by the simulation's seed 453 of several devices.</summary>
    [Fact]
    public async Task Edits_within_one_moment_of_a_coarse_clock_keep_both()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync(new ManualTime());
        NodeId doc = devices.Second.Write("doc", "0123456789");
        await devices.Second.Volume.WaitAsync();
        await devices.FirstFollowsAsync();
        Assert.Equal(FsStatus.Ok, devices.Second.Volume.Write(HandleId.Of(doc), 3, "ABC"u8, WriteOptions.None));
        devices.First.Write("doc", "01");
        await devices.MeetAsync();
        Assert.Equal("doc (conflict, second)=012ABC6789 | doc=01", await devices.First.ShowAsync());
    }

    [Fact]
    public Task Save_and_save_by_rename_keeps_both() => MeetAsync(
        static both => both.Write("doc.txt", "old"),
        static first => first.Save("doc.txt", "first"),
        static second => second.Save("doc.txt", "second"),
        "doc (conflict, second).txt=second | doc.txt=first");

    [Fact]
    public Task Edit_in_place_and_save_by_rename_keeps_both() => MeetAsync(
        static both => both.Write("doc.txt", "old"),
        static first => first.Write("doc.txt", "first"),
        static second => second.Save("doc.txt", "second"),
        "doc (conflict, second).txt=second | doc.txt=first");

    [Fact]
    public Task Save_by_rename_and_edit_in_place_keeps_both() => MeetAsync(
        static both => both.Write("doc.txt", "old"),
        static first => first.Save("doc.txt", "first"),
        static second => second.Write("doc.txt", "second"),
        "doc (conflict, second).txt=second | doc.txt=first");

    [Fact]
    public Task Edit_and_delete_keeps_the_edit() => MeetAsync(
        static both => both.Write("doc", "old"),
        static first => first.Write("doc", "edited"),
        static second => second.Remove("doc"),
        "doc=edited");

    [Fact]
    public Task Delete_and_edit_keeps_the_edit() => MeetAsync(
        static both => both.Write("doc", "old, and longer"),
        static first => first.Remove("doc"),
        static second => Overwrite(second, "doc", "new"),
        "doc=new, and longer");

    [Fact]
    public Task Delete_and_delete_is_a_delete() => MeetAsync(
        static both => { both.Write("doc", "old"); both.Write("other", "o"); },
        static first => first.Remove("doc"),
        static second => second.Remove("doc"),
        "other=o");

    [Fact]
    public Task Create_and_create_keeps_both() => MeetAsync(
        static _ => { },
        static first => first.Write("new.txt", "first"),
        static second => second.Write("new.txt", "second"),
        "new (conflict, second).txt=second | new.txt=first");

    [Fact]
    public Task Create_and_create_of_the_same_bytes_is_one_file() => MeetAsync(
        static _ => { },
        static first => first.Write("new.txt", "same"),
        static second => second.Write("new.txt", "same"),
        "new.txt=same");

    [Fact]
    public Task Folder_and_folder_of_one_name_become_one() => MeetAsync(
        static _ => { },
        static first => { first.MakeFolder("photos"); first.Write("photos/a", "1"); first.Write("photos/same", "1"); first.MakeFolder("photos/sub"); first.Write("photos/sub/x", "1"); },
        static second => { second.MakeFolder("photos"); second.Write("photos/b", "2"); second.Write("photos/same", "2"); second.MakeFolder("photos/sub"); second.Write("photos/sub/y", "2"); },
        "photos/ | photos/a=1 | photos/b=2 | photos/same (conflict, second)=2 | photos/same=1 | photos/sub/ | photos/sub/x=1 | photos/sub/y=2");

    [Fact]
    public Task Folder_and_file_of_one_name_keeps_both() => MeetAsync(
        static _ => { },
        static first => { first.MakeFolder("thing"); first.Write("thing/a", "1"); },
        static second => second.Write("thing", "2"),
        "thing (conflict, second)=2 | thing/ | thing/a=1");

    [Fact]
    public Task File_and_folder_of_one_name_keeps_both() => MeetAsync(
        static _ => { },
        static first => first.Write("thing", "1"),
        static second => { second.MakeFolder("thing"); second.Write("thing/a", "2"); },
        "thing (conflict, second)/ | thing (conflict, second)/a=2 | thing=1");

    [Fact]
    public Task Move_and_move_lets_the_first_stand() => MeetAsync(
        static both => both.Write("doc", "0"),
        static first => first.Move("doc", "one"),
        static second => second.Move("doc", "two"),
        "one=0");

    [Fact]
    public Task Move_and_move_to_the_same_place_is_one_move() => MeetAsync(
        static both => both.Write("doc", "0"),
        static first => first.Move("doc", "one"),
        static second => second.Move("doc", "one"),
        "one=0");

    [Fact]
    public Task Move_and_edit_does_both() => MeetAsync(
        static both => both.Write("doc", "0"),
        static first => first.Move("doc", "moved"),
        static second => second.Write("doc", "edited"),
        "moved=edited");

    [Fact]
    public Task Edit_and_move_does_both() => MeetAsync(
        static both => both.Write("doc", "0"),
        static first => first.Write("doc", "edited"),
        static second => second.Move("doc", "moved"),
        "moved=edited");

    [Fact]
    public Task Move_and_delete_keeps_the_move() => MeetAsync(
        static both => both.Write("doc", "0"),
        static first => first.Move("doc", "moved"),
        static second => second.Remove("doc"),
        "moved=0");

    [Fact]
    public Task Delete_and_move_keeps_the_move() => MeetAsync(
        static both => both.Write("doc", "0"),
        static first => first.Remove("doc"),
        static second => second.Move("doc", "moved"),
        "moved=0");

    [Fact]
    public Task Move_onto_a_name_that_was_given_meanwhile_keeps_both() => MeetAsync(
        static both => both.Write("doc", "0"),
        static first => first.Write("target", "1"),
        static second => second.Move("doc", "target"),
        "target (conflict, second)=0 | target=1");

    [Fact]
    public Task Move_into_a_folder_and_exchange_with_it_leaves_the_folder_one_name() => MeetAsync(
        static both => { both.MakeFolder("f"); both.Write("doc", "0"); },
        static first => first.Move("doc", "f/doc"),
        static second => Assert.Equal(
            Core.Volumes.FsStatus.Ok, second.Volume.Rename(Core.Volumes.NodeId.Root, "doc"u8, Core.Volumes.NodeId.Root, "f"u8, Core.Volumes.RenameOptions.Exchange)),
        "doc/ | doc/doc=0");

    [Fact]
    public Task Moves_that_make_a_loop_let_the_first_stand() => MeetAsync(
        static both => { both.MakeFolder("a"); both.MakeFolder("b"); both.Write("a/x", "x"); both.Write("b/y", "y"); },
        static first => first.Move("b", "a/b"),
        static second => second.Move("a", "b/a"),
        "a/ | a/b/ | a/b/y=y | a/x=x");

    [Fact]
    public Task Moves_that_make_a_loop_over_folders_between_let_the_first_stand() => MeetAsync(
        static both => { both.MakeFolder("a"); both.MakeFolder("a/in"); both.MakeFolder("b"); both.MakeFolder("b/in"); both.Write("a/in/x", "x"); },
        static first => first.Move("b", "a/in/b"),
        static second => second.Move("a", "b/in/a"),
        "a/ | a/in/ | a/in/b/ | a/in/b/in/ | a/in/x=x");

    [Fact]
    public Task Delete_of_a_folder_and_a_new_file_in_it_keeps_the_folder() => MeetAsync(
        static both => { both.MakeFolder("f"); both.MakeFolder("f/g"); both.Write("f/g/old", "0"); },
        static first => { first.Remove("f/g/old"); first.Remove("f/g"); first.Remove("f"); },
        static second => second.Write("f/g/new", "2"),
        "f/ | f/g/ | f/g/new=2");

    [Fact]
    public Task New_file_in_a_folder_and_delete_of_it_keeps_the_folder() => MeetAsync(
        static both => { both.MakeFolder("f"); both.MakeFolder("f/g"); both.Write("f/g/old", "0"); },
        static first => first.Write("f/g/new", "1"),
        static second => { second.Remove("f/g/old"); second.Remove("f/g"); second.Remove("f"); },
        "f/ | f/g/ | f/g/new=1");

    [Fact]
    public Task Delete_of_a_folder_and_edit_in_it_keeps_what_was_edited() => MeetAsync(
        static both => { both.MakeFolder("f"); both.Write("f/a", "a"); both.Write("f/b", "b"); },
        static first => { first.Remove("f/a"); first.Remove("f/b"); first.Remove("f"); },
        static second => second.Write("f/a", "edited"),
        "f/ | f/a=edited");

    [Fact]
    public Task Delete_of_a_folder_and_a_move_into_it_keeps_the_folder() => MeetAsync(
        static both => { both.MakeFolder("f"); both.Write("doc", "0"); },
        static first => first.Remove("f"),
        static second => second.Move("doc", "f/doc"),
        "f/ | f/doc=0");

    [Fact]
    public Task Move_of_a_folder_and_a_new_file_in_it_does_both() => MeetAsync(
        static both => { both.MakeFolder("f"); both.Write("f/a", "a"); },
        static first => first.Move("f", "moved"),
        static second => second.Write("f/b", "b"),
        "moved/ | moved/a=a | moved/b=b");

    [Fact]
    public Task Link_and_delete_keeps_the_link() => MeetAsync(
        static both => both.Write("doc", "0"),
        static first => first.Remove("doc"),
        static second => second.Link("doc", "link"),
        "link=0");

    [Fact]
    public Task Each_removes_another_name_of_one_file_and_neither_removed_the_file() => MeetAsync(
        static both => { both.Write("one", "0"); both.Link("one", "two"); both.Write("other", "o"); },
        static first => first.Remove("one"),
        static second => second.Remove("two"),
        "other=o | two=0");

    [Fact]
    public Task Each_removes_another_name_of_one_file_that_the_first_edited_and_it_is_there() => MeetAsync(
        static both => { both.Write("one", "0"); both.Link("one", "two"); },
        static first => { first.Write("one", "edited"); first.Remove("one"); },
        static second => second.Remove("two"),
        "two=edited");

    [Fact]
    public Task Each_removes_another_name_of_one_file_that_the_second_edited_and_it_is_there() => MeetAsync(
        static both => { both.Write("one", "0"); both.Link("one", "two"); },
        static first => first.Remove("one"),
        static second => { second.Write("two", "edited"); second.Remove("two"); },
        "two=edited");

    [Fact]
    public Task Names_that_differ_in_case_or_normalisation_only_are_kept_apart() => MeetAsync(
        static _ => { },
        static first => { first.Write("Name", "1"); first.Write("\u00e9", "1"); },
        static second => { second.Write("name", "2"); second.Write("e\u0301", "2"); },
        "Name=1 | e\u0301=2 | name=2 | \u00e9=1");

    [Fact]
    public Task A_long_name_is_cut_to_make_room() => MeetAsync(
        static _ => { },
        static first => first.Write(new string('n', 255), "1"),
        static second => second.Write(new string('n', 255), "2"),
        $"{new string('n', 255 - " (conflict, second, 2026-11-22 14-03)".Length)} (conflict, second)=2 | {new string('n', 255)}=1");

    [Fact]
    public async Task Attributes_of_the_later_and_content_of_the_other_meet_in_one_file()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("doc", "0");
        await devices.MeetAsync();
        devices.First.Write("doc", "content");
        Assert.Equal(Core.Volumes.FsStatus.Ok, devices.Second.Volume.SetAttributes(
            devices.Second.Find("doc"), Core.Volumes.HandleId.None, new() { Fields = Core.Volumes.AttributeFields.Mode, Mode = 0x180 }, out _));
        Assert.Equal(Core.Volumes.FsStatus.Ok, devices.Second.Volume.SetExtendedAttribute(devices.Second.Find("doc"), "user.colour"u8, "red"u8, default));
        await devices.MeetAsync();
        Assert.Equal("doc=content", await devices.First.ShowAsync());
        Assert.Equal(Core.Volumes.FsStatus.Ok, devices.First.Volume.GetAttributes(devices.First.Find("doc"), out Core.Volumes.NodeAttributes attributes));
        Assert.Equal(0x180u, attributes.Mode & 0xFFF);
    }

    [Fact]
    public async Task A_file_that_is_open_while_its_name_becomes_anothers_reads_on()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("doc", "old");
        await devices.MeetAsync();
        Core.Volumes.NodeId open = devices.Second.Find("doc");
        devices.First.Save("doc", "first");
        await devices.MeetAsync();
        Assert.Equal("doc=first", await devices.Second.ShowAsync());
        byte[] read = new byte[10];
        Core.Volumes.IoResult result = await devices.Second.Volume.ReadAsync(Core.Volumes.HandleId.Of(open), 0, read, CancellationToken.None);
        Assert.Equal((Core.Volumes.FsStatus.Ok, 3L), (result.Status, result.Count));
        Assert.Equal("old"u8, read.AsSpan(0, 3));
        devices.Second.Volume.Forget(open);
    }

    [Fact]
    public async Task What_is_written_to_a_removed_file_that_is_open_is_not_shown_when_an_edit_brings_it_back()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("doc", "old and long");
        await devices.MeetAsync();
        Core.Volumes.NodeId open = devices.Second.Find("doc");
        devices.Second.Remove("doc");
        Assert.Equal(Core.Volumes.FsStatus.Ok, devices.Second.Volume.Write(Core.Volumes.HandleId.Of(open), 4, "nobody's"u8, Core.Volumes.WriteOptions.None));
        Overwrite(devices.First, "doc", "new");
        await devices.MeetAsync();
        Assert.Equal("doc=new and long", await devices.Second.ShowAsync());
        Assert.Equal("doc=new and long", await devices.ShowThirdAsync());
    }

    [Fact]
    public async Task Many_rounds_of_edits_on_both_end_in_one_tree_and_nothing_is_missing()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        for (int round = 0; round < 20; round++)
        {
            devices.First.Write($"first {round}", $"{round}");
            devices.Second.Write($"second {round}", $"{round}");
            devices.First.Write("shared", $"first {round}");
            devices.Second.Write("shared", $"second {round}");
            await devices.MeetAsync();
        }

        string shown = await devices.First.ShowAsync();
        for (int round = 0; round < 20; round++)
        {
            Assert.Contains($"=second {round}", shown, StringComparison.Ordinal);
            Assert.Contains($"first {round}={round}", shown, StringComparison.Ordinal);
        }
    }

    private static void Overwrite(Device device, string path, string start) =>
        Assert.Equal(Core.Volumes.FsStatus.Ok, device.Volume.Write(Core.Volumes.HandleId.Of(device.Find(path)), 0, System.Text.Encoding.UTF8.GetBytes(start), Core.Volumes.WriteOptions.None));

    private static async Task MeetAsync(Action<Device> before, Action<Device> first, Action<Device> second, string expected)
    {
        foreach (bool isBlind in (bool[])[false, true])
        {
            await using TwoDevices devices = await TwoDevices.CreateAsync();
            before(devices.First);
            await devices.MeetAsync();
            first(devices.First);
            second(devices.Second);
            await devices.MeetAsync(isBlind);
            Assert.Equal(expected, await devices.First.ShowAsync());
            Assert.Equal(expected, await devices.Second.ShowAsync());
            Assert.Equal(expected, await devices.ShowThirdAsync());
        }
    }
}
