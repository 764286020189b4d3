using System.Globalization;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary>Backup sets in words.</summary>
internal static class BackupText
{
    /// <summary>A set that was added.</summary>
    public static string Added(BackupStanding set) => set.Next is { } next
        ? $"'{set.Name}' runs next at {Local(next)}, while the drive is mounted; 'drive backup run {set.Name}' runs it now."
        : $"'{set.Name}' is there; 'drive backup run {set.Name}' runs it now.";

    /// <summary>What a set is, in a line or a few.</summary>
    public static string Describe(BackupSetInfo set)
    {
        List<string> lines = [$"{set.Name}  {set.Schedule ?? "when told"}{(set.Paused ? ", paused" : "")}"];
        lines.AddRange(set.Paths.Select(static path => $"  {path}"));
        string[] left =
        [
            .. set.Presets,
            .. set.Excludes,
            .. set.MaxSize is { } size ? [$"files above {Quantity.Bytes(size)}"] : Array.Empty<string>(),
            .. set.OneFileSystem ? ["other file systems"] : Array.Empty<string>(),
        ];
        if (left.Length > 0)
        {
            lines.Add($"  without    {string.Join(", ", left)}");
        }

        if (set.Keep is { } keep)
        {
            lines.Add($"  keeps      {keep}");
        }

        if ((set.OnFailure ?? set.Webhook) is not null)
        {
            lines.Add($"  tells      {string.Join(", ", new[] { set.OnFailure, set.Webhook }.OfType<string>())}");
        }

        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>How sets stand.</summary>
    public static string Describe(BackupStandings standings) => string.Join(Environment.NewLine, standings.Sets.Select(static set => Describe(set, TimeProvider.System)));

    /// <summary>How a set stands, in a line, and one more for what is wrong.</summary>
    public static string Describe(BackupStanding set, TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        List<string> facts = [set.IsError ? set.State.ToUpperInvariant() : set.State];
        if (set.Progress is { } progress)
        {
            facts.Add(Describe(progress));
        }

        facts.Add(set.LastBackup is { } last ? $"last backup {Quantity.Age(now - last)} ago" : "no backup yet");
        facts.AddRange(set.LastProven is { } proven ? [$"last proven restorable {Local(proven)}"] : []);
        facts.AddRange(set.Next is { } next ? [next <= now ? "next now" : $"next {Local(next)}"] : []);
        return $"{set.Name}  {string.Join(", ", facts)}{(set.Problem is { } problem ? Environment.NewLine + "  " + problem : "")}";
    }

    /// <summary>Lines for <c>drive status</c>: those sets that somebody should know of, and when something was proven.</summary>
    public static IEnumerable<string> InStatus(IReadOnlyList<BackupStanding> sets, TimeProvider time)
    {
        foreach (BackupStanding set in sets)
        {
            yield return $"  backup        {Describe(set, time).ReplaceLineEndings(Environment.NewLine + "              ")}";
        }

        if (sets.Count > 0)
        {
            yield return $"  last proven restorable: {(sets.Where(static set => set.LastProven is not null).MaxBy(static set => set.LastProven) is { } proven ? $"{Local(proven.LastProven!.Value)} ('{proven.Name}')" : "never")}";
        }
    }

    /// <summary>Where a run is.</summary>
    public static string Describe(BackupProgressInfo progress) => $"{Quantity.Files(progress.Looked)} looked at, {Quantity.Bytes(progress.ReadBytes)} read, {Quantity.Bytes(progress.SentBytes)} sent";

    /// <summary>What a run came to.</summary>
    public static string Describe(BackupRunInfo run) =>
        $"{run.Set}  {run.Outcome}: {Quantity.Files(run.Looked)}; {run.NewFiles} new, {run.ChangedFiles} changed, {run.GoneFiles} gone; {Quantity.Bytes(run.ReadBytes)} read, {Quantity.Bytes(run.SentBytes)} sent"
        + $"{(run.Seq is { } seq ? $", commit {seq}" : "")}{(run.Proven is null ? "" : ", a sample proven")}";

    private static string Local(DateTimeOffset moment) => moment.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
