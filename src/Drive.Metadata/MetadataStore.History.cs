using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>The past: when which commit was made.</summary>
public sealed partial class MetadataStore
{
    /// <summary>Moments of the commits from <paramref name="first"/> to <paramref name="last"/>, newest first. Some may be of states that the vault forgot: see <see cref="KeptHistory"/>.</summary>
    public IReadOnlyList<MomentRow> ReadMoments(long first, long last, int countMax) => Read(() => _moments.Read(first, last, countMax));

    /// <summary>When a commit was made, or null where that is not known here.</summary>
    public MomentRow? FindMoment(long seq) => Read(() => _moments.Find(seq));

    /// <summary>
    /// The last kept state whose commit was made at a time (nanoseconds since 1970 UTC) or before, by the clocks of the devices: the one with the highest seq. Null when history does not go so far back.
    /// </summary>
    public MomentRow? FindMomentAt(long time, KeptHistory kept)
    {
        ArgumentNullException.ThrowIfNull(kept);
        return Read(() => _moments.FindAt(time, kept));
    }

    /// <summary>Nodes that names in a directory led to before, as far as this device knows of it.</summary>
    public IReadOnlyList<NodeId> ReadPastNodes(NodeId directory) => Read(() => _entries.ReadPastNodes(directory));

    /// <summary>Extents of a node that hold no longer, in no order.</summary>
    public IReadOnlyList<ExtentRow> ReadEndedExtents(NodeId node) => Read(() => _extents.ReadEnded(node));
}
