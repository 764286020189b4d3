namespace Drive.Core.Volumes;

/// <summary>Takes directory entries one by one; a reusable object of the adapter, so listing allocates nothing.</summary>
/// <remarks>The volume calls it with no lock held that another of its calls waits for: the adapter takes a lock of its own here, under which it may call the volume.</remarks>
public interface IDirectoryWriter
{
    /// <summary>Takes one entry, or returns false when it is full: then this entry must be offered first in the next call.</summary>
    /// <param name="name">The name; valid only during the call.</param>
    /// <param name="attributes">The node's attributes. "." and ".." come as well and carry at least node and type.</param>
    /// <param name="nextCookie">Where to go on after this entry.</param>
    bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie);
}

/// <summary>
/// Told by a volume what changed other than by the adapter's own calls (another device, a rewind), so that caches above
/// can be dropped. Called from a thread of the volume's that holds no lock and serves no request.
/// </summary>
public interface IVolumeObserver
{
    /// <summary>Attributes, and content when <paramref name="contentChanged"/>, of the node are no longer what was told.</summary>
    void NodeChanged(NodeId node, bool contentChanged);

    /// <summary>The name in that directory came, went, or names another node.</summary>
    void EntryChanged(NodeId parent, ReadOnlySpan<byte> name);
}
