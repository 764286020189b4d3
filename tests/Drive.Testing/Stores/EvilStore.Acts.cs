using Drive.Core.Stores;

namespace Drive.Testing.Stores;

/// <content>What a malicious store can do to what it shows.</content>
public sealed partial class EvilStore
{
    private readonly List<ObjectInfo> _ghosts = [];
    private int? _listSeed;

    /// <summary>How many puts and deletes there were: a moment that the store can be put back to.</summary>
    public int Moment
    {
        get
        {
            lock (_lock)
            {
                return _history.Count;
            }
        }
    }

    /// <summary>Turns one bit over.</summary>
    public async Task FlipAsync(ObjectName name, long bit)
    {
        byte[] content = await CopyAsync(name);
        content[bit / 8] ^= (byte)(1 << (int)(bit % 8));
        Show(name, content);
    }

    /// <summary>Keeps the first bytes only.</summary>
    public async Task CutAsync(ObjectName name, int length) => Show(name, (await CopyAsync(name))[..length]);

    /// <summary>Adds bytes at the end.</summary>
    public async Task ExtendAsync(ObjectName name, byte[] more) => Show(name, [.. await CopyAsync(name), .. more]);

    /// <summary>Writes other bytes over some: a version, a suite, a number of rounds.</summary>
    public async Task DowngradeAsync(ObjectName name, int offset, byte[] field)
    {
        byte[] content = await CopyAsync(name);
        field.CopyTo(content, offset);
        Show(name, content);
    }

    /// <summary>Each under the other's name.</summary>
    public async Task SwapAsync(ObjectName name, ObjectName other)
    {
        byte[] content = await CopyAsync(name);
        Show(name, await CopyAsync(other));
        Show(other, content);
    }

    /// <summary>Shows these bytes under a name, whatever was there: an old version, another vault's object, garbage.</summary>
    public void Show(ObjectName name, byte[] content)
    {
        lock (_lock)
        {
            _shown[name.Value] = content;
        }
    }

    /// <summary>Shows the object as absent.</summary>
    public void Remove(ObjectName name)
    {
        lock (_lock)
        {
            _shown[name.Value] = null;
        }
    }

    /// <summary>The whole store as it was at a moment. From then on it goes its own way: puts are kept here only.</summary>
    public void RollBackTo(int moment)
    {
        lock (_lock)
        {
            _isApart = true;
            _shown.Clear();
            foreach ((string name, byte[]? content) in _history.Take(moment))
            {
                if (content is null)
                {
                    _shown.Remove(name);
                }
                else
                {
                    _shown.TryAdd(name, content);
                }
            }
        }
    }

    /// <summary>What is shown now stays: what others put afterwards is not seen.</summary>
    public async Task FreezeAsync()
    {
        IReadOnlyList<KeyValuePair<string, byte[]>> shown = await ShownAsync();
        lock (_lock)
        {
            _isApart = true;
            _shown.Clear();
            foreach ((string name, byte[] content) in shown)
            {
                _shown.Add(name, content);
            }
        }
    }

    /// <summary>A second view with the same objects, which from now on goes its own way.</summary>
    public async Task<EvilStore> ForkAsync()
    {
        var fork = new EvilStore(_inner) { _isApart = true };
        foreach ((string name, byte[] content) in await ShownAsync())
        {
            fork._shown.Add(name, content);
        }

        lock (_lock)
        {
            fork._history.AddRange(_history);
        }

        return fork;
    }

    /// <summary>Listings come in another order from now on, and with names that are not there.</summary>
    public void DisorderListings(int seed, params ObjectInfo[] ghosts)
    {
        _listSeed = seed;
        _ghosts.AddRange(ghosts);
    }

    /// <summary>Puts that slept on their way arrive, in their order. Nobody hears the answers.</summary>
    public async Task ReleaseLateAsync()
    {
        List<(ObjectName Name, byte[] Content)> late;
        lock (_lock)
        {
            late = [.. _late];
            _late.Clear();
        }

        foreach ((ObjectName name, byte[] content) in late)
        {
            await MakeAsync(name, content, CancellationToken.None);
        }
    }

    /// <summary>The truth from now on: what the honest store has.</summary>
    public void Heal()
    {
        Lie = static _ => EvilLie.None;
        lock (_lock)
        {
            _isApart = false;
            _shown.Clear();
            _ghosts.Clear();
            _listSeed = null;
        }
    }

    private IEnumerable<ObjectInfo> Reorder(List<ObjectInfo> infos)
    {
        infos.AddRange(_ghosts);
        if (_listSeed is { } seed)
        {
            var random = new Random(seed);
            for (int i = infos.Count - 1; i > 0; i--)
            {
                int other = random.Next(i + 1);
                (infos[i], infos[other]) = (infos[other], infos[i]);
            }
        }

        return infos;
    }

    private async Task<byte[]> CopyAsync(ObjectName name) =>
        await ShownAsync(name) is { } content ? [.. content] : throw new InvalidOperationException($"There is no {name} to change.");
}
