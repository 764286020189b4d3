using Drive.Simulation.World;

namespace Drive.Simulation.Crashes;

/// <summary>Two devices do things without seeing each other, one commits, and the other dies from the moment it looks until all of it is merged and sent.</summary>
public sealed class MergePoints : DeathPoints
{
    private MergePoints(int workload)
        : base(workload, "merge")
    {
    }

    /// <summary>Dies at each of a workload's points, or at some <paramref name="pointsMax"/> of them.</summary>
    public static CrashCount Run(int workload, int pointsMax = int.MaxValue) => new MergePoints(workload).DieAtEach(pointsMax);

    private protected override async Task<(byte[] Keys, string Tree)> LiveAsync(SimulatedWorld world)
    {
        Machine first = new(world, VaultOrigin.Keys);
        await first.BootAsync();
        await DoAsync(first.Volume!, seed: Workload * 3);
        await SendAsync(first);
        Enrolment enrolment = await Oracle.EnrolAsync(world, isLogCut: false);
        Machine second = Machine.Enrolled(world, enrolment);
        await second.BootAsync();
        await DoAsync(first.Volume!, seed: (Workload * 3) + 1);
        await DoAsync(second.Volume!, seed: (Workload * 3) + 2);
        await SendAsync(first);
        second.BeforeChange = call => NotePoint(world, second, call);
        string tree = await FinishAsync(world, second);
        second.BeforeChange = null;
        first.Volume!.LookSoon();
        await Task.Delay(TimeSpan.FromSeconds(10), world.Time);
        Compare(tree, await CaptureAsync(first.Volume!), "The other device shows another tree.");
        await second.BuryAsync();
        await first.BuryAsync();
        return (enrolment.Keys, tree);
    }

    /// <summary>Everything merged and sent; what is shown then.</summary>
    private protected override async Task<string> FinishAsync(SimulatedWorld world, Machine machine)
    {
        machine.Volume!.LookSoon();
        await Task.Delay(TimeSpan.FromSeconds(10), world.Time);
        await SendAsync(machine);
        return await CaptureAsync(machine.Volume!);
    }

    private protected override async Task HoldAsync(SimulatedWorld world, Machine machine, Random random)
    {
        if (random.Next(8) == 0)
        {
            await Oracle.HoldInStoreAsync(world, machine.Volume!);
        }
    }
}
