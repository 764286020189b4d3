using System.Globalization;
using Drive.Security;

// Long runs by hand:  dotnet run -c Release --project tests/Drive.Security -- --mutations N --seed S [--volume-every K] | --flips [--noise-bytes N] | --worked-bytes
int seed = 1;
int mutations = 0;
int volumeEvery = new EvilRunOptions().VolumeEvery;
bool flips = false;
int noiseBytes = 0;
for (int i = 0; i < args.Length; i++)
{
    int Number() => i + 1 < args.Length && int.TryParse(args[++i], CultureInfo.InvariantCulture, out int value) ? value : throw new ArgumentException($"{args[i]} needs a number.");
    switch (args[i])
    {
        case "--mutations":
            mutations = Number();
            break;
        case "--seed":
            seed = Number();
            break;
        case "--volume-every":
            volumeEvery = Number();
            break;
        case "--worked-bytes":
            Console.Write(await WorkedBytes.MakeAsync());
            return 0;
        case "--flips":
            flips = true;
            break;
        case "--noise-bytes":
            noiseBytes = Number();
            break;
        default:
            Console.Error.WriteLine("usage: --mutations N [--seed S] [--volume-every K] | --flips [--noise-bytes N] [--seed S] | --worked-bytes");
            return 2;
    }
}

bool isSound = true;
if (flips)
{
    FlipReport report = await new FlipRun(await KnownVault.CreateAsync(seed, noiseBytes: noiseBytes)).RunAsync(CancellationToken.None);
    Console.WriteLine(report);
    isSound &= report.Accepted.Count == 0;
}

if (mutations > 0)
{
    var options = new EvilRunOptions
    {
        Seed = seed,
        Mutations = mutations,
        VolumeEvery = volumeEvery,
        Progress = static done => Console.Error.WriteLine($"{done} done"),
    };
    EvilReport report = await EvilRun.RunAsync(options, CancellationToken.None);
    Console.WriteLine(report);
    isSound &= report.Failures.Count == 0;
}

return isSound ? 0 : 1;
