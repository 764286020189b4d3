using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine.History;

/// <summary>
/// What a restore changed that the kernel did not ask for: it keeps names, attributes and content, and must be told. Told in parts, so that a long restore shows as it goes. Not for several threads.
/// </summary>
internal sealed class ChangedByUs(Volume volume)
{
    /// <summary>Changes told at once. Arbitrary.</summary>
    private const int PartMax = 1000;

    private readonly HashSet<NameKey> _names = [];
    private readonly Dictionary<NodeId, bool> _nodes = [];

    /// <summary>A name in a directory came, went, or means another node.</summary>
    public void Name(NodeId parent, byte[] name)
    {
        _names.Add(new NameKey(parent, name));
        Node(parent, content: true);
    }

    /// <summary>Attributes of a node changed, or its content as well.</summary>
    public void Node(NodeId node, bool content)
    {
        _nodes[node] = content || _nodes.GetValueOrDefault(node);
        if (_names.Count + _nodes.Count >= PartMax)
        {
            Tell();
        }
    }

    /// <summary>Tells what was not told yet.</summary>
    public void Tell()
    {
        volume.Tell(_names, _nodes);
        _names.Clear();
        _nodes.Clear();
    }
}
