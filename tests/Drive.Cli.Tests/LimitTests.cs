using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>Limits of the rates on a mounted drive.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class LimitTests
{
    private const long Mebibyte = 1 << 20;

    // What goes before the first wait: an object whole, and the next of the same moment.
    private const long OnePackBytes = 8 * Mebibyte;

    [MountFact]
    public void A_mounted_drive_sends_and_fetches_no_faster_than_its_limits_which_can_be_changed_and_are_remembered()
    {
        using DriveHome home = new();

        // A folder that answers as one far away does: its packs are fetched.
        string store = $"file://{home.Root}/store?latency=1ms";
        home.Do("init", store);
        home.Do("mount", "drive", home.Mount, "--limit-up", "8M", "--limit-down", "00:00-12:00=8M,8M", "--poll", "2s");
        JsonElement limits = home.Status().GetProperty("limits");
        Assert.Equal((8 * Mebibyte, 8 * Mebibyte), (limits.GetProperty("upNow").GetInt64(), limits.GetProperty("downNow").GetInt64()));
        Assert.Contains("limits        up 8.0 MiB/s, down 8.0 MiB/s now", home.Do("status").Output, StringComparison.Ordinal);

        byte[] film = RandomNumberGenerator.GetBytes((int)(32 * Mebibyte));
        long started = Stopwatch.GetTimestamp();
        File.WriteAllBytes(Path.Combine(home.Mount, "film"), film);
        home.Do("wait", "--timeout", "80");

        // A slow machine makes it longer, never shorter.
        AssertNoFaster(started, Up(home), 8 * Mebibyte);
        home.Do("umount");
        Directory.Delete(Path.Combine(home.Home, "cache"), recursive: true);

        // Remembered; and changed while it is mounted.
        home.Do("mount", "drive", home.Mount);
        Assert.Equal(8 * Mebibyte, home.Status().GetProperty("limits").GetProperty("downNow").GetInt64());
        Assert.Equal("up 8.0 MiB/s, down 4.0 MiB/s\n", home.Do("limit", "drive", "--down", "4M").Output);
        started = Stopwatch.GetTimestamp();
        Assert.Equal(film, File.ReadAllBytes(Path.Combine(home.Mount, "film")));
        long fetched = home.Status().GetProperty("traffic").GetProperty("down").GetInt64();
        Assert.True(fetched > 32 * Mebibyte, $"{fetched} bytes");
        AssertNoFaster(started, fetched, 4 * Mebibyte);
        Assert.Equal("up off, down off\n", home.Do("limit", "drive", "--up", "off", "--down", "off").Output);
        Assert.DoesNotContain("limits", home.Do("status").Output, StringComparison.Ordinal);
        home.Do("umount");
        Assert.DoesNotContain("limit", File.ReadAllText(Path.Combine(home.Home, "config", "vaults.json")), StringComparison.Ordinal);
        Assert.Contains("\"pollSeconds\": 2", File.ReadAllText(Path.Combine(home.Home, "config", "vaults.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_limit_or_interval_is_refused_before_anything_happens()
    {
        using DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        Refuse("is no limit", "mount", "drive", home.Mount, "--limit-up", "fast");
        Refuse("is no limit", "mount", "drive", home.Mount, "-o", "limit_down=25:00-26:00=1M;2M");
        Refuse("is no interval", "mount", "drive", home.Mount, "--poll", "0.1s");
        Refuse("is no limit", "limit", "drive", "--up", "12");
        Assert.Equal((int)ExitCode.NotFound, home.Run("limit", "other", "--up", "1M").Code);
        Assert.Equal("up 1.0 MiB/s, down off\n", home.Do("limit", "drive", "--up", "1M").Output);
        Assert.Equal("up 1.0 MiB/s, down off\n", home.Do("limit", "drive").Output);

        void Refuse(string why, params string[] line)
        {
            Ran refused = home.Run(line);
            Assert.True(refused.Code == (int)ExitCode.Usage && refused.Error.Contains(why, StringComparison.Ordinal), refused.ToString());
        }
    }

    private static long Up(DriveHome home) => home.Status().GetProperty("traffic").GetProperty("up").GetInt64();

    private static void AssertNoFaster(long started, long bytes, long rate)
    {
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double least = (bytes - (2.0 * OnePackBytes)) / rate;
        Assert.True(seconds >= least, $"{bytes} bytes in {seconds:0.00} s, where {least:0.00} s are the least");
    }
}
