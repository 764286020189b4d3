using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>Pinned and evicted files on a mounted drive, whose store goes away.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class PinTests
{
    [MountFact]
    public void A_pinned_file_opens_without_the_store_and_one_that_is_not_here_fails_at_once()
    {
        using DriveHome home = new();

        // A folder that answers as a store far away does: its packs are fetched into the cache.
        string store = Path.Combine(home.Root, "store");
        home.Do("init", $"file://{store}?latency=1ms");
        home.Do("mount", "drive", home.Mount);
        string folder = Directory.CreateDirectory(Path.Combine(home.Mount, "travel")).FullName;
        string ticket = Path.Combine(folder, "ticket");
        string film = Path.Combine(home.Mount, "film");
        byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
        File.WriteAllBytes(ticket, content);
        home.Do("wait", "--timeout", "60");
        File.WriteAllBytes(film, RandomNumberGenerator.GetBytes(9_000_000));
        home.Do("wait", "--timeout", "60");
        home.Do("umount");
        Directory.Delete(Path.Combine(home.Home, "cache"), recursive: true);
        home.Do("mount", "drive", home.Mount);

        Assert.Contains("pinned 1 file, 2.9 MiB", home.Do("pin", folder).Output, StringComparison.Ordinal);
        DriveHome.Eventually(() => home.Status().GetProperty("pins").GetProperty("toFetch").GetProperty("files").GetInt64() == 0, "the folder is here");
        Assert.Contains("pinned        1 file, 2.9 MiB" + Environment.NewLine, home.Do("status").Output + Environment.NewLine, StringComparison.Ordinal);
        Assert.StartsWith("cloud, pinned", home.Do("status", ticket).Output, StringComparison.Ordinal);
        JsonElement states = JsonDocument.Parse(home.Do("status", ticket, film, "--json").Output).RootElement;
        Assert.Equal((true, false), (states[0].GetProperty("pinned").GetBoolean(), states[1].GetProperty("pinned").GetBoolean()));

        Directory.Move(store, store + ".away");
        Shell.Do("sh", "-c", "echo 3 > /proc/sys/vm/drop_caches");
        Assert.Equal(content, File.ReadAllBytes(ticket));
        Assert.Throws<IOException>(() => File.ReadAllBytes(film));
        DriveHome.Eventually(() => home.Status().GetProperty("storeState").GetString() == "unreachable", "it is known that the store is away");
        long started = Stopwatch.GetTimestamp();
        Assert.Throws<IOException>(() => File.ReadAllBytes(film));

        // A second of patience; the rest is what a busy machine takes.
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10), $"{Stopwatch.GetElapsedTime(started)}");
        Directory.Move(store + ".away", store);
        DriveHome.Eventually(() => home.Status().GetProperty("storeState").GetString() == "reachable", "it is heard that the store is back");
        Assert.Equal(9_000_000, File.ReadAllBytes(film).Length);

        Assert.StartsWith("freed ", home.Do("evict", film).Output, StringComparison.Ordinal);
        Refuse(ExitCode.Failed, "It is pinned", "evict", ticket);
        Refuse(ExitCode.NotFound, "is not on", "pin", Path.Combine(home.Mount, "nothing"));
        Refuse(ExitCode.NotFound, "does not lie on a mounted drive", "pin", home.Root);
        Refuse(ExitCode.NotFound, "is not pinned by itself", "unpin", ticket);

        // Over a restart; then it is let go.
        home.Do("umount");
        home.Do("mount", "drive", home.Mount);
        DriveHome.Eventually(() => home.Status().GetProperty("pins").GetProperty("pinned").GetProperty("files").GetInt64() == 1, "the pin is known again");
        home.Do("unpin", folder);
        Assert.DoesNotContain("pinned", home.Do("status").Output, StringComparison.Ordinal);
        Assert.StartsWith("freed ", home.Do("evict", home.Mount).Output, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllBytes(ticket));

        void Refuse(ExitCode code, string why, params string[] line)
        {
            Ran refused = home.Run(line);
            Assert.True(refused.Code == (int)code && refused.Error.Contains(why, StringComparison.Ordinal), refused.ToString());
        }
    }
}
