using System.Collections.Concurrent;
using Drive.Core.Stores;
using Drive.Testing.Stores;

namespace Drive.Engine.Tests.Checkpoints;

/// <summary>A store that notes what is asked of it, and gives other bytes, none, or a failure in place of some objects.</summary>
internal sealed class CheckpointStore(IObjectStore inner) : ForwardingStore(inner)
{
    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>What a get answers instead of what is there.</summary>
    public Func<string, byte[]?, byte[]?> Answer { get; set; } = static (_, content) => content;

    /// <summary>Whether a put fails.</summary>
    public Func<string, bool> Refuses { get; set; } = static _ => false;

    public override async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        Refuses(name.Value)
            ? throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, "No answer.")
            : await base.PutIfAbsentAsync(name, content, cancellationToken);

    public override async Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        Asked.Enqueue(name.Value);
        return Answer(name.Value, await base.GetAsync(name, bytesMax, cancellationToken));
    }
}
