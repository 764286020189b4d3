using System.Globalization;

namespace Drive.Service.Backups;

/// <summary>What the kernel says of batteries (/sys/class/power_supply). A machine that says nothing is on mains.</summary>
internal static class PowerSupply
{
    /// <summary>Where the kernel says it.</summary>
    public const string Folder = "/sys/class/power_supply";

    /// <summary>Below this a battery is spared. Arbitrary: room to find a socket.</summary>
    public const int PercentMin = 30;

    /// <summary>The charge in percent while the machine runs on batteries; null on mains, or where that is not known.</summary>
    public static int? BatteryPercent(string folder)
    {
        int? fullest = null;
        bool isDischarging = false;
        try
        {
            foreach (string supply in Directory.EnumerateDirectories(folder))
            {
                // A mouse has a battery too.
                if (Read(supply, "scope") == "Device")
                {
                    continue;
                }

                string type = Read(supply, "type");
                if (type is "Mains" or "USB" && Read(supply, "online") == "1")
                {
                    return null;
                }

                if (type == "Battery" && int.TryParse(Read(supply, "capacity"), NumberStyles.None, CultureInfo.InvariantCulture, out int percent))
                {
                    isDischarging |= Read(supply, "status") == "Discharging";
                    fullest = Math.Max(fullest ?? 0, percent);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return isDischarging ? fullest : null;
    }

    private static string Read(string supply, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(supply, name)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not every supply has every file, and one may be unplugged just now.
            return "";
        }
    }
}
