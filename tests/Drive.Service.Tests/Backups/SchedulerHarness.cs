using Drive.Backup;
using Drive.Disk;
using Drive.Service.Backups;
using Drive.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Service.Tests.Backups;

/// <summary>A scheduler on a clock of ours, with a vault that says what a test wants.</summary>
internal sealed class SchedulerHarness : IAsyncDisposable
{
    private readonly TemporaryHome _home = new();

    public SchedulerHarness()
    {
        Sets = new BackupSets(Path.Combine(_home.Root, "backups"), new LocalDisk());
        BackupWork work = new()
        {
            RunAsync = (set, _, progress, cancellation) => Run!(set, progress, cancellation),
            KeepAsync = (set, _, _) =>
            {
                Kept.Add(set.Name);
                return Task.CompletedTask;
            },
            FindAway = () => Away,
            FindRestAsync = _ => Task.FromResult(Rest),
            Watch = (_, changed) =>
            {
                Changed = changed;
                Watches++;
                return new MemoryStream();
            },
        };
        FailureNotices notices = new(
            "work",
            (_, notice, _) =>
            {
                Notices.Add($"{notice.Set} {notice.Outcome}");
                return Task.CompletedTask;
            },
            Time,
            NullLogger.Instance);
        Scheduler = new BackupScheduler(Sets, work, notices, Time, NullLogger.Instance);
        Run = (set, _, _) => Task.FromResult(Finish(set, BackupOutcome.Done));
    }

    public ManualTime Time { get; } = new();

    public BackupSets Sets { get; }

    public BackupScheduler Scheduler { get; }

    public Func<BackupSet, Action<BackupProgress>, CancellationToken, Task<BackupReport>> Run { get; set; }

    public string? Away { get; set; }

    public string? Rest { get; set; }

    public Action? Changed { get; private set; }

    public int Watches { get; private set; }

    public List<DateTimeOffset> Runs { get; } = [];

    public List<string> Notices { get; } = [];

    public List<string> Kept { get; } = [];

    public void Add(string name, string? schedule, bool isPaused = false) =>
        Sets.Put(new BackupSet { Name = name, Paths = ["/d"], Schedule = schedule, Created = Time.GetUtcNow(), IsPaused = isPaused });

    /// <summary>What the runner does at the end of a run.</summary>
    public BackupReport Finish(BackupSet set, BackupOutcome outcome)
    {
        BackupReport report = new() { Set = set.Name, Outcome = outcome, Started = Time.GetUtcNow(), Ended = Time.GetUtcNow() };
        Runs.Add(report.Started);
        Sets.AddReport(report);
        return report;
    }

    public Task<TimeSpan?> LookAsync() => Scheduler.LookAsync(CancellationToken.None);

    /// <summary>Looks as the loop does for so long.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        for (DateTimeOffset end = Time.Elapsed + time; Time.Elapsed < end;)
        {
            TimeSpan pause = await LookAsync() ?? BackupScheduler.LookInterval;
            Time.Advance(pause < end - Time.Elapsed ? pause : end - Time.Elapsed);
        }

        await LookAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Scheduler.DisposeAsync();
        _home.Dispose();
    }
}
