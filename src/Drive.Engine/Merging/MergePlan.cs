using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine.Merging;

/// <summary>What the changes made here become on top of another device's commit.</summary>
internal sealed class MergePlan
{
    /// <summary>Rows against the tree after that commit, closed ones as they stand there. No extents.</summary>
    public RowChanges Rows { get; } = new();

    /// <summary>Files that both wrote to: this machine's content goes on under a new node, whose row is among <see cref="Rows"/>.</summary>
    public List<(NodeId From, NodeId To)> Copies { get; } = [];

    /// <summary>Files that the other device removed and that live on, with all their content.</summary>
    public HashSet<NodeId> Revived { get; } = [];

    /// <summary>Files that both wrote to, the same bytes: nothing of this machine's is left to send.</summary>
    public HashSet<NodeId> Settled { get; } = [];

    /// <summary>Nodes that are in the tree no longer.</summary>
    public HashSet<NodeId> Dropped { get; } = [];

    /// <summary>Names given to what would have stood where the other device's file stands.</summary>
    public List<NameKey> Conflicts { get; } = [];

    /// <summary>All names that either side, or the merge, changed.</summary>
    public HashSet<NameKey> Names { get; } = new(NameKey.Comparer);
}
