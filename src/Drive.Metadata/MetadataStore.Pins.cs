using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>Nodes that this device keeps the content of. They outlive nodes that are gone: whoever asks looks whether the node is there.</summary>
public sealed partial class MetadataStore
{
    /// <summary>All pinned nodes, by number.</summary>
    public IReadOnlyList<NodeId> ReadPins() => Read(_pins.Read);

    /// <summary>Pins a node; one that is pinned stays so.</summary>
    public void PutPin(NodeId node) => Change(() => _pins.Put(node));

    /// <summary>Takes a pin away; none is no error.</summary>
    public void RemovePin(NodeId node) => Change(() => _pins.Remove(node));
}
