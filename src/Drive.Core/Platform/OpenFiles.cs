namespace Drive.Core.Platform;

/// <summary>
/// A bounded set of files that stay open between uses, by path; the one unused longest is closed when there are too many.
/// A file in use is never closed under its user. Threads: all calls may run at once.
/// </summary>
public sealed class OpenFiles : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Func<string, IDiskFile?> _open;
    private readonly int _filesMax;

    // Guarded by _gate. The list runs from the file used last to the one used longest ago.
    private readonly Dictionary<string, LinkedListNode<Entry>> _byPath = [];
    private readonly LinkedList<Entry> _byUse = [];

    /// <summary>An empty set that opens files with <paramref name="open"/> and keeps at most <paramref name="filesMax"/> that nobody uses.</summary>
    public OpenFiles(Func<string, IDiskFile?> open, int filesMax)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(filesMax);
        _open = open;
        _filesMax = filesMax;
    }

    /// <summary>The file, opened if need be; <see cref="Lease.File"/> is null when there is none. Dispose the lease after use.</summary>
    public Lease Rent(string path)
    {
        lock (_gate)
        {
            if (_byPath.TryGetValue(path, out LinkedListNode<Entry>? node))
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
                node.Value.Users++;
                return new Lease(this, node.Value);
            }
        }

        if (_open(path) is not { } file)
        {
            return default;
        }

        lock (_gate)
        {
            var entry = new Entry(path, file) { Users = 1 };
            if (_byPath.ContainsKey(path))
            {
                // Somebody else opened it meanwhile: this one is used once and closed.
                entry.IsDropped = true;
                return new Lease(this, entry);
            }

            _byPath.Add(path, _byUse.AddFirst(entry));
            Trim();
            return new Lease(this, entry);
        }
    }

    /// <summary>Closes the file, now or when its last user is done; the next <see cref="Rent"/> opens it anew.</summary>
    public void Drop(string path)
    {
        lock (_gate)
        {
            if (_byPath.TryGetValue(path, out LinkedListNode<Entry>? node))
            {
                Drop(node);
            }
        }
    }

    /// <summary>Closes all files, those in use when their users are done.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            while (_byUse.First is { } node)
            {
                Drop(node);
            }
        }
    }

    private void Trim()
    {
        LinkedListNode<Entry>? node = _byUse.Last;
        while (_byUse.Count > _filesMax && node is not null)
        {
            LinkedListNode<Entry>? newer = node.Previous;
            if (node.Value.Users == 0)
            {
                Drop(node);
            }

            node = newer;
        }
    }

    private void Drop(LinkedListNode<Entry> node)
    {
        _byPath.Remove(node.Value.Path);
        _byUse.Remove(node);
        node.Value.IsDropped = true;
        if (node.Value.Users == 0)
        {
            node.Value.File.Dispose();
        }
    }

    private void Return(Entry entry)
    {
        lock (_gate)
        {
            entry.Users--;
            if (entry is { Users: 0, IsDropped: true })
            {
                entry.File.Dispose();
            }
        }
    }

    /// <summary>The use of a file; disposing it ends the use, not the file.</summary>
    public readonly struct Lease : IDisposable
    {
        private readonly OpenFiles? _owner;
        private readonly Entry? _entry;

        internal Lease(OpenFiles owner, Entry entry)
        {
            _owner = owner;
            _entry = entry;
        }

        /// <summary>The open file, or null when there is none under that path.</summary>
        public IDiskFile? File => _entry?.File;

        /// <inheritdoc/>
        public void Dispose() => _owner?.Return(_entry!);
    }

    internal sealed class Entry(string path, IDiskFile file)
    {
        public string Path { get; } = path;

        public IDiskFile File { get; } = file;

        public int Users { get; set; }

        public bool IsDropped { get; set; }
    }
}
