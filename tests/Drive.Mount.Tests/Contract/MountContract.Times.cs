using Drive.Testing;

namespace Drive.Mount.Tests;

/// <summary>Which call marks which times, seen through the kernel.</summary>
public abstract partial class MountContract
{
    [Fact]
    public void Making_names_marks_the_directory()
    {
        MakeDirectory("d");
        AssertMarks(At("d"), modify: true, change: true, () => MakeFile("d/f"));
        AssertMarks(At("d"), modify: true, change: true, () => Ok(Posix.MakeDirectory(At("d/d"))));
        AssertMarks(At("d"), modify: true, change: true, () => Ok(Posix.SymbolicLink("t", At("d/l"))));
        AssertMarks(At("d"), modify: true, change: true, () => Ok(Posix.MakeNode(At("d/p"), 0x1000)));
        AssertMarks(At("d"), modify: true, change: true, () => Ok(Posix.Link(At("d/f"), At("d/g"))));
    }

    [Fact]
    public void Taking_names_marks_the_directory()
    {
        MakeDirectory("d");
        MakeFile("d/f");
        MakeFile("d/g");
        MakeDirectory("d/d");
        AssertMarks(At("d"), modify: true, change: true, () => Ok(Posix.Unlink(At("d/f"))));
        AssertMarks(At("d"), modify: true, change: true, () => Ok(Posix.RemoveDirectory(At("d/d"))));
        AssertMarks(At("d"), modify: true, change: true, () => Ok(Posix.Rename(At("d/g"), At("g"))));
        AssertMarks(At("d"), modify: true, change: true, () => Ok(Posix.Rename(At("g"), At("d/g"))));
    }

    [Fact]
    public void Links_and_renames_change_the_node()
    {
        MakeFile("f");
        AssertMarks(At("f"), modify: false, change: true, () => Ok(Posix.Link(At("f"), At("g"))));
        AssertMarks(At("f"), modify: false, change: true, () => Ok(Posix.Unlink(At("g"))));
        AssertMarks(At("f"), modify: false, change: true, () =>
        {
            Ok(Posix.Rename(At("f"), At("h")));
            Ok(Posix.Rename(At("h"), At("f")));
        });
    }

    [Fact]
    public void Mode_owner_and_attributes_change_the_node()
    {
        MakeFile("f");
        AssertMarks(At("f"), modify: false, change: true, () => Ok(Posix.ChangeMode(At("f"), 0x1FF)));
        AssertMarks(At("f"), modify: false, change: true, () => Ok(Posix.ChangeOwner(At("f"), 5, 6)));
        AssertMarks(At("f"), modify: false, change: true, () => Ok(Posix.SetXattr(At("f"), "user.x", [1])));
        AssertMarks(At("f"), modify: false, change: true, () => Ok(Posix.RemoveXattr(At("f"), "user.x")));
    }

    [Fact]
    public void Writing_cutting_and_allocating_mark_modification_and_change()
    {
        MakeFile("f");
        Use(Posix.Open(At("f"), Posix.ReadWrite), descriptor =>
        {
            AssertMarks(At("f"), modify: true, change: true, () => Ok(Posix.WriteAt(descriptor, [1, 2, 3], 0)));
            AssertMarks(At("f"), modify: true, change: true, () => Ok(Posix.SetLength(descriptor, 2)));
            AssertMarks(At("f"), modify: true, change: true, () => Ok(Posix.Allocate(descriptor, 0, 0, 100)));
            AssertMarks(At("f"), modify: true, change: true, () => Ok(Posix.Allocate(descriptor, Posix.PunchHole | Posix.KeepSize, 0, 50)));
        });
        AssertMarks(At("f"), modify: true, change: true, () => Ok(Posix.SetLength(At("f"), 1)));
        AssertMarks(At("f"), modify: true, change: true, () => Ok(OpenAndClose(At("f"), Posix.WriteOnly | Posix.Truncate)));
    }

    [Fact]
    public void Looking_and_reading_mark_neither()
    {
        MakeFile("f", Pattern(10));
        AssertMarks(At("f"), modify: false, change: false, () => ReadAll(At("f")));
        AssertMarks(_directory, modify: false, change: false, () => Directory.GetFileSystemEntries(_directory));
        AssertMarks(At("f"), modify: false, change: false, () => Ok(OpenAndClose(At("f"), Posix.ReadWrite)));
    }

    [Fact]
    public void Times_are_kept_to_the_nanosecond()
    {
        MakeFile("f");
        Ok(Posix.SetTimes(At("f"), (1_234_567_890, 123_456_789), (987_654_321, 987_654_321)));
        Assert.Equal((1_234_567_890_123_456_789, 987_654_321_987_654_321), (Stat(At("f")).AccessTime, Stat(At("f")).ModifyTime));
    }

    [Fact]
    public void Times_before_1970_are_kept()
    {
        MakeFile("f");
        Ok(Posix.SetTimes(At("f"), (-5, 1), (-1_000_000_000, 999_999_999)));
        Assert.Equal((-4_999_999_999, -999_999_999_000_000_001), (Stat(At("f")).AccessTime, Stat(At("f")).ModifyTime));
    }

    [Fact]
    public void Times_that_are_omitted_stay()
    {
        MakeFile("f");
        Ok(Posix.SetTimes(At("f"), (1, 1), (2, 2)));
        Ok(Posix.SetTimes(At("f"), (0, Posix.TimeOmit), (3, 3)));
        Assert.Equal((1_000_000_001, 3_000_000_003), (Stat(At("f")).AccessTime, Stat(At("f")).ModifyTime));
        Ok(Posix.SetTimes(At("f"), (4, 4), (0, Posix.TimeOmit)));
        Assert.Equal((4_000_000_004, 3_000_000_003), (Stat(At("f")).AccessTime, Stat(At("f")).ModifyTime));
        long before = Posix.CoarseClock();
        Ok(Posix.SetTimes(At("f"), (0, Posix.TimeOmit), (0, Posix.TimeNow)));
        Assert.InRange(Stat(At("f")).ModifyTime, before, long.MaxValue);
        Assert.Equal(4_000_000_004, Stat(At("f")).AccessTime);
    }

    [Fact]
    public void Times_of_a_symbolic_link_are_its_own()
    {
        MakeFile("target");
        Ok(Posix.SymbolicLink("target", At("link")));
        Ok(Posix.SetTimes(At("link"), (1, 1), (2, 2)));
        Assert.Equal(2_000_000_002, Stat(At("link")).ModifyTime);
        Assert.NotEqual(2_000_000_002, Stat(At("target")).ModifyTime);
    }

    [Fact]
    public void Times_set_after_a_write_outlive_the_close()
    {
        Use(Posix.Open(At("f"), Posix.Create | Posix.WriteOnly), descriptor =>
        {
            Ok(Posix.WriteAt(descriptor, Pattern(100_000), 0));
            Ok(Posix.SetTimes(descriptor, (11, 11), (22, 22)));
        });
        Assert.Equal((11_000_000_011, 22_000_000_022), (Stat(At("f")).AccessTime, Stat(At("f")).ModifyTime));
        Use(Posix.Open(At("f"), Posix.ReadOnly), descriptor => Ok(Posix.Sync(descriptor)));
        Assert.Equal(22_000_000_022, Stat(At("f")).ModifyTime);
    }

    [Fact]
    public void A_birth_time_is_told_and_stays()
    {
        MakeFile("f");
        long born = Stat(At("f")).BirthTime;
        Assert.NotEqual(0, born);
        WaitUntilAfter(Stat(At("f")).ChangeTime);
        Ok(Posix.SetLength(At("f"), 5));
        Assert.Equal(born, Stat(At("f")).BirthTime);
    }
}
