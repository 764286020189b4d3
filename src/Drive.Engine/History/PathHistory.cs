using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata;

namespace Drive.Engine.History;

/// <summary>How a version at a path ended.</summary>
public enum VersionEnd
{
    /// <summary>It is there.</summary>
    None,

    /// <summary>Another version of the same node followed.</summary>
    Changed,

    /// <summary>Another node took the name.</summary>
    Replaced,

    /// <summary>The node is elsewhere since, or has other names still.</summary>
    Moved,

    /// <summary>It was deleted.</summary>
    Deleted,
}

/// <summary>What a path showed for some time.</summary>
/// <param name="Row">The node.</param>
/// <param name="From">The commit from which on it did; provisional while it is not committed.</param>
/// <param name="To">The commit from which on it did not; <see cref="Epochs.Open"/> while it does.</param>
/// <param name="End">How that came.</param>
public sealed record PathVersion(NodeRow Row, long From, long To, VersionEnd End);

/// <summary>All that a path ever showed, from the versions of rows: names that led there, through directories that came and went.</summary>
internal static class PathHistory
{
    /// <summary>Versions of a path that history still has, oldest first.</summary>
    public static List<PathVersion> Find(MetadataStore metadata, IReadOnlyList<byte[]> path)
    {
        List<(NodeId Node, long From, long To)> spans = [(NodeId.Root, 0, Epochs.Open)];
        foreach (byte[] name in path)
        {
            List<(NodeId, long, long)> below = [];
            foreach ((NodeId directory, long from, long to) in spans)
            {
                foreach (EntryVersion entry in metadata.ReadEntryVersions(directory, name))
                {
                    (long first, long end) = (Math.Max(from, entry.From), Math.Min(to, entry.To));
                    if (first < end)
                    {
                        below.Add((entry.Node, first, end));
                    }
                }
            }

            spans = below;
        }

        spans.Sort(static (a, b) => a.From.CompareTo(b.From));
        return Versions(metadata, Join(spans));
    }

    private static List<PathVersion> Versions(MetadataStore metadata, List<(NodeId Node, long From, long To)> spans)
    {
        List<PathVersion> versions = [];
        for (int index = 0; index < spans.Count; index++)
        {
            (NodeId node, long from, long to) = spans[index];
            bool isReplaced = index + 1 < spans.Count && spans[index + 1].From == to;
            foreach (NodeVersion version in metadata.ReadNodeVersions(node))
            {
                (long first, long end) = (Math.Max(from, version.From), Math.Min(to, version.To));
                if (first < end && version.Row.LinkCount > 0)
                {
                    VersionEnd how = end == Epochs.Open ? VersionEnd.None
                        : end < to ? VersionEnd.Changed
                        : isReplaced ? VersionEnd.Replaced
                        : metadata.FindNode(node, end) is { LinkCount: > 0 } ? VersionEnd.Moved
                        : VersionEnd.Deleted;
                    versions.Add(new PathVersion(version.Row, first, end, how));
                }
            }
        }

        return versions;
    }

    /// <summary>The same node under the same path over a rename of a directory and back, without a gap, is one span.</summary>
    private static List<(NodeId Node, long From, long To)> Join(List<(NodeId Node, long From, long To)> spans)
    {
        List<(NodeId Node, long From, long To)> joined = [];
        foreach ((NodeId Node, long From, long To) span in spans)
        {
            if (joined is [.., var last] && last.Node == span.Node && last.To == span.From)
            {
                joined[^1] = last with { To = span.To };
            }
            else
            {
                joined.Add(span);
            }
        }

        return joined;
    }
}
