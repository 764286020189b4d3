using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Journal;
using Drive.Metadata;
using Drive.Vault.Log;

namespace Drive.Engine.Tree;

/// <summary>
/// What one local commit writes: the state after a prefix of the calls. Made under the gate, written outside it, and kept when writing
/// fails for want of space, so that the very same is tried again.
/// </summary>
internal sealed class SavePoint
{
    /// <summary>The last change it holds.</summary>
    public required long Change { get; init; }

    /// <summary>Rows; the dirty rows of <see cref="Items"/> are added once their chunks have a place in the log.</summary>
    public required MetadataBatch Batch { get; init; }

    /// <summary>The vault as it was known then.</summary>
    public required VaultState Pin { get; init; }

    /// <summary>The device's next node.</summary>
    public required long NodeCounter { get; init; }

    /// <summary>Its rows on their way into the log; null while they are not encoded, or when there are none to keep.</summary>
    public JournalEntry? Journal { get; set; }

    /// <summary>Chunks to log, oldest first.</summary>
    public List<DirtyChunk> Chunks { get; } = [];

    /// <summary>Items the database lacks.</summary>
    public List<(NodeId Node, OverlayItem Item)> Items { get; } = [];

    /// <summary>Logged chunks that nothing will point to once this is saved.</summary>
    public List<DirtyChunk> Releases { get; } = [];

    /// <summary>Whether it counts the epoch up, which the journal does not know of.</summary>
    public bool EndsEpoch { get; set; }

    /// <summary>Whether the journal, flushed before the database gets the rows, makes all of it durable.</summary>
    public bool IsCovered => Journal is not null && !EndsEpoch;

    /// <summary>Whether the dirty rows are in the batch already (a second try).</summary>
    public bool HasDirtyRows { get; set; }
}
