using Drive.Testing;

namespace Drive.Simulation.World;

/// <summary>A device's own idea of the date: the time that passes is everybody's, what the wall clock shows is set on each device alone.</summary>
internal sealed class DeviceClock(ManualTime time, TimeSpan skew) : TimeProvider
{
    private TimeSpan _skew = skew;

    public override long TimestampFrequency => time.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + _skew;

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => time.CreateTimer(callback, state, dueTime, period);

    /// <summary>Somebody sets the clock, on or back.</summary>
    public void Jump(TimeSpan by) => _skew += by;
}
