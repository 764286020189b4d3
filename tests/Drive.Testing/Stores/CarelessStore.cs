using Drive.Core.Stores;

namespace Drive.Testing.Stores;

/// <summary>A store of class C: each put replaces what has the name, and says that it made it.</summary>
public sealed class CarelessStore(IObjectStore inner) : ForwardingStore(inner)
{
    private readonly SemaphoreSlim _onePut = new(1);
    private readonly List<ObjectName> _replaced = [];

    /// <summary>Names that were given again with other bytes: what must not happen.</summary>
    public IReadOnlyList<ObjectName> Replaced
    {
        get
        {
            lock (_replaced)
            {
                return [.. _replaced];
            }
        }
    }

    /// <summary>What happens before a put that is to be made: for who comes in between.</summary>
    public Func<ObjectName, Task> BeforePut { get; set; } = static _ => Task.CompletedTask;

    public override async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await BeforePut(name);
        await _onePut.WaitAsync(cancellationToken);
        try
        {
            if (await GetAsync(name, int.MaxValue, cancellationToken) is { } there)
            {
                if (!there.AsSpan().SequenceEqual(content.Span))
                {
                    lock (_replaced)
                    {
                        _replaced.Add(name);
                    }
                }

                await DeleteAsync(name, cancellationToken);
            }

            return await base.PutIfAbsentAsync(name, content, cancellationToken);
        }
        finally
        {
            _onePut.Release();
        }
    }
}
