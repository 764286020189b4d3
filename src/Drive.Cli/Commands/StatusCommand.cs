using System.CommandLine;
using System.Text.Json;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary><c>drive status [N]</c> and <c>drive status FILE...</c>.</summary>
internal static class StatusCommand
{
    public static Command Build()
    {
        Argument<string[]> targets = new("TARGET") { Description = "A vault's name or mount point, or files on a drive.", Arity = ArgumentArity.ZeroOrMore };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "status",
            "Say where your data is: only here, being sent, or in the cloud.",
            "drive status",
            "drive status work --json | jq .localOnly.bytes",
            "drive status ~/Drive/report.odt ~/Drive/film.mkv");
        command.Arguments.Add(targets);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string[] asked = parsed.GetValue(targets) ?? [];
            DrivePaths paths = DrivePaths.FromEnvironment();
            DaemonRecord? record = asked.Length == 1 ? Running.Record(paths, asked[0]) : null;
            if (asked.Length > 0 && record is null && (asked.Length > 1 || Path.Exists(asked[0]) || asked[0].Contains('/')))
            {
                return PrintFiles(asked, parsed.GetValue(json));
            }

            using ControlClient drive = asked.Length == 0
                ? await Running.OnlyAsync(paths, "status", cancellationToken)
                : await Running.GetAsync(paths, record?.Name ?? asked[0], cancellationToken);
            DriveStatus status = await drive.GetStatusAsync(cancellationToken);
            Terminal.Print(parsed.GetValue(json) ? JsonSerializer.Serialize(status, ControlJson.Default.DriveStatus) : Describe(status, TimeProvider.System));
            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>A status in a screenful of words.</summary>
    internal static string Describe(DriveStatus status, TimeProvider time)
    {
        List<string> lines =
        [
            $"{status.Name}  mounted at {status.Mountpoint} (process {status.Pid}){(status.ReadOnly ? ", read-only" : "")}",
            $"  store         {status.Store} ({status.StoreState}, commit {status.Seq})",
            $"  only here     {Quantity.Files(status.LocalOnly)}",
            $"  uploading     {Quantity.Files(status.Uploading)}",
            $"  in the cloud  {Quantity.Files(status.InCloud)}",
            $"  cache         {Quantity.Bytes(status.Cache.Used)} of {Quantity.Bytes(status.Cache.Limit)}",
            $"  rates         up {Quantity.Bytes(status.Rates.Up)}/s, down {Quantity.Bytes(status.Rates.Down)}/s",
        ];
        if (status.OldestUnsent is { } oldest)
        {
            lines.Insert(3, $"  oldest unsent {Quantity.Age(time.GetUtcNow() - oldest)} ago");
        }

        if (status.Limits is not { Up: null, Down: null })
        {
            lines.Add($"  limits        {Limits(status.Limits)}");
        }

        if (!status.Pins.Pinned.IsNone)
        {
            lines.Add($"  pinned        {Quantity.Files(status.Pins.Pinned)}{(status.Pins.ToFetch.IsNone ? "" : $", to fetch {Quantity.Files(status.Pins.ToFetch)}")}");
            lines.AddRange(status.Pins.Problem is { } obstacle ? [$"  not fetched   {obstacle}"] : []);
        }

        lines.AddRange(BackupText.InStatus(status.Backups, time));
        if (status.ReadOnlyReason is { } reason)
        {
            lines.Add($"  read-only     {reason}");
        }

        if (status.LastError is { } error)
        {
            lines.Add($"  last error    {error}");
        }

        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>Limits in words: what holds now.</summary>
    internal static string Limits(TransferLimits limits)
    {
        return $"up {Rate(limits.Up, limits.UpNow)}, down {Rate(limits.Down, limits.DownNow)}";

        static string Rate(string? schedule, long? now) =>
            (now is { } rate ? Quantity.Bytes(rate) + "/s" : "off") + (schedule?.Contains('=', StringComparison.Ordinal) == true ? " now" : "");
    }

    private static int PrintFiles(string[] files, bool json)
    {
        FileInStore[] states = [.. files.Select(file => FileStates.Find(file))];
        if (json)
        {
            Terminal.Print(JsonSerializer.Serialize(states, CliJson.Default.IReadOnlyListFileInStore));
        }
        else
        {
            foreach (FileInStore state in states)
            {
                Terminal.Print($"{state.State + (state.Pinned ? ", pinned" : ""),-12} {state.Path}");
            }
        }

        return (int)ExitCode.Done;
    }
}
