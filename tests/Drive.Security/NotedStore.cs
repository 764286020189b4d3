using Drive.Core.Stores;
using Drive.Testing.Stores;

namespace Drive.Security;

/// <summary>A store that notes what is put, in order.</summary>
internal sealed class NotedStore(IObjectStore inner, List<KeyValuePair<string, byte[]>> puts) : ForwardingStore(inner)
{
    public override async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        bool isMade = await base.PutIfAbsentAsync(name, content, cancellationToken);
        if (isMade)
        {
            puts.Add(new(name.Value, content.ToArray()));
        }

        return isMade;
    }
}
