namespace Drive.Core.Volumes;

/// <summary>
/// The identity of a node (inode) in a vault, stable for the node's life and the same on every device.
/// It is what <c>st_ino</c> shows. The upper 20 bits are the number of the device that made the node
/// (<see cref="Compose"/>), so two devices never pick the same one. Two of them are never set: the uppermost tells a node from a handle
/// (<see cref="HandleId.Of"/>), the next one a node of the past, on a mount that shows it beside those of now.
/// </summary>
/// <param name="Value">The raw number; 0 is no node, 1 the root.</param>
public readonly record struct NodeId(ulong Value)
{
    private const int CounterBits = 44;

    /// <summary>No node.</summary>
    public static NodeId None => default;

    /// <summary>The root directory of every volume.</summary>
    public static NodeId Root => new(1);

    /// <summary>The id that device <paramref name="deviceNumber"/> gives to its <paramref name="counter"/>-th node.</summary>
    public static NodeId Compose(int deviceNumber, ulong counter)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(deviceNumber);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(deviceNumber, 1 << 18);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(counter, 1UL << CounterBits);
        return new(((ulong)deviceNumber << CounterBits) | counter);
    }

    /// <inheritdoc/>
    public override string ToString() => $"#{Value:x}";
}

/// <summary>An open file or directory of one volume. Never reused while the volume lives.</summary>
/// <param name="Value">The raw number; 0 is no handle.</param>
public readonly record struct HandleId(ulong Value)
{
    private const ulong NodeBit = 1UL << 63;

    /// <summary>No handle.</summary>
    public static HandleId None => default;

    /// <summary>The node that stands in for a handle (<see cref="Of"/>); <see cref="NodeId.None"/> for a handle that was opened.</summary>
    public NodeId Node => (Value & NodeBit) != 0 ? new(Value & ~NodeBit) : NodeId.None;

    /// <summary>
    /// A regular file in place of a handle to it, for an adapter that is not told of every open and close. It reads and writes; whether the caller may, the
    /// adapter has checked. It is not closed: the file stays usable until <see cref="IVolume.Forget"/>.
    /// </summary>
    public static HandleId Of(NodeId node) => new(node.Value | NodeBit);
}
