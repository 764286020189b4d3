using System.Diagnostics.CodeAnalysis;
using Drive.Core.Volumes;
using Drive.Engine.Content;

namespace Drive.Engine.Tree;

/// <summary>A name within a node: of an entry in a directory, or of an extended attribute.</summary>
internal readonly record struct NameKey(NodeId Node, byte[] Name)
{
    public static IEqualityComparer<NameKey> Comparer { get; } = new KeyComparer();

    private sealed class KeyComparer : IEqualityComparer<NameKey>
    {
        public bool Equals(NameKey x, NameKey y) => x.Node == y.Node && x.Name.AsSpan().SequenceEqual(y.Name);

        public int GetHashCode([DisallowNull] NameKey obj) => HashCode.Combine(obj.Node, NameComparer.Instance.GetHashCode(obj.Name));
    }
}

/// <summary>
/// What changed in memory since the last local commit took its changes. The last word on each key counts: a name made and removed in
/// between is written as removed only. Guarded by the volume's gate.
/// </summary>
internal sealed class PendingChanges
{
    public List<Node> Nodes { get; } = [];

    public List<Node> AccessTimes { get; } = [];

    public List<NodeId> RemovedNodes { get; } = [];

    public Dictionary<NameKey, Entry> Entries { get; } = new(NameKey.Comparer);

    public Dictionary<NameKey, byte[]?> Xattrs { get; } = new(NameKey.Comparer);

    public HashSet<Node> Contents { get; } = [];

    /// <summary>Rows of dirty ranges of files that are gone.</summary>
    public List<(NodeId Node, long Offset)> RemovedDirtyRows { get; } = [];

    /// <summary>Chunks in memory, oldest first.</summary>
    public List<DirtyChunk> Chunks { get; } = [];

    /// <summary>Logged chunks that died: their records may go once the database no longer points to them.</summary>
    public List<DirtyChunk> Releases { get; } = [];

    public bool IsEmpty =>
        Nodes.Count + AccessTimes.Count + RemovedNodes.Count + Entries.Count + Xattrs.Count + Contents.Count + RemovedDirtyRows.Count + Chunks.Count + Releases.Count == 0;
}
