using Drive.Simulation.World;
using Drive.Testing.Disk;

namespace Drive.Simulation.Seeds;

/// <summary>What befalls a machine, alone or among others.</summary>
internal static class Trouble
{
    private static readonly CrashKind[] PowerKinds = [CrashKind.PowerLosesAll, CrashKind.PowerLosesSome, CrashKind.PowerLosesAny];

    /// <summary>Returns how many faults it was, deaths not counted: those come later, if at all.</summary>
    public static int Do(StepKind kind, Random random, Machine machine, StoreContent store)
    {
        switch (kind)
        {
            case StepKind.PowerCut:
                machine.DieAt(random.Next(3) == 0 ? 0 : random.Next(150), PowerKinds[random.Next(PowerKinds.Length)]);
                return 0;
            case StepKind.Kill:
                machine.DieAt(random.Next(150), CrashKind.Process);
                return 0;
            case StepKind.LatePut:
                store.DeliverOne(random);
                return 1;
            case StepKind.DiskFull:
                machine.FailAt(random.Next(60), random.Next(1, 12), FaultyDisk.Full);
                return 1;
            case StepKind.DiskError:
                machine.FailAt(random.Next(100), 1, FaultyDisk.InputOutputError);
                return 1;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "No trouble of one machine.");
        }
    }

    /// <summary>By how much somebody sets a clock: a little, or years.</summary>
    public static TimeSpan ClockStep(Random random) =>
        TimeSpan.FromSeconds(random.Next(2) == 0 ? random.Next(-90, 90) : random.Next(-300_000_000, 300_000_000));

    /// <summary>Starts; now and then it dies on the way up, and starts again. Returns how often it died.</summary>
    public static async Task<int> BootOfTwoAsync(Machine machine, Random random, Func<Task> boot)
    {
        if (random.Next(3) == 0)
        {
            machine.DieAt(random.Next(60), PowerKinds[random.Next(PowerKinds.Length)]);
        }

        try
        {
            await boot();
        }
        catch (Exception) when (machine.IsDead)
        {
            // It died again on the way up.
        }

        int deaths = 0;
        if (machine.IsDead)
        {
            deaths++;
            await machine.BuryAsync();
            await boot();
        }

        machine.DieAt(-1, default);
        return deaths;
    }
}
