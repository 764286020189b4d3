using Drive.Backup;
using Drive.Service.Logs;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Backups;

/// <summary>What people are told when a backup is not as it should be.</summary>
/// <param name="Vault">The vault's name on this machine.</param>
/// <param name="Set">The set's name.</param>
/// <param name="Outcome">"failed", "incomplete", "suspicious" or "stale".</param>
/// <param name="Reason">In one line.</param>
/// <param name="Time">When.</param>
internal sealed record FailureNotice(string Vault, string Set, string Outcome, string Reason, DateTimeOffset Time);

/// <summary>
/// Decides when somebody is told that something is wrong: of each trouble once, again after a day as long as it lasts, and of every run that a person asked for. How it
/// is told is the sender's business; that it could not be told is logged, and stops nothing. Threads: any.
/// </summary>
internal sealed class FailureNotices(string vault, Func<BackupSet, FailureNotice, CancellationToken, Task> send, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Again = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Outcome, long Told)> _told = [];

    /// <summary>A run ended.</summary>
    public Task AfterRunAsync(BackupSet set, BackupReport report, bool isByHand, CancellationToken cancellationToken)
    {
        if (report.Outcome == BackupOutcome.Done)
        {
            lock (_gate)
            {
                _told.Remove(set.Name);
                return Task.CompletedTask;
            }
        }

        return TellAsync(set, report.Outcome.ToString().ToLowerInvariant(), BackupWords.Reason(report), isByHand, cancellationToken);
    }

    /// <summary>A set has no backup for too long.</summary>
    public Task StaleAsync(BackupSet set, string reason, CancellationToken cancellationToken) => TellAsync(set, "stale", reason, isByHand: false, cancellationToken);

    private async Task TellAsync(BackupSet set, string outcome, string reason, bool isByHand, CancellationToken cancellationToken)
    {
        // Stale is told beside what made it so.
        string key = outcome == "stale" ? set.Name + "/stale" : set.Name;
        lock (_gate)
        {
            if (!isByHand && _told.TryGetValue(key, out (string Outcome, long Told) last) && last.Outcome == outcome && time.GetElapsedTime(last.Told) < Again)
            {
                return;
            }

            _told[key] = (outcome, time.GetTimestamp());
        }

        try
        {
            await send(set, new FailureNotice(vault, set.Name, outcome, reason, time.GetUtcNow()), cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.NoticeNotSent(set.Name, exception.Message, exception);
        }
    }
}
