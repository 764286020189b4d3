namespace Drive.Backup.Patterns;

/// <summary>
/// What is left out below one path of a set: the patterns of its presets, then those of the set, then those of each folder's <c>.driveignore</c> on the way down. The last one
/// that says something of a path decides. What lies in a folder that is left out is not asked about, so nothing can be taken out of it, as in git.
/// Threads: any.
/// </summary>
public sealed class IgnoreRules : IPathRules
{
    /// <summary>A file of this name has patterns for its folder and all below.</summary>
    public const string FileName = ".driveignore";

    /// <summary>Nothing is left out.</summary>
    public static readonly IgnoreRules None = new(null, "", [], null);

    private readonly IgnoreRules? _outer;
    private readonly string _folder;
    private readonly IgnorePattern[] _patterns;
    private readonly CacheTag? _tags;

    private IgnoreRules(IgnoreRules? outer, string folder, IReadOnlyList<string> lines, CacheTag? tags)
    {
        _tags = tags;
        _outer = outer;
        _folder = folder;
        _patterns = [.. lines.Select(static (line, i) => IgnorePattern.Parse(i == 0 ? line.TrimStart('\uFEFF') : line)).OfType<IgnorePattern>()];
    }

    /// <summary>The rules of a set below one of its paths. A <see cref="FormatException"/> for a preset that is unknown.</summary>
    /// <param name="set">The set.</param>
    /// <param name="path">The path of the set, absolute.</param>
    /// <param name="home">The user's home directory, where the presets find some things.</param>
    public static IgnoreRules ForSet(BackupSet set, string path, string home)
    {
        ArgumentNullException.ThrowIfNull(set);
        IgnoreRules presets = new(null, "", [.. set.Presets.SelectMany(name => Preset.Get(name).PatternsBelow(path, home))], null);
        return new IgnoreRules(presets, "", set.Excludes, set.Presets.Contains(Preset.Caches) ? new CacheTag(path) : null);
    }

    /// <inheritdoc/>
    public bool IsExcluded(string relativePath, bool isDirectory)
    {
        ArgumentNullException.ThrowIfNull(relativePath);
        for (IgnoreRules? rules = this; rules is not null; rules = rules._outer)
        {
            ReadOnlySpan<char> below = rules._folder.Length == 0 ? relativePath : relativePath.AsSpan(rules._folder.Length + 1);
            for (int i = rules._patterns.Length - 1; i >= 0; i--)
            {
                if (rules._patterns[i].Says(below, isDirectory))
                {
                    return !rules._patterns[i].IsNegated;
                }
            }
        }

        return _tags?.IsBeside(relativePath) == true;
    }

    /// <inheritdoc/>
    public IPathRules Enter(string folderRelative, IReadOnlyList<string> lines) => new IgnoreRules(this, folderRelative, lines, _tags);
}
