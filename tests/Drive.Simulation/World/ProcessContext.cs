namespace Drive.Simulation.World;

/// <summary>Where all of one machine runs, on the world's scheduler. While it is suspended (SIGSTOP, a lid that was closed) nothing of it goes on; the world does.</summary>
internal sealed class ProcessContext(Scheduler scheduler) : SynchronizationContext
{
    private readonly List<(SendOrPostCallback Callback, object? State)> _held = [];

    public bool IsSuspended { get; private set; }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (IsSuspended)
        {
            _held.Add((d, state));
        }
        else
        {
            scheduler.Add(d, state, this);
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    public void Suspend() => IsSuspended = true;

    public void Resume()
    {
        IsSuspended = false;
        _held.ForEach(action => scheduler.Add(action.Callback, action.State, this));
        _held.Clear();
    }

    /// <summary>Runs something here; whoever waits goes on where it waited.</summary>
    public async Task RunAsync(Func<Task> body)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(_ => Start(body, done), null);
        await done.Task;
    }

    private static async void Start(Func<Task> body, TaskCompletionSource done)
    {
        try
        {
            await body();
            done.SetResult();
        }
        catch (Exception error)
        {
            done.SetException(error);
        }
    }
}
