using Device = Drive.Engine.Tests.Merging.TwoDevices.Device;

namespace Drive.Engine.Tests.Merging;

/// <summary>Three do something without seeing each other: the last one merges the first one's commit, and what that came to with the second one's.</summary>
public sealed class ThreeDevicesTests
{
    [Fact]
    public Task Removed_by_one_edited_by_another_moved_by_a_third_keeps_the_edit_and_the_move() => MeetAsync(
        static both => both.Write("doc", "old"),
        static first => first.Remove("doc"),
        static second => second.Write("doc", "edited"),
        static third => third.Move("doc", "moved"),
        "doc=edited | moved=old");

    [Fact]
    public Task Removed_by_one_moved_by_another_edited_by_a_third_keeps_the_edit_and_the_move() => MeetAsync(
        static both => both.Write("doc", "old"),
        static first => first.Remove("doc"),
        static second => second.Move("doc", "moved"),
        static third => third.Write("doc", "edited"),
        "doc=edited | moved=old");

    [Fact]
    public Task Removed_by_one_edited_by_two_keeps_both() => MeetAsync(
        static both => both.Write("doc", "old"),
        static first => first.Remove("doc"),
        static second => second.Write("doc", "second"),
        static third => third.Write("doc", "third"),
        "doc (conflict, third)=third | doc=second");

    [Fact]
    public Task Removed_by_one_edited_by_two_to_the_same_bytes_is_one_file() => MeetAsync(
        static both => both.Write("doc", "old"),
        static first => first.Remove("doc"),
        static second => second.Write("doc", "same"),
        static third => third.Write("doc", "same"),
        "doc=same");

    [Fact]
    public Task A_folder_removed_by_one_and_moved_by_two_is_one_folder() => MeetAsync(
        static both => { both.MakeFolder("f"); both.MakeFolder("in"); },
        static first => first.Remove("f"),
        static second => { second.Move("f", "moved"); second.Write("moved/a", "2"); },
        static third => { third.Move("f", "in/f"); third.Write("in/f/b", "3"); },
        "in/ | moved/ | moved/a=2 | moved/b=3");

    /// <summary>Each leaves a name, and one of the names is written to. Found by the simulation's seed 2044 of several devices.</summary>
    [Fact]
    public Task Two_names_removed_by_one_each_after_a_third_edited_keep_the_edit() => MeetAsync(
        static both => { both.Write("a", "old"); both.Link("a", "b"); },
        static first => first.Write("a", "edited"),
        static second => second.Remove("a"),
        static third => third.Remove("b"),
        "b=edited");

    [Fact]
    public Task Two_names_removed_by_one_each_before_a_third_edited_keep_the_edit() => MeetAsync(
        static both => { both.Write("a", "old"); both.Link("a", "b"); },
        static first => first.Remove("a"),
        static second => second.Remove("b"),
        static third => third.Write("a", "edited"),
        "b=edited");

    [Fact]
    public Task A_name_removed_by_one_and_saved_over_by_another_keeps_what_a_third_edited() => MeetAsync(
        static both => { both.Write("a", "old"); both.Link("a", "b"); },
        static first => first.Write("a", "edited"),
        static second => second.Remove("b"),
        static third => third.Save("a", "saved"),
        "a (conflict, third)=saved | a=edited");

    [Fact]
    public async Task Two_copies_that_would_have_one_name_are_two_copies()
    {
        string shown = await MeetAsync(
            static both => both.Write("doc", "old"),
            static first => first.Move("doc", "new"),
            static second => second.Write("doc", "second"),
            static third => { third.Write("doc", "third"); third.Write("new", "third's new"); });
        Assert.Equal(["second", "third", "third's new"], shown.Split(" | ").Select(static line => line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..]).Order(StringComparer.Ordinal));
    }

    private static async Task MeetAsync(Action<Device> before, Action<Device> first, Action<Device> second, Action<Device> third, string expected) =>
        Assert.Equal(expected, await MeetAsync(before, first, second, third));

    /// <summary>They commit in their order, each on top of the one before, and none has seen the others.</summary>
    private static async Task<string> MeetAsync(Action<Device> before, Action<Device> first, Action<Device> second, Action<Device> third)
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        before(devices.First);
        await devices.MeetAsync();
        Device last = await devices.AddAsync("third");
        await using Volume closed = last.Volume;
        first(devices.First);
        second(devices.Second);
        third(last);
        await devices.MeetAsync();
        await TwoDevices.FollowAsync(last, devices.Second);
        await last.Volume.WaitAsync();
        await TwoDevices.FollowAsync(devices.First, last);
        string shown = await last.ShowAsync();
        Assert.Equal(shown, await devices.First.ShowAsync());
        return shown;
    }
}
