using System.Globalization;
using Drive.Backup;
using Drive.Core.History;
using Drive.Engine.History;

namespace Drive.Service.Backups;

/// <summary>
/// A rule of keeping for one set alone. The vault's own rule is for all of it and knows no sets; what is to be kept longer has a name. So the state after each run of such a set is
/// named, and names go by the set's rule: what has no name any more is kept as long as the vault says, and never shorter. A suspicious run is named, and takes no name away.
/// </summary>
internal static class SetSnapshots
{
    // To the millisecond: two runs of little end in one second.
    private const string TimeForm = "yyyyMMdd'T'HHmmss'.'fff'Z'";

    /// <summary>Names the state after a run, and takes away the names that the rule does not keep.</summary>
    public static async Task KeepAsync(TimeMachine machine, string device, BackupSet set, BackupReport report, TimeProvider time, CancellationToken cancellationToken)
    {
        if (set.Keep is not { } text)
        {
            return;
        }

        await machine.NameAsync(Prefix(device, set.Name) + report.Ended.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture), cancellationToken);
        if (report.Outcome == BackupOutcome.Suspicious)
        {
            return;
        }

        List<(string Name, Moment Moment)> ours = [];
        foreach (var snapshot in machine.Snapshots)
        {
            if (IsOf(snapshot.Name, device, set.Name))
            {
                ours.Add((snapshot.Name, new Moment(snapshot.Seq, TimeMachine.TimeOf(snapshot))));
            }
        }

        IReadOnlySet<long> kept = Retention.Keep(RetentionRule.Parse(text), [.. ours.Select(static one => one.Moment)], time.GetUtcNow());
        foreach ((string name, Moment moment) in ours)
        {
            if (!kept.Contains(moment.Seq))
            {
                await machine.DropAsync(name, cancellationToken);
            }
        }
    }

    /// <summary>Whether a snapshot is of a run of this set on this device. A set's name has no '+'.</summary>
    internal static bool IsOf(string name, string device, string set)
    {
        string prefix = Prefix(device, set);
        return name.StartsWith(prefix, StringComparison.Ordinal) && DateTime.TryParseExact(name.AsSpan(prefix.Length), TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);
    }

    private static string Prefix(string device, string set) => $"backup+{device}+{set}+";
}
