using Drive.Core.Stores;
using Drive.Testing.Stores;

namespace Drive.Security.Tests;

/// <summary>A store that notes every put as it leaves the client, whatever becomes of it.</summary>
internal sealed class SentStore(IObjectStore inner, List<KeyValuePair<string, byte[]>> sent) : ForwardingStore(inner)
{
    public override Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        lock (sent)
        {
            sent.Add(new(name.Value, content.ToArray()));
        }

        return base.PutIfAbsentAsync(name, content, cancellationToken);
    }
}
