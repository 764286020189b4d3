using Drive.Simulation.Seeds;

namespace Drive.Simulation.Devices;

/// <summary>A step of a run with several devices.</summary>
/// <param name="Device">Which of them, from 0.</param>
/// <param name="Kind">What happens; <see cref="StepKind.Call"/> is an act of its user.</param>
/// <param name="Value">Seeds what is random in it, so that taking out others changes nothing here.</param>
public sealed record DeviceStep(int Device, StepKind Kind, int Value)
{
    private static readonly (StepKind Kind, int Weight)[] Weights =
    [
        (StepKind.Pause, 30), (StepKind.Hurry, 10), (StepKind.Wait, 5), (StepKind.Reopen, 3), (StepKind.PowerCut, 6), (StepKind.Kill, 4), (StepKind.LoseMachine, 1),
        (StepKind.FoulWeather, 7), (StepKind.GoOffline, 8), (StepKind.FairWeather, 12), (StepKind.Suspend, 5), (StepKind.Resume, 6), (StepKind.LatePut, 5),
        (StepKind.DiskFull, 2), (StepKind.DiskError, 2), (StepKind.SetClock, 4), (StepKind.Meet, 1),
    ];

    private static readonly (StepKind Kind, int Weight)[] TameWeights = [.. Weights.Where(static pair => pair.Kind is not (StepKind.GoOffline or StepKind.Suspend or StepKind.Resume or StepKind.Meet))];

    /// <summary>Bursts of one device after the other, events between them. <paramref name="isTame"/>: all meet before another one goes on.</summary>
    public static List<DeviceStep> Generate(int seed, int devices, int acts, bool isTame)
    {
        Random random = new(seed);
        List<DeviceStep> steps = [];
        while (acts > 0)
        {
            int device = random.Next(devices);
            if (isTame)
            {
                steps.Add(new DeviceStep(device, StepKind.Meet, random.Next()));
            }

            // Now and then one does as much as all others together.
            int burst = Math.Min(acts, random.Next(25) == 0 ? 100 : random.Next(1, isTame ? 20 : 8));
            for (acts -= burst; burst > 0; burst--)
            {
                steps.Add(new DeviceStep(device, StepKind.Call, random.Next()));
                if (random.Next(4) == 0)
                {
                    steps.Add(new DeviceStep(isTame ? device : random.Next(devices), SimulationStep.Pick(isTame ? TameWeights : Weights, random), random.Next()));
                }
            }
        }

        return steps;
    }

    /// <summary>The same steps, and between them somebody gives space back.</summary>
    public static List<DeviceStep> WithGarbage(int seed, int devices, IReadOnlyList<DeviceStep> steps)
    {
        Random random = new(seed ^ 0x6A4BA6E);
        List<DeviceStep> all = [];
        foreach (DeviceStep step in steps)
        {
            all.Add(step);
            if (random.Next(20) == 0)
            {
                all.Add(new DeviceStep(random.Next(devices), StepKind.Collect, random.Next()));
            }
        }

        return all;
    }

    public override string ToString() => $"new({Device}, StepKind.{Kind}, {Value}),";
}
