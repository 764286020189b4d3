using Drive.Core.Volumes;
using Drive.Simulation.Devices;
using Drive.Simulation.World;

namespace Drive.Simulation.Tests;

/// <summary>What several devices are held against must notice what a merge could do wrong, and nothing else.</summary>
public sealed class LedgerTests
{
    private static readonly NodeId File = new(7);
    private static readonly ulong[] Old = [Cells.Compose(1, 1, 0)];
    private static readonly ulong[] Mine = [Cells.Compose(1, 2, 0)];
    private static readonly ulong[] Theirs = [Cells.Compose(2, 1, 0)];
    private readonly Ledger _ledger = new(3, isOrdered: true);

    public LedgerTests()
    {
        // Device 1 wrote a file, which device 2 saw; then both wrote over it.
        Add(1, 1, [0, 1, 0], written: Old, after: Old);
        Add(1, 2, [0, 2, 0], written: Mine, superseded: Old, after: Mine);
        Add(2, 1, [0, 1, 1], written: Theirs, superseded: Old, after: Theirs);
    }

    [Fact]
    public void A_file_and_a_copy_that_a_merge_made_are_well()
    {
        _ledger.AddCopy(2, [0, 1, 1], [0, 2, 1], new NodeId(8), "f (conflict, second)", "f");
        _ledger.Hold([new("/f", File, Mine), new("/f (conflict, second)", new NodeId(8), Theirs)], [(new NodeId(8), "f (conflict, second)")]);
    }

    [Fact]
    public void A_side_that_is_missing_is_noticed() => Fails("is in no file", () => _ledger.Hold([new("/f", File, Mine)], []));

    [Fact]
    public void A_side_that_a_crash_took_back_is_not_missed()
    {
        _ledger.Lose(2, 0);
        _ledger.Hold([new("/f", File, Mine)], []);
    }

    [Fact]
    public void What_a_call_that_a_crash_took_back_did_away_with_is_missed()
    {
        Add(2, 2, [0, 1, 2], after: []);
        Add(2, 3, [0, 2, 3], superseded: Mine, after: []);
        _ledger.Hold([new("/f", File, Theirs)], []);
        _ledger.Lose(2, 1);
        Fails("is in no file", () => _ledger.Hold([new("/f", File, Theirs)], []));
    }

    [Fact]
    public void Two_contents_in_one_file_are_noticed() => Fails("ever had", () => _ledger.Hold([new("/f", File, [.. Mine, .. Theirs])], []));

    [Fact]
    public void A_copy_that_no_merge_made_is_noticed() => Fails(
        "no merge made", () => _ledger.Hold([new("/f", File, Mine), new("/g", new NodeId(8), Theirs)], [(new NodeId(8), "f (conflict, second)")]));

    [Fact]
    public void A_copy_without_anything_unseen_is_noticed()
    {
        Ledger ledger = new(3, isOrdered: true);
        ledger.Add(Call(1, 1, [0, 1, 0], Old, []));
        ledger.Add(Call(2, 1, [0, 1, 1], Theirs, Old));
        Fails("did not see", () => ledger.AddCopy(2, [0, 0, 0], [0, 1, 1], new NodeId(8), "f (conflict, second)", "f"));
    }

    [Fact]
    public void A_removed_file_that_is_back_is_noticed()
    {
        _ledger.Add(new DeviceCall { Device = 1, Number = 3, Text = "unlink", Saw = [0, 3, 1], Superseded = [.. Mine, .. Theirs], Nodes = [File], Removed = File });
        _ledger.Hold([], []);
        Fails("is there again", () => _ledger.Hold([new("/f", File, Mine)], []));
    }

    [Fact]
    public void A_removed_file_that_somebody_edited_without_seeing_it_may_be_back()
    {
        _ledger.Add(new DeviceCall { Device = 1, Number = 3, Text = "unlink", Saw = [0, 3, 0], Superseded = Mine, Nodes = [File], Removed = File });
        _ledger.Hold([new("/f", File, Theirs)], []);
        Fails("is in no file", () => _ledger.Hold([], []));
    }

    [Fact]
    public void A_removed_file_may_be_back_only_when_the_move_to_its_name_met_another_of_the_same_file()
    {
        NodeId moved = new(9);
        _ledger.Add(new DeviceCall { Device = 1, Number = 3, Text = "unlink", Saw = [0, 3, 1], Superseded = [.. Mine, .. Theirs], Nodes = [File], Names = ["f"], Removed = File });
        _ledger.Add(new DeviceCall { Device = 1, Number = 4, Text = "rename", Saw = [0, 4, 1], Nodes = [moved], Names = ["g", "f"] });
        Fails("is there again", () => _ledger.Hold([new("/f", File, Mine)], []));
        _ledger.Add(new DeviceCall { Device = 2, Number = 2, Text = "rename", Saw = [0, 2, 2], Nodes = [moved], Names = ["g", "h"] });
        _ledger.Hold([new("/f", File, Mine)], []);
    }

    [Fact]
    public void A_torn_cell_is_noticed()
    {
        byte[] bytes = Cells.Encode([.. Mine, Cells.None, .. Theirs]);
        Assert.Equal([.. Mine, Cells.None, .. Theirs], Cells.Decode(bytes));
        for (int index = 0; index < bytes.Length; index += 5)
        {
            bytes[index] ^= 1;
            Assert.Throws<SimulationException>(() => Cells.Decode(bytes));
            bytes[index] ^= 1;
        }
    }

    private static void Fails(string with, Action action) => Assert.Contains(with, Assert.Throws<SimulationException>(action).Message, StringComparison.Ordinal);

    private static DeviceCall Call(int device, int number, int[] saw, ulong[] written, ulong[] superseded) => new()
    {
        Device = device,
        Number = number,
        Text = "write",
        Saw = saw,
        Written = written,
        Superseded = superseded,
        Nodes = [File],
    };

    private void Add(int device, int number, int[] saw, ulong[]? written = null, ulong[]? superseded = null, ulong[]? after = null)
    {
        _ledger.Add(Call(device, number, saw, written ?? [], superseded ?? []));
        _ledger.NoteContent(after ?? []);
    }
}
