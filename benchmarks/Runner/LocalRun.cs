using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;
using Drive.Benchmarks.Workloads;

namespace Drive.Benchmarks;

/// <summary>
/// Everything against a store in a local folder. In each round every side does the same, one after the other, so that whatever else the
/// machine does falls on all of them; who begins changes from round to round.
/// </summary>
internal sealed class LocalRun : IDisposable
{
    private static readonly string[] Programs = ["git", "sqlite3"];

    private readonly Options _options;
    private readonly string _home;
    private readonly List<(string Name, Action<Side> Run)> _workloads;
    private readonly SourceTree _tree;
    private readonly Mounting _mounting;
    private readonly DriveSide _drive;

    public LocalRun(Options options, string home)
    {
        _options = options;
        _home = home;
        long bytes = options.Bytes ?? 1L << 30;
        int files = options.Files ?? 10_000;
        Recorder recorder = new(Results, Cost);
        _tree = new SourceTree(Math.Max(files / 5, 100), bytes / 4, recorder);
        _mounting = new Mounting(recorder);
        _workloads =
        [
            ("large", new LargeFile(bytes, Math.Max(files / 5, 200), Math.Max(files / 2, 200), recorder).Run),
            ("small", new SmallFiles(files, recorder).Run),
            ("tree", _tree.Run),
            ("programs", new Workloads.Programs(Math.Max(files / 20, 50), Math.Max(files / 50, 20), recorder).Run),
            ("mount", _mounting.Run),
        ];
        _drive = new DriveSide(Path.Combine(home, "drive"), options.Program) { Transport = options.Transport };
        Sides = [new NativeSide(Path.Combine(home, "native")), .. Peers(), _drive];
    }

    public Results Results { get; } = new();

    /// <summary>Processor seconds of what serves a side, for each measure.</summary>
    public Results Cost { get; } = new();

    public IReadOnlyList<Side> Sides { get; }

    public void Run()
    {
        Posix.SyncAll();
        if (!Machine.CanDropCaches)
        {
            Results.Notes.Add("Not run by root: what needs the kernel's caches dropped is left out.");
        }

        foreach (string program in Programs.Where(static program => !Shell.Has(program)))
        {
            Results.Notes.Add($"{program} is not installed: its rows are left out.");
        }

        foreach (Side side in Sides)
        {
            side.Begin();
        }

        for (int round = 0; round < _options.Rounds; round++)
        {
            Round(round);
        }

        foreach (Side side in Sides)
        {
            _mounting.Finish(side);
        }
    }

    public void Dispose()
    {
        foreach (Side side in Sides)
        {
            side.Dispose();
        }
    }

    private void Round(int round)
    {
        Results.Round = round;
        Console.Error.WriteLine($"round {round + 1} of {_options.Rounds}, load {File.ReadAllText("/proc/loadavg")[..14]}");
        if (_options.Wants("tree"))
        {
            _tree.Prepare(_home, round);
        }

        foreach ((string name, Action<Side> run) in _workloads.Where(workload => _options.Wants(workload.Name)))
        {
            foreach (Side side in Sides.Select((_, i) => Sides[(i + round) % Sides.Count]))
            {
                Traffic before = side == _drive ? _drive.Traffic : default;
                try
                {
                    run(side);
                }
                catch (Exception failure) when (failure is IOException or InvalidOperationException or TimeoutException or UnauthorizedAccessException)
                {
                    Results.Fail(new Measure($"all of '{name}'", ""), side.Name, failure.Message.ReplaceLineEndings(" "));
                }

                if (side == _drive)
                {
                    NoteTraffic(name, _drive.Traffic.Since(before));
                }
            }
        }
    }

    private void NoteTraffic(string name, Traffic traffic)
    {
        Cost.Round = Results.Round;
        Cost.Add(new Measure($"'{name}': requests to the store", "requests"), DriveSide.DriveName, traffic.Requests);
        Cost.Add(new Measure($"'{name}': bytes to the store", "MiB"), DriveSide.DriveName, traffic.Up / (double)Noise.MiB);
        Cost.Add(new Measure($"'{name}': bytes from the store", "MiB"), DriveSide.DriveName, traffic.Down / (double)Noise.MiB);
    }

    private IEnumerable<Side> Peers()
    {
        (string Name, Func<string, Side> Make)[] known =
        [
            (GocryptfsSide.Program, static home => new GocryptfsSide(home)),
            (RcloneSide.Program, static home => new RcloneSide(home)),
            (BindfsSide.Program, static home => new BindfsSide(home)),
        ];
        foreach ((string name, Func<string, Side> make) in known.Where(peer => _options.Peers?.Contains(peer.Name) ?? true))
        {
            if (Shell.Has(name))
            {
                yield return make(Path.Combine(_home, name));
            }
            else
            {
                Results.Notes.Add($"{name} is not installed and left out: apt install {name}.");
            }
        }

        if (_options.Peers is null)
        {
            Results.Notes.Add("s3fs is left out: it needs an S3 server, and one on this machine would be measured with it.");
        }
    }
}
