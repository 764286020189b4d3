using Drive.Backup.Patterns;
using Drive.Testing;

namespace Drive.Backup.Tests.Patterns;

/// <summary>git as the judge, on random patterns in random folders of one tree.</summary>
public sealed class GitTests
{
    private static readonly string[] Parts = ["a", "b", "c", "ab", "-", " ", "*", "*", "**", "**/", "/**", "?", "/", "/", "[ab]", "[!a]", "[^b-c]", "[]a]", "[a-", "[[:alpha:]]", "[[:space:]b]", "[\\]b]", "\\a", "\\*", "\\ ", "\\", ".", "!", "#"];
    private static readonly string[] Names = ["a", "b", "c", "ab", "abc", "ba", "a b", "-", "]", "a*", "b ", "#a", "!b", "a.b"];

    [GitTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(0)]
    public void The_answers_are_gits_also_for_a_seed_nobody_chose(int seed)
    {
        int drawn = seed != 0 ? seed : Environment.TickCount;
        Random random = new(drawn);
        string top = Directory.CreateTempSubdirectory("drive-ignore-").FullName;
        try
        {
            List<string> folders = [""];
            List<string> files = [];
            MakeTree(top, "", 0, random, folders, files);
            Git(top, "init", "-q");
            for (int round = 0; round < 40; round++)
            {
                Dictionary<string, string[]> rules = [];
                foreach (string folder in folders)
                {
                    string file = Path.Combine(top, folder, ".gitignore");
                    File.Delete(file);
                    if (folder.Length == 0 || random.Next(4) == 0)
                    {
                        rules[folder] = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Pattern(random))];
                        File.WriteAllLines(file, rules[folder]);
                    }
                }

                string[] all = [.. folders.Where(static folder => folder.Length > 0), .. files];
                ProgramRun said = Git(top, "check-ignore", "--no-index", "--stdin", "-z", string.Join('\0', all));
                string[] expected = [.. said.Output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
                string[] ours = [.. all.Where(path => IsExcluded(path, folders.Contains(path), rules)).Order(StringComparer.Ordinal)];
                Assert.True(expected.SequenceEqual(ours), $"seed {drawn}, round {round}: {string.Join("; ", rules.Select(static pair => $"{pair.Key}: '{string.Join("' '", pair.Value)}'"))}\ngit only: {string.Join(", ", expected.Except(ours))}\nours only: {string.Join(", ", ours.Except(expected))}");
            }
        }
        finally
        {
            Directory.Delete(top, recursive: true);
        }
    }

    private static bool IsExcluded(string path, bool isDirectory, Dictionary<string, string[]> files)
    {
        IPathRules rules = files.TryGetValue("", out string[]? lines) ? IgnoreRules.None.Enter("", lines) : IgnoreRules.None;
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            if (rules.IsExcluded(path[..slash], true))
            {
                return true;
            }

            rules = files.TryGetValue(path[..slash], out lines) ? rules.Enter(path[..slash], lines) : rules;
        }

        return rules.IsExcluded(path, isDirectory);
    }

    private static string Pattern(Random random)
    {
        string pattern = string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => Parts[random.Next(Parts.Length)]));
        return random.Next(5) == 0 ? "!" + pattern : pattern;
    }

    private static void MakeTree(string top, string folder, int depth, Random random, List<string> folders, List<string> files)
    {
        foreach (string name in Names.Where(_ => random.Next(3) > 0))
        {
            string path = folder.Length == 0 ? name : folder + "/" + name;
            if (depth < 3 && random.Next(4) == 0)
            {
                Directory.CreateDirectory(Path.Combine(top, path));
                folders.Add(path);
                MakeTree(top, path, depth + 1, random, folders, files);
            }
            else
            {
                File.WriteAllBytes(Path.Combine(top, path), []);
                files.Add(path);
            }
        }
    }

    private static ProgramRun Git(string top, params string[] arguments)
    {
        string input = arguments is ["check-ignore", .., var last] ? last : "";
        string[] line = input.Length > 0 ? arguments[..^1] : arguments;
        ProgramRun ran = ProgramRun.Of("git", ["-C", top, .. line], TimeSpan.FromSeconds(60), input, new Dictionary<string, string> { ["GIT_CONFIG_GLOBAL"] = "/dev/null", ["GIT_CONFIG_SYSTEM"] = "/dev/null", ["HOME"] = top, ["XDG_CONFIG_HOME"] = top });
        Assert.True(ran.Code is 0 or 1, ran.ToString());
        return ran;
    }
}

/// <summary>Skipped where git is not installed; the table of <see cref="IgnoreRulesTests"/> has what it says.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GitTheoryAttribute : TheoryAttribute
{
    public GitTheoryAttribute() =>
        Skip = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(static folder => File.Exists(Path.Combine(folder, "git"))) ? null! : "not installed: git";
}
