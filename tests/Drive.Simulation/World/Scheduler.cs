using Drive.Testing;

namespace Drive.Simulation.World;

/// <summary>
/// Runs everything of one world on the thread that calls <see cref="Run"/>: which of the actions that are ready goes next is the seed's choice, and the clock
/// moves on to the next timer only when none is ready. An action that another thread hands in would escape the seed; it is an error.
/// </summary>
internal sealed class Scheduler(ManualTime time, Random random, Trace trace) : SynchronizationContext
{
    /// <summary>More actions than any run needs: something goes round for ever.</summary>
    private const int ActionsMax = 2_000_000;

    private readonly Random _signatures = new(random.Next());
    private readonly List<(SendOrPostCallback Callback, object? State, SynchronizationContext Context)> _ready = [];
    private int _thread;
    private int _actions;
    private bool _hasForeignAction;

    public override void Post(SendOrPostCallback d, object? state) => Add(d, state, this);

    /// <summary>An action is ready; while it runs, its context is the current one.</summary>
    public void Add(SendOrPostCallback callback, object? state, SynchronizationContext context)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            _hasForeignAction = true;
        }

        lock (_ready)
        {
            _ready.Add((callback, state, context));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs until the task ends, and everything with it.</summary>
    public void Run(Func<Task> main)
    {
        SynchronizationContext? before = Current;
        int threadBefore = _thread;
        _thread = Environment.CurrentManagedThreadId;
        SetSynchronizationContext(this);
        Random? drawnBefore = OpenSslRandom.Use(_signatures);
        try
        {
            Task task = main();
            while (!task.IsCompleted)
            {
                Step();
            }

            task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
            OpenSslRandom.Use(drawnBefore);
            _thread = threadBefore;
        }
    }

    private void Step()
    {
        if (_hasForeignAction)
        {
            throw new SimulationException("An action came from another thread: something waits outside the simulation.");
        }

        if (++_actions > ActionsMax)
        {
            throw new SimulationException("The run does not end.");
        }

        if (_ready.Count > 0)
        {
            int choice = random.Next(_ready.Count);
            (SendOrPostCallback callback, object? state, SynchronizationContext context) = _ready[choice];
            trace.Add("run", choice, _ready.Count);
            _ready.RemoveAt(choice);
            SetSynchronizationContext(context);
            callback(state);
            SetSynchronizationContext(this);
            return;
        }

        if (time.NextDue is not { } due)
        {
            throw new SimulationException("Nothing is ready and no timer runs: somebody waits for ever.");
        }

        trace.Add("clock", due.UtcTicks);
        time.AdvanceTo(due > time.Elapsed ? due : time.Elapsed);
    }
}

/// <summary>The simulation found something wrong, or is wrong itself.</summary>
public sealed class SimulationException(string message) : Exception(message);
