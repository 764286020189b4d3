using System.Diagnostics;

namespace Drive.Fuzzing;

/// <summary>An input that broke a promise.</summary>
/// <param name="Input">The bytes.</param>
/// <param name="What">What happened.</param>
internal sealed record Finding(byte[] Input, string What);

/// <summary>Runs one target: first what is known, then mutations of it, for a time. Inputs that reach new branches join the pool.</summary>
internal sealed class FuzzRun(FuzzTarget target, int seed, bool isGuided)
{
    // Two orders of magnitude above the slowest honest run, on a machine under load.
    private static readonly TimeSpan HangTime = TimeSpan.FromSeconds(5);

    private readonly Random _random = new(seed);
    private readonly Coverage _coverage = new();
    private readonly List<byte[]> _pool = [];
    private readonly List<Finding> _findings = [];
    private readonly HashSet<string> _known = [];

    public long Executions { get; private set; }

    public int Edges => _coverage.Edges;

    public TimeSpan Elapsed { get; private set; }

    public TimeSpan Slowest { get; private set; }

    /// <summary>The most bytes that a run allocated.</summary>
    public long AllocatedMax { get; private set; }

    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Inputs that each reached something new, in the order in which they were found.</summary>
    public IReadOnlyList<byte[]> Pool => _pool;

    /// <summary>Runs inputs as they are.</summary>
    public void Replay(IEnumerable<byte[]> inputs)
    {
        foreach (byte[] input in inputs)
        {
            if (Execute(input) || !isGuided)
            {
                _pool.Add(input);
            }
        }
    }

    /// <summary>Mutates until the time is over, or so many times.</summary>
    public void Mutate(TimeSpan time, long executionsMax = long.MaxValue)
    {
        Mutator mutator = new(_random, target.Dictionary, target.LengthMax);
        long started = Stopwatch.GetTimestamp();
        for (long i = 0; i < executionsMax && Stopwatch.GetElapsedTime(started) < time; i++)
        {
            // What was found last is looked at more often.
            int newest = _pool.Count - 1 - _random.Next(Math.Min(_pool.Count, 16));
            byte[] from = _pool[_random.Next(3) == 0 ? newest : _random.Next(_pool.Count)];
            byte[] input = mutator.Mutate(from, _pool[_random.Next(_pool.Count)]);
            if (Execute(input))
            {
                _pool.Add(input);
            }
        }

        Elapsed += Stopwatch.GetElapsedTime(started);
    }

    private bool Execute(byte[] input)
    {
        Executions++;
        Coverage.Reset();
        long started = Stopwatch.GetTimestamp();
        long allocated = Measure(input);
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        bool isNew = isGuided && _coverage.TakeNew();
        if (allocated > target.AllocationMax(input.Length))
        {
            // The first run of a path compiles it, and fills what is made once.
            allocated = Measure(input);
        }

        Slowest = took > Slowest ? took : Slowest;
        AllocatedMax = Math.Max(AllocatedMax, allocated);
        if (took > HangTime)
        {
            Report(input, $"took {took.TotalSeconds:0.0} s", "slow");
        }

        if (allocated > target.AllocationMax(input.Length))
        {
            Report(input, $"allocated {allocated} bytes for an input of {input.Length}", "memory");
        }

        return isNew;
    }

    /// <summary>One run, and what it allocated on this thread.</summary>
    private long Measure(byte[] input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target.Run(input);
        }
        catch (Exception error)
        {
            Report(input, error.ToString(), $"{error.GetType()} {error.StackTrace?.Split('\n').FirstOrDefault()}");
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private void Report(byte[] input, string what, string key)
    {
        if (_known.Add(key))
        {
            _findings.Add(new Finding(input, what));
        }
    }
}
