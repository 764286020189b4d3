using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;
using Drive.Metadata;

namespace Drive.Engine.Merging;

/// <summary>The committed tree that both sides of a merge changed, as far as a merge asks.</summary>
internal sealed class BaseTree(MetadataStore metadata, long seq)
{
    public NodeRow? FindNode(NodeId node) => metadata.FindNode(node, seq);

    /// <summary><see cref="NodeId.None"/> when there is no such name.</summary>
    public NodeId FindName(NameKey name) => metadata.FindEntry(name.Node, name.Name, seq)?.Node ?? NodeId.None;

    /// <summary>One of a node's names. Slow: asked only where two devices touched the same node.</summary>
    public EntryRow? FindNameOf(NodeId node) => metadata.FindNameOf(node, seq);

    public IReadOnlyList<XattrRow> ReadXattrs(NodeId node) => metadata.ReadXattrs(node, seq);
}
