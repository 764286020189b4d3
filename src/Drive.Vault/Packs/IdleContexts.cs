using System.Collections.Concurrent;

namespace Drive.Vault.Packs;

/// <summary>
/// What a compressor keeps between two calls, for the next one: up to a mebibyte that would else be made and cleared for each segment. As many wait as there are processors; others are freed.
/// </summary>
internal sealed class IdleContexts<T>(Func<T> make)
    where T : class, IDisposable
{
    private readonly ConcurrentStack<T> _idle = [];

    /// <summary>For one thread, until it is returned.</summary>
    public T Rent() => _idle.TryPop(out T? idle) ? idle : make();

    /// <summary>Once, by who rented it. Whatever it did, its next use begins anew.</summary>
    public void Return(T context)
    {
        if (_idle.Count < Environment.ProcessorCount)
        {
            _idle.Push(context);
        }
        else
        {
            context.Dispose();
        }
    }
}
