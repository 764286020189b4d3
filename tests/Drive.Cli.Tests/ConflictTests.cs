using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>Conflict copies by name, and what the command does with them.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class ConflictTests
{
    [Theory]
    [InlineData("report (conflict, laptop, 2026-11-22 14-03).txt", "report.txt", "laptop")]
    [InlineData("report (conflict, laptop, 2026-11-22 14-03, 2).txt", "report.txt", "laptop")]
    [InlineData("README (conflict, my, comma (old), 2026-11-22 14-03)", "README", "my, comma (old)")]
    [InlineData("a.tar (conflict, x, 2026-11-22 14-03).gz", "a.tar.gz", "x")]
    [InlineData("b (conflict, x, 2026-11-22 14-03) (conflict, y, 2026-11-22 14-04)", "b (conflict, x, 2026-11-22 14-03)", "y")]
    public void A_copy_is_known_by_its_name(string name, string original, string device)
    {
        ConflictCopy? copy = ConflictCopy.Parse("/d/" + name);
        Assert.Equal(("/d/" + original, device), (copy?.Original, copy?.Device));
    }

    [Theory]
    [InlineData("report.txt")]
    [InlineData("report (conflict, laptop).txt")]
    [InlineData("report (conflict, laptop, 2026-13-22 14-03).txt")]
    [InlineData("report (conflict, laptop, 2026-11-22 14-03)x")]
    public void Another_file_is_none(string name) => Assert.Null(ConflictCopy.Parse("/d/" + name));

    [MountFact]
    public void The_command_lists_copies_on_all_mounts_and_settles_them()
    {
        using DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        Assert.Equal((int)ExitCode.NotFound, home.Run("conflicts").Code);
        home.Do("mount", "drive", home.Mount);
        Assert.Contains("No conflicts", home.Do("conflicts").Error, StringComparison.Ordinal);
        string folder = Directory.CreateDirectory(Path.Combine(home.Mount, "deep", "er")).FullName;
        string Make(string name) => Make2(name, "theirs", "mine");
        string Make2(string name, string? original, string content)
        {
            if (original is not null)
            {
                File.WriteAllText(Path.Combine(folder, name + ".txt"), original);
            }

            string copy = Path.Combine(folder, name + " (conflict, laptop, 2026-11-22 14-03).txt");
            File.WriteAllText(copy, content);
            return copy;
        }

        string a = Make("a");
        string b = Make("b");
        string c = Make("c");
        string alone = Make2("alone", null, "all that is left");
        JsonElement[] listed = [.. JsonDocument.Parse(home.Do("conflicts", "--json").Output).RootElement.EnumerateArray()];
        Assert.Equal([a, alone, b, c], listed.Select(static copy => copy.GetProperty("path").GetString()));
        Assert.Equal([true, false, true, true], listed.Select(static copy => copy.GetProperty("originalExists").GetBoolean()));
        Assert.Contains("of 'laptop', 2026-11-22 14:03 UTC", home.Do("conflicts", folder).Output, StringComparison.Ordinal);

        Assert.Equal((int)ExitCode.Usage, home.Run("conflicts", "--keep", "mine").Code);
        Assert.Equal((int)ExitCode.Usage, home.Run("conflicts", a, "--keep", "ours").Code);
        Assert.Equal((int)ExitCode.Usage, home.Run("conflicts", Path.Combine(folder, "a.txt")).Code);
        home.Do("conflicts", a, "--keep", "mine");
        home.Do("conflicts", b, "--keep", "theirs");
        Assert.Equal((int)ExitCode.Failed, home.Run("conflicts", alone, "--keep", "theirs").Code);
        Assert.Equal("all that is left", File.ReadAllText(alone));
        File.Delete(alone);
        home.Do("conflicts", home.Mount, "--keep", "both");
        Assert.Equal(["a.txt=mine", "b.txt=theirs", "c (laptop).txt=mine", "c.txt=theirs"], Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(static path => $"{Path.GetFileName(path)}={File.ReadAllText(path)}"));
        Assert.Contains("No conflicts", home.Do("conflicts").Error, StringComparison.Ordinal);
    }
}
