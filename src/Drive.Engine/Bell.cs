namespace Drive.Engine;

/// <summary>
/// Wakes one waiter before its time is over. A ring that nobody waits for is heard by the next who waits. The waiter goes on where it came from, never inside
/// the call that rang, so it may be rung under a lock; and no thread but that of the ringer and of the timer takes part, so a simulation has it in hand.
/// </summary>
internal sealed class Bell
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiter;
    private bool _isRung;

    public void Ring()
    {
        lock (_gate)
        {
            if (_waiter is null)
            {
                _isRung = true;
            }

            _waiter?.TrySetResult();
        }
    }

    /// <summary>Returns when it was rung or the time is over; <see cref="OperationCanceledException"/> when cancelled. For one waiter at a time.</summary>
    public async Task WaitAsync(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_isRung)
            {
                _isRung = false;
                return;
            }

            _waiter = waiter;
        }

        try
        {
            using ITimer timer = clock.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), waiter, time, Timeout.InfiniteTimeSpan);
            using CancellationTokenRegistration cancelled = cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), waiter);
            await waiter.Task;
        }
        finally
        {
            lock (_gate)
            {
                _waiter = null;
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
    }
}
