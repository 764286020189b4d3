using System.CommandLine;
using System.Text.Json;
using Drive.Service;
using Drive.Service.Checks;

namespace Drive.Cli.Commands;

/// <summary><c>drive doctor</c>: works with no daemon and no vault.</summary>
internal static class DoctorCommand
{
    public static Command Build()
    {
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new("doctor", "Check what this machine needs to run a drive.", "drive doctor", "drive doctor --json | jq -r '.[] | select(.verdict != \"ok\") | .advice'");
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            IReadOnlyList<Check> checks = await DriveService.Create().CheckAsync(cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(checks, CliJson.Default.IReadOnlyListCheck));
            }
            else
            {
                foreach (Check check in checks)
                {
                    Terminal.Print($"{check.Verdict.ToString().ToLowerInvariant(),-4}  {check.Subject,-12} {check.Finding}");
                    if (check.Advice is not null)
                    {
                        Terminal.Print($"      {"",-12} -> {check.Advice}");
                    }
                }
            }

            return (int)(checks.Any(check => check.Verdict == Verdict.Fail) ? ExitCode.No : ExitCode.Done);
        });
        return command;
    }
}
