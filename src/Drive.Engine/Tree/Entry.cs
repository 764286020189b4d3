using Drive.Core.Volumes;

namespace Drive.Engine.Tree;

/// <summary>A name in a directory, in memory. <see cref="NodeId.None"/> is a name known to be absent.</summary>
internal sealed class Entry(byte[] name, NodeId node, long entryId)
{
    public byte[] Name { get; } = name;

    public NodeId Node { get; } = node;

    /// <summary>Order and cookie of listings.</summary>
    public long EntryId { get; } = entryId;

    /// <summary>Whether it is in the order of its directory's listing.</summary>
    public bool IsListed { get; set; }

    /// <summary>Whether it was removed or replaced; a listing passes it over.</summary>
    public bool IsGone { get; set; }
}
