using System.Runtime.CompilerServices;
using Drive.Core.Stores;

namespace Drive.Testing.Stores;

/// <summary>
/// A malicious store around an honest one. What it shows can be changed object by object or as a whole (<c>EvilStore.Acts.cs</c>), and single calls can be
/// answered falsely (<see cref="Lie"/>). It never changes an object of the honest store: <see cref="Heal"/> ends all of it. All it can use against a
/// client is what clients gave it, and bytes of its own: it has no keys. Calls may come from several threads; acts come between them.
/// </summary>
public sealed partial class EvilStore : IObjectStore
{
    private readonly IObjectStore _inner;
    private readonly Lock _lock = new();

    // Guarded by _lock. What is shown in place of what the honest store has; null: shown as absent.
    private readonly Dictionary<string, byte[]?> _shown = new(StringComparer.Ordinal);
    private readonly List<(string Name, byte[]? Content)> _history = [];
    private readonly List<(ObjectName Name, byte[] Content)> _late = [];
    private bool _isApart;
    private int _calls;
    private int _puts;

    private EvilStore(IObjectStore inner)
    {
        _inner = inner;
        Description = inner.Description;
    }

    /// <summary>How a call is answered; the index of a put counts puts only, that of other calls all calls.</summary>
    public Func<StoreCall, EvilLie> Lie { get; set; } = static _ => EvilLie.None;

    /// <summary>More calls than this are taken for a client that goes round and round.</summary>
    public int CallsMax { get; set; } = int.MaxValue;

    public int Puts => Volatile.Read(ref _puts);

    /// <summary>As the honest store describes itself, until a test says otherwise: a store that is not local is read through the client's cache.</summary>
    public StoreDescription Description { get; set; }

    /// <summary>Around a store that may hold objects already: they are its first moments, in no known order.</summary>
    public static async Task<EvilStore> OverAsync(IObjectStore inner)
    {
        var store = new EvilStore(inner);
        await foreach (ObjectInfo info in inner.ListAsync("", CancellationToken.None))
        {
            store._history.Add((info.Name.Value, await inner.GetAsync(info.Name, int.MaxValue, CancellationToken.None)));
        }

        return store;
    }

    public async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Count(cancellationToken);
        EvilLie lie = Lie(new StoreCall(StoreCallKind.Put, name.Value, Interlocked.Increment(ref _puts) - 1));
        if (lie is EvilLie.Late or EvilLie.LateDuplicate)
        {
            lock (_lock)
            {
                _late.Add((name, content.ToArray()));
            }
        }

        if (lie is EvilLie.LoseRequest or EvilLie.Late)
        {
            throw EvilLies.Lost($"The put of {name} got no answer");
        }

        if (lie is EvilLie.KeepNothing or EvilLie.SayTaken)
        {
            return lie == EvilLie.KeepNothing;
        }

        bool isMade = await MakeAsync(name, content, cancellationToken);
        return lie switch
        {
            EvilLie.LoseReply => throw EvilLies.Lost($"The answer to the put of {name} was lost"),
            EvilLie.Duplicate => await MakeAsync(name, content, cancellationToken),
            _ => isMade,
        };
    }

    public async Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        byte[]? content = await AnswerAsync(StoreCallKind.Get, name, cancellationToken);
        return content?.Length > bytesMax
            ? throw new StoreException(StoreErrorKind.TooLarge, isTransient: false, $"{name} has {content.Length} bytes, more than {bytesMax}.")
            : content;
    }

    public async ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        byte[]? content = await AnswerAsync(StoreCallKind.GetRange, name, cancellationToken);
        if (content is null)
        {
            return null;
        }

        int count = (int)Math.Clamp(content.Length - offset, 0, destination.Length);
        content.AsSpan((int)Math.Min(offset, content.Length), count).CopyTo(destination.Span);
        return count;
    }

    public async Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) =>
        (await AnswerAsync(StoreCallKind.GetLength, name, cancellationToken))?.Length;

    public async Task DeleteAsync(ObjectName name, CancellationToken cancellationToken)
    {
        Count(cancellationToken);
        bool isApart;
        lock (_lock)
        {
            _history.Add((name.Value, null));
            isApart = _isApart;
            if (isApart)
            {
                _shown.Remove(name.Value);
            }
            else if (_shown.ContainsKey(name.Value))
            {
                _shown[name.Value] = null;
            }
        }

        if (!isApart)
        {
            await _inner.DeleteAsync(name, cancellationToken);
        }
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Count(cancellationToken);
        List<ObjectInfo> infos = [];
        foreach ((string name, byte[] content) in await ShownAsync())
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) || prefix.Length == 0)
            {
                infos.Add(new ObjectInfo(new ObjectName(name), content.Length));
            }
        }

        foreach (ObjectInfo info in Reorder(infos))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return info;
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => _inner.GetSpaceAsync(cancellationToken);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    /// <summary>What this store shows, by name, in the order of names.</summary>
    public async Task<IReadOnlyList<KeyValuePair<string, byte[]>>> ShownAsync()
    {
        SortedDictionary<string, byte[]> result = new(StringComparer.Ordinal);
        if (!IsApart)
        {
            await foreach (ObjectInfo info in _inner.ListAsync("", CancellationToken.None))
            {
                if (await _inner.GetAsync(info.Name, int.MaxValue, CancellationToken.None) is { } content)
                {
                    result[info.Name.Value] = content;
                }
            }
        }

        lock (_lock)
        {
            foreach ((string name, byte[]? content) in _shown)
            {
                result.Remove(name);
                if (content is not null)
                {
                    result.Add(name, content);
                }
            }
        }

        return [.. result];
    }

    /// <summary>The object as it is shown, without a lie; null: absent.</summary>
    public async Task<byte[]?> ShownAsync(ObjectName name)
    {
        lock (_lock)
        {
            if (_shown.TryGetValue(name.Value, out byte[]? content) || _isApart)
            {
                return content;
            }
        }

        return await _inner.GetAsync(name, int.MaxValue, CancellationToken.None);
    }

    private bool IsApart
    {
        get
        {
            lock (_lock)
            {
                return _isApart;
            }
        }
    }

    private async Task<bool> MakeAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _history.Add((name.Value, content.ToArray()));
            if (_shown.TryGetValue(name.Value, out byte[]? shown))
            {
                if (shown is null)
                {
                    _shown[name.Value] = content.ToArray();
                }

                return shown is null;
            }

            if (_isApart)
            {
                _shown.Add(name.Value, content.ToArray());
                return true;
            }
        }

        return await _inner.PutIfAbsentAsync(name, content, cancellationToken);
    }

    private async ValueTask<byte[]?> AnswerAsync(StoreCallKind kind, ObjectName name, CancellationToken cancellationToken)
    {
        int index = Count(cancellationToken);
        EvilLie lie = Lie(new StoreCall(kind, name.Value, index));
        byte[]? content = lie switch
        {
            EvilLie.LoseRequest => throw EvilLies.Lost($"{name} got no answer"),
            EvilLie.SayAbsent => null,
            EvilLie.Stale => FindOlder(name.Value),
            _ => await ShownAsync(name),
        };
        return lie switch
        {
            EvilLie.WrongRange when content is { Length: > 0 } => [.. content.AsSpan(1), 0x5A],
            EvilLie.TooShort when content is { Length: > 0 } => content[..^1],
            EvilLie.TooLong when content is not null => [.. content, 0x5A],
            _ => content,
        };
    }

    private byte[]? FindOlder(string name)
    {
        string folder = name[..(name.IndexOf('/', StringComparison.Ordinal) + 1)];
        lock (_lock)
        {
            byte[]? older = null;
            foreach ((string other, byte[]? content) in _history)
            {
                if (other == name)
                {
                    break;
                }

                older = folder.Length > 0 && other.StartsWith(folder, StringComparison.Ordinal) && content is not null ? content : older;
            }

            return older;
        }
    }

    private int Count(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int index = Interlocked.Increment(ref _calls) - 1;
        return index < CallsMax ? index : throw new InvalidOperationException($"The client asked {CallsMax} times and does not come to an end.");
    }
}
