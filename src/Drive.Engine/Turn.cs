namespace Drive.Engine;

/// <summary>
/// Lets one in at a time, in the order in which they came. Like <see cref="Bell"/> it wakes nobody on a thread of its own, so a simulation has it in hand.
/// </summary>
internal sealed class Turn
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private bool _isTaken;

    /// <summary>Waits for the turn; <see cref="OperationCanceledException"/> when cancelled, and then it is not taken.</summary>
    public async Task TakeAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (!_isTaken)
            {
                _isTaken = true;
                return;
            }

            _waiting.Enqueue(waiter);
        }

        using CancellationTokenRegistration cancelled = cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetCanceled(), waiter);
        await waiter.Task;
    }

    /// <summary>To the next one that still waits.</summary>
    public void GiveBack()
    {
        lock (_gate)
        {
            while (_waiting.TryDequeue(out TaskCompletionSource? next))
            {
                if (next.TrySetResult())
                {
                    return;
                }
            }

            _isTaken = false;
        }
    }
}
