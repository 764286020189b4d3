namespace Drive.Service.Backups;

/// <summary>Whether the way to the internet is paid for by the byte, as NetworkManager sees it. Where it is not at work nobody knows, and nothing rests.</summary>
internal static class MeteredLink
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    private static readonly string[] Question = ["--terse", "--fields", "GENERAL.STATE,GENERAL.METERED,IP4.GATEWAY,IP6.GATEWAY", "device", "show"];

    /// <summary>Asks.</summary>
    public static async Task<bool> IsMeteredAsync(TimeProvider time, CancellationToken cancellationToken) =>
        await OutsideProgram.RunAsync("nmcli", Question, new Dictionary<string, string> { ["LC_ALL"] = "C" }, AnswerTime, time, cancellationToken) is (0, var output) && IsMetered(output);

    /// <summary>Whether every device that has a gateway is metered, by what nmcli(1) prints: lines FIELD:VALUE, an empty one after each device.</summary>
    public static bool IsMetered(string output)
    {
        bool isMetered = false;
        foreach (string device in output.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string? metered = null;
            bool hasGateway = false;
            foreach (string line in device.Split('\n'))
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                string value = colon < 0 ? "" : line[(colon + 1)..].Trim();
                if (line.StartsWith("GENERAL.METERED:", StringComparison.Ordinal))
                {
                    metered = value;
                }
                else if (line.StartsWith("IP", StringComparison.Ordinal) && line.Contains(".GATEWAY:", StringComparison.Ordinal))
                {
                    hasGateway |= value is not ("" or "--");
                }
            }

            if (hasGateway && metered?.StartsWith("yes", StringComparison.Ordinal) != true)
            {
                return false;
            }

            isMetered |= hasGateway;
        }

        return isMetered;
    }
}
