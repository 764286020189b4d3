using Drive.Core.Stores;

namespace Drive.Stores.Wrappers;

/// <summary>Limits that the user sets for a store, and may set anew at any time. Threads: any.</summary>
public sealed class StoreLimits(TimeProvider time)
{
    /// <summary>Content that goes to the store.</summary>
    public RateSchedule Up
    {
        get => UpPace.Schedule;
        set => UpPace.Schedule = value;
    }

    /// <summary>Content that comes from it.</summary>
    public RateSchedule Down
    {
        get => DownPace.Schedule;
        set => DownPace.Schedule = value;
    }

    /// <summary>Bytes per second that hold now; null for no limit.</summary>
    public (long? Up, long? Down) Now => (UpPace.RateNow, DownPace.RateNow);

    internal TimeProvider Time => time;

    internal Pace UpPace { get; } = new(time);

    internal Pace DownPace { get; } = new(time);
}
