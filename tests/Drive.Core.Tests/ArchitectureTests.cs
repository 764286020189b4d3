using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Drive.Core.Tests;

/// <summary>
/// Holds the arrows between the projects and the size of files. A project may reference only what stands here; a new arrow
/// is a decision, made in this table first.
/// </summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Drive.Core"] = [],
        ["Drive.Disk"] = ["Drive.Core"],
        ["Drive.Vault"] = ["Drive.Core"],
        ["Drive.Stores"] = ["Drive.Core"],
        ["Drive.Metadata"] = ["Drive.Core"],
        ["Drive.Cache"] = ["Drive.Core"],
        ["Drive.Engine"] = ["Drive.Core", "Drive.Vault", "Drive.Metadata", "Drive.Cache"],
        ["Drive.Backup"] = ["Drive.Core", "Drive.Disk"],
        ["Drive.Sync"] = ["Drive.Core"],
        ["Drive.Fuse"] = ["Drive.Core"],
        ["Drive.WinFsp"] = ["Drive.Core"],
        ["Drive.Web"] = ["Drive.Core"],
        ["Drive.Control"] = ["Drive.Core"],
        ["Drive.Service"] =
        [
            "Drive.Core", "Drive.Disk", "Drive.Vault", "Drive.Stores", "Drive.Metadata", "Drive.Cache", "Drive.Engine", "Drive.Backup", "Drive.Sync",
            "Drive.Fuse", "Drive.WinFsp", "Drive.Web", "Drive.Control",
        ],
        ["Drive.Server"] = ["Drive.Core", "Drive.Disk", "Drive.Stores"],
        ["Drive.Cli"] = ["Drive.Disk", "Drive.Control", "Drive.Service", "Drive.Server"],
    };

    /// <summary>The fuzzer stands at the parsers, which are nobody else's business.</summary>
    private const string Fuzzing = "Drive.Fuzzing";

    /// <summary>The micro-benchmarks measure the dispatcher without a kernel.</summary>
    private const string Micro = "Drive.Micro";

    private static readonly string[] WordsThatNameNothing = ["Common", "Utils", "Util", "Utilities", "Helpers", "Helper", "Manager", "Misc", "Shared"];

    private static readonly string Root = FindRoot();

    private static readonly string[] ProjectPaths = [.. Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .Select(static path => Path.GetRelativePath(Root, path)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Projects() => [.. ProjectPaths];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_table_allows(string project)
    {
        string name = Path.GetFileNameWithoutExtension(project);
        Assert.True(Allowed.ContainsKey(name), $"{name} is not in the table of projects.");
        Assert.Empty(References(project).Except(Allowed[name]));
    }

    [Fact]
    public void Core_needs_no_package() => Assert.Empty(Load("src/Drive.Core/Drive.Core.csproj").Descendants("PackageReference"));

    [Fact]
    public void A_project_shows_its_insides_only_to_its_own_tests_the_fuzzer_and_the_micro_benchmarks()
    {
        foreach (string project in ProjectPaths)
        {
            string name = Path.GetFileNameWithoutExtension(project);
            Assert.All(Load(project).Descendants("InternalsVisibleTo"), item => Assert.Contains(item.Attribute("Include")!.Value, (string[])[name + ".Tests", Fuzzing, Micro]));
        }
    }

    [Fact]
    public void The_table_itself_has_no_circle()
    {
        foreach (string name in Allowed.Keys)
        {
            Assert.DoesNotContain(name, Reachable(name));
        }
    }

    [Fact]
    public void No_project_or_folder_has_a_name_that_names_nothing()
    {
        string[] folders = [.. Directory.GetDirectories(Path.Combine(Root, "src"), "*", SearchOption.AllDirectories).Where(IsSource)];
        Assert.NotEmpty(folders);
        Assert.All(folders, static folder => Assert.Empty(Path.GetFileName(folder).Split('.').Intersect(WordsThatNameNothing, StringComparer.OrdinalIgnoreCase)));
    }

    [Fact]
    public void No_source_file_has_more_than_500_lines()
    {
        string[] files = [.. Directory.GetFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories).Where(IsSource)];
        Assert.NotEmpty(files);
        Assert.All(files, static file => Assert.InRange(File.ReadLines(file).Count(), 0, 500));
    }

    [Fact]
    public void No_source_file_has_regions()
    {
        IEnumerable<string> files = Directory.GetFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories).Where(IsSource);
        Assert.All(files, static file => Assert.DoesNotContain("#region", File.ReadAllText(file), StringComparison.Ordinal));
    }

    private static IEnumerable<string> References(string project) => Load(project).Descendants("ProjectReference")
        .Select(static item => item.Attribute("Include")!.Value.Replace('\\', '/'))
        .Select(static path => Path.GetFileNameWithoutExtension(path));

    private static XDocument Load(string project) => XDocument.Load(Path.Combine(Root, project));

    private static HashSet<string> Reachable(string name)
    {
        HashSet<string> seen = [];
        Stack<string> open = new(Allowed[name]);
        while (open.TryPop(out string? next))
        {
            if (seen.Add(next))
            {
                foreach (string further in Allowed[next])
                {
                    open.Push(further);
                }
            }
        }

        return seen;
    }

    private static bool IsSource(string path) =>
        !Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar).Any(static part => part is "bin" or "obj");

    private static string FindRoot([CallerFilePath] string here = "")
    {
        for (DirectoryInfo? folder = new(Path.GetDirectoryName(here)!); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Drive.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("Drive.sln is in no folder above the tests' sources.");
    }
}
