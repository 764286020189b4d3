using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary><c>drive check</c> and <c>drive du</c> on real mounts, with packs taken away and damaged behind the drive's back.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class CheckTests
{
    [MountFact]
    public void A_folder_that_loses_packs_is_found_out_by_file_and_healed_from_the_cache()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");

        // Made to answer as from far away, so that this machine keeps a cache.
        home.Do("up", home.Mount, "--store", $"file://{store}?latency=1ms");
        string photos = Directory.CreateDirectory(Path.Combine(home.Mount, "photos")).FullName;
        byte[] content = new byte[3_000_000];
        new Random(5).NextBytes(content);
        File.WriteAllBytes(Path.Combine(photos, "one"), content);
        File.WriteAllBytes(Path.Combine(photos, "twin"), content);
        home.Do("wait");
        File.WriteAllText(Path.Combine(home.Mount, "text"), string.Concat(Enumerable.Repeat("much of the same ", 20_000)));
        home.Do("wait");

        Assert.Contains("All that the drive shows is there", home.Do("check").Output, StringComparison.Ordinal);
        JsonElement full = JsonDocument.Parse(home.Do("check", "--read-data", "--json").Output).RootElement;
        Assert.Equal(2, full.GetProperty("packsRead").GetInt64());
        Assert.Equal((int)ExitCode.Usage, home.Run("check", "--read-data", "7").Code);
        Assert.Equal((int)ExitCode.Usage, home.Run("check", "--search-packs").Code);
        home.Do("check", "--repair", "--search-packs");

        JsonElement cost = JsonDocument.Parse(home.Do("du", "--json").Output).RootElement;
        JsonElement folder = cost.GetProperty("folders")[0];
        Assert.Equal(("photos", 2), (folder.GetProperty("name").GetString(), folder.GetProperty("files").GetInt64()));
        Assert.Equal(6_000_000, folder.GetProperty("size").GetInt64());
        Assert.Equal(3_000_000, folder.GetProperty("savedByDedup").GetInt64());
        Assert.InRange(folder.GetProperty("stored").GetInt64(), 3_000_000, 3_010_000);
        Assert.Equal(0, folder.GetProperty("history").GetInt64());
        Assert.InRange(cost.GetProperty("total").GetProperty("savedByCompression").GetInt64(), 300_000, 340_000);

        // An older version costs what it did; the folder's own line says so, and so does the text.
        File.Delete(Path.Combine(photos, "one"));
        File.Delete(Path.Combine(photos, "twin"));
        File.WriteAllText(Path.Combine(photos, "small"), "x");
        home.Do("wait");
        Assert.InRange(JsonDocument.Parse(home.Do("du", photos, "--json").Output).RootElement.GetProperty("total").GetProperty("history").GetInt64(), 3_000_000, 3_010_000);
        Assert.Contains("photos/", home.Do("du").Output, StringComparison.Ordinal);

        // All packs go; what was written here is in the cache.
        foreach (string pack in Packs())
        {
            File.Delete(pack);
        }

        Ran found = home.Run("check");
        Assert.Equal((int)ExitCode.No, found.Code);
        Assert.Contains("Lacks", found.Output, StringComparison.Ordinal);
        Assert.Contains("/photos/small", found.Output, StringComparison.Ordinal);
        Assert.Contains("--repair", found.Error, StringComparison.Ordinal);
        Assert.Contains("sent again", home.Do("check", "--repair").Output, StringComparison.Ordinal);
        home.Do("check", "--read-data");
        home.Do("umount");

        // Not mounted; one byte of one pack is another. A second machine reads what is there.
        string damaged = Packs().OrderBy(static pack => new FileInfo(pack).Length).Last();
        byte[] bytes = File.ReadAllBytes(damaged);
        bytes[bytes.Length / 2] ^= 1;
        File.Delete(damaged);
        File.WriteAllBytes(damaged, bytes);
        home.Do("check");
        Ran read = home.Run("check", "--read-data");
        Assert.True(read.Code == (int)ExitCode.No && read.Output.Contains("seals do not hold: 1 of", StringComparison.Ordinal), read.ToString());
        home.Do("check", "--read-data", "--repair");

        IEnumerable<string> Packs() => Directory.EnumerateFiles(Path.Combine(store, "packs"), "*", SearchOption.AllDirectories).ToList();
    }
}
