using Drive.Backup;

namespace Drive.Service.Backups;

/// <summary>
/// Hears of changes below a set's paths (inotify by way of the runtime). It may miss some and report what is left out: it only says that a run is worth while, and the run
/// looks for itself. Where the system cannot watch so much, <see cref="IsBlind"/> says so.
/// </summary>
internal sealed class ChangeWatch : IDisposable
{
    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly Action _changed;
    private readonly IReadOnlyList<string> _never;
    private volatile bool _isBlind;

    /// <param name="set">The set.</param>
    /// <param name="rules">What is left out below one of its paths.</param>
    /// <param name="never">Paths that no set holds, such as our own state, which changes all the time.</param>
    /// <param name="changed">Called on any thread.</param>
    public ChangeWatch(BackupSet set, Func<BackupSet, string, IPathRules> rules, IReadOnlyList<string> never, Action changed)
    {
        _changed = changed;
        _never = never;
        foreach (string path in set.Paths)
        {
            try
            {
                Add(path, Directory.Exists(path) ? rules(set, path) : null);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
            {
                _isBlind = true;
            }
        }
    }

    /// <summary>Whether changes may go by unheard.</summary>
    public bool IsBlind => _isBlind;

    public void Dispose() => _watchers.ForEach(static watcher => watcher.Dispose());

    private void Add(string path, IPathRules? rules)
    {
        FileSystemWatcher watcher = new(rules is null ? Path.GetDirectoryName(path)! : path)
        {
            IncludeSubdirectories = rules is not null,
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.Attributes | NotifyFilters.CreationTime,
        };
        if (rules is null)
        {
            watcher.Filters.Add(Path.GetFileName(path));
        }

        _watchers.Add(watcher);
        watcher.Changed += Heard;
        watcher.Created += Heard;
        watcher.Deleted += Heard;
        watcher.Renamed += Heard;
        watcher.Error += (_, error) =>
        {
            // A full queue lost events, so there were some. Anything else means that part of the tree is not watched.
            _isBlind |= error.GetException() is not InternalBufferOverflowException;
            _changed();
        };
        watcher.EnableRaisingEvents = true;

        void Heard(object sender, FileSystemEventArgs change)
        {
            if (rules is null || change.Name is not { } name || !(_never.Any(path => IsIn(change.FullPath, path)) || IsLeftOut(rules, name)))
            {
                _changed();
            }
        }
    }

    private static bool IsIn(string path, string folder) => path.StartsWith(folder, StringComparison.Ordinal) && (path.Length == folder.Length || path[folder.Length] == '/');

    // Of what is left out nothing is to be heard. Whether the last part was a folder is not known any more: taken for a file it is heard rather than missed.
    private static bool IsLeftOut(IPathRules rules, string path)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            if (rules.IsExcluded(path[..slash], isDirectory: true))
            {
                return true;
            }
        }

        return rules.IsExcluded(path, isDirectory: false);
    }
}
