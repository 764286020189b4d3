using Drive.Testing.Model;

namespace Drive.Simulation.Seeds;

/// <summary>What happens in a run beside the calls of the model.</summary>
public enum StepKind
{
    /// <summary>A call on the volume.</summary>
    Call,

    /// <summary>Time passes.</summary>
    Pause,

    /// <summary>Somebody asks for an upload and does not wait.</summary>
    Hurry,

    /// <summary>Somebody waits until everything is in the store.</summary>
    Wait,

    /// <summary>As before, and another device is held against this one.</summary>
    WaitAndCompare,

    /// <summary>The volume is closed and opened.</summary>
    Reopen,

    /// <summary>The power goes, at one of the next changes of the disk.</summary>
    PowerCut,

    /// <summary>The process is killed, at one of the next changes of the disk.</summary>
    Kill,

    /// <summary>The machine is lost, and another one takes over with the recovery key.</summary>
    LoseMachine,

    /// <summary>The store, or the way to it, gets worse.</summary>
    FoulWeather,

    /// <summary>… and well again.</summary>
    FairWeather,

    /// <summary>A put that nobody thinks of any more arrives.</summary>
    LatePut,

    /// <summary>Some changes of the disk find it full.</summary>
    DiskFull,

    /// <summary>A change of the disk fails.</summary>
    DiskError,

    /// <summary>Somebody sets the clock, on or back, by seconds or years.</summary>
    SetClock,

    /// <summary>Of several devices: one has no way to the store, while the others do.</summary>
    GoOffline,

    /// <summary>Of several devices: one stands still in the middle of whatever it does, while the others go on.</summary>
    Suspend,

    /// <summary>… and goes on, as if nothing had been.</summary>
    Resume,

    /// <summary>Of several devices: all get all of each other before somebody does more.</summary>
    Meet,

    /// <summary>Somebody gives space in the store back, and now and then names a snapshot or drops one.</summary>
    Collect,
}

/// <summary>A step of a run; <paramref name="Value"/> seeds what is random in it, so that taking out others changes nothing here.</summary>
public sealed record SimulationStep(StepKind Kind, int Value, VolumeOperation? Call = null)
{
    private static readonly (StepKind Kind, int Weight)[] Weights =
    [
        (StepKind.Pause, 26), (StepKind.Hurry, 12), (StepKind.Wait, 3), (StepKind.WaitAndCompare, 1), (StepKind.Reopen, 3), (StepKind.PowerCut, 9),
        (StepKind.Kill, 5), (StepKind.LoseMachine, 1), (StepKind.FoulWeather, 9), (StepKind.FairWeather, 8), (StepKind.LatePut, 7),
        (StepKind.DiskFull, 4), (StepKind.DiskError, 4), (StepKind.SetClock, 4),
    ];

    public static List<SimulationStep> Generate(int seed, int calls)
    {
        Random random = new(seed);
        List<SimulationStep> steps = [];
        foreach (VolumeOperation call in SmallOperations.Generate(seed, calls, fsyncEvery: 12))
        {
            steps.Add(new SimulationStep(StepKind.Call, 0, call));
            if (random.Next(4) == 0)
            {
                steps.Add(new SimulationStep(Pick(random), random.Next()));
            }
        }

        return steps;
    }

    public override string ToString() => Call is null ? $"{Kind} {Value}" : Call.ToString();

    private static StepKind Pick(Random random) => Pick(Weights, random);

    /// <summary>One of the kinds, each as often as its weight says.</summary>
    public static StepKind Pick((StepKind Kind, int Weight)[] weights, Random random)
    {
        int ticket = random.Next(weights.Sum(pair => pair.Weight));
        foreach ((StepKind kind, int weight) in weights)
        {
            ticket -= weight;
            if (ticket < 0)
            {
                return kind;
            }
        }

        throw new System.Diagnostics.UnreachableException();
    }
}
