using Drive.Core.Volumes;
using Drive.Engine.Content;

namespace Drive.Engine.Upload;

/// <summary>
/// An epoch as it was when it ended: what the next commit will hold. Its rows are in the database under the epoch's number; here is the content of
/// files as it was at that moment, with its chunks pinned.
/// </summary>
internal sealed class Capture
{
    public required long Epoch { get; init; }

    /// <summary>The last change it holds.</summary>
    public required long Change { get; init; }

    public required DateTimeOffset OldestChange { get; init; }

    /// <summary>Whether something of the epoch was left to the next: then what was done up to <see cref="Change"/> is not all in the commit.</summary>
    public bool IsPartial { get; set; }

    public List<CapturedFile> Files { get; } = [];

    /// <summary>Nodes of any kind that changed in the epoch.</summary>
    public required HashSet<NodeId> Nodes { get; init; }

    public long DataBytes => Files.Sum(static file => file.Items.Sum(static item => (long)item.Length));
}

/// <summary>Uncommitted content of one file at one moment: disjoint items and holes, sorted.</summary>
/// <param name="Node">The file.</param>
/// <param name="Size">Its length then.</param>
/// <param name="Items">Data; every chunk is in the dirty log.</param>
/// <param name="Holes">Zeros over whatever extents there are.</param>
internal sealed record CapturedFile(NodeId Node, long Size, IReadOnlyList<OverlayItem> Items, IReadOnlyList<ByteRange> Holes);
