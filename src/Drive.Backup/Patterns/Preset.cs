namespace Drive.Backup.Patterns;

/// <summary>Patterns under a name, for what hardly anybody wants in a backup. docs/operating.md lists them.</summary>
public sealed class Preset
{
    private readonly string[] _anywhere;
    private readonly string[] _inHome;

    private Preset(string name, string[] anywhere, string[] inHome)
    {
        Name = name;
        _anywhere = anywhere;
        _inHome = inHome;
    }

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Preset> All { get; } =
    [
        new(
            Caches,
            ["node_modules/", "__pycache__/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".tox/", ".ccache/", ".sass-cache/", ".parcel-cache/"],
            [
                ".cache/", ".thumbnails/", ".npm/_cacache/", ".nuget/packages/", ".m2/repository/", ".gradle/caches/", ".cargo/registry/", ".cargo/git/", "go/pkg/mod/",
                ".config/*/Cache/", ".config/*/Code Cache/", ".config/*/GPUCache/", ".var/app/*/cache/",
            ]),
        new("temporary", ["*.tmp", "*~", "*.swp", "*.part", "*.crdownload", ".~lock.*#", ".nfs*"], []),
        new("trash", [".Trash/", ".Trash-*/", "lost+found/"], [".local/share/Trash/"]),
    ];

    /// <summary>Their names, for messages and help.</summary>
    public const string Names = "caches, temporary, trash";

    /// <summary>The one that leaves out what lies in folders with a CACHEDIR.TAG, too.</summary>
    public const string Caches = "caches";

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The preset of a name, or a <see cref="FormatException"/> that lists those there are.</summary>
    public static Preset Get(string name) => All.FirstOrDefault(preset => preset.Name == name)
        ?? throw new FormatException($"'{name}' is no preset: there are {Names}.");

    /// <summary>Its patterns below a path of a set. Those for the home directory go by where that lies, and are none where a set is about such a place itself.</summary>
    public IEnumerable<string> PatternsBelow(string path, string home) => [.. _anywhere, .. _inHome.Select(pattern => Below(path, home, pattern)).OfType<string>()];

    private static string? Below(string path, string home, string pattern)
    {
        string[] top = Parts(path);
        string[] house = Parts(home);
        int same = top.Zip(house).TakeWhile(static pair => pair.First == pair.Second).Count();
        if (same == top.Length)
        {
            return "/" + string.Concat(house[same..].Select(static part => IgnorePattern.Quote(part) + "/")) + pattern;
        }

        // The path lies in the home: what is left of the pattern, if it leads there.
        string[] rest = pattern.Split('/');
        int deeper = top.Length - house.Length;
        return same == house.Length && deeper < rest.Length - 1 && top[house.Length..].Zip(rest).All(static pair => Wildmatch.IsMatch(pair.Second, pair.First))
            ? "/" + string.Join('/', rest[deeper..])
            : null;
    }

    private static string[] Parts(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);
}
