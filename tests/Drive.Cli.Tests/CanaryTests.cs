using System.Text;

namespace Drive.Cli.Tests;

/// <summary>Nothing that the user wrote may be found anywhere that Drive writes to.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class CanaryTests
{
    private const string Canary = "kanarienvogel";

    [MountFact]
    public void No_name_content_link_target_or_attribute_is_readable_in_the_store_or_on_the_disk()
    {
        using DriveHome home = new();
        string names = Path.Combine(home.Root, "passphrase");
        File.WriteAllText(names, $"{Canary}-pass\n");
        home.Do("up", home.Mount, "--passphrase-file", names);
        File.Delete(names);
        string folder = Directory.CreateDirectory(Path.Combine(home.Mount, $"{Canary}-folder")).FullName;
        string small = Path.Combine(folder, $"{Canary}-small.txt");
        File.WriteAllText(small, $"{Canary} in a small file");
        File.WriteAllText(Path.Combine(folder, "large"), string.Concat(Enumerable.Repeat($"{Canary} again and again. ", 100_000)));
        File.CreateSymbolicLink(Path.Combine(folder, "link"), $"/somewhere/{Canary}-target");
        Shell.Do("python3", "-c", $"import os; os.setxattr('{small}', 'user.{Canary}-name', b'{Canary}-value')");
        home.Do("wait", "--timeout", "80");

        // One change that is in the store, one that is only here, one that came and went.
        File.AppendAllText(small, $"{Canary} unsent");
        File.WriteAllText(Path.Combine(folder, $"{Canary}-gone"), Canary);
        File.Delete(Path.Combine(folder, $"{Canary}-gone"));
        File.Move(small, small + $".{Canary}-renamed");
        home.Do("status", "--json");
        AssertNowhere(home.Home);
        home.Do("umount");
        AssertNowhere(home.Home);
    }

    private static void AssertNowhere(string root)
    {
        byte[][] forms = [Encoding.UTF8.GetBytes(Canary), Encoding.Unicode.GetBytes(Canary), Encoding.BigEndianUnicode.GetBytes(Canary)];
        int searched = 0;
        foreach (string path in Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(Canary, path, StringComparison.OrdinalIgnoreCase);
            if (Directory.Exists(path) || path.EndsWith(".sock", StringComparison.Ordinal))
            {
                continue;
            }

            // By another program: this one's runtime takes locks, and the daemon has its own.
            byte[] content = [.. Convert.FromHexString(Shell.Do("od", "-An", "-v", "-tx1", path).Output.Replace(" ", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal))];
            Assert.All(forms, form => Assert.True(content.AsSpan().IndexOf(form) < 0, $"'{path}' tells"));
            searched++;
        }

        Assert.True(searched > 5, "there was nothing to search");
    }
}
