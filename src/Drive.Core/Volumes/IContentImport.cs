using Drive.Core.Rows;

namespace Drive.Core.Volumes;

/// <summary>
/// Bulk content for a volume, past the local disk: it goes straight into packs of the store, and files are then made to show it. What backup sets write with.
/// Names, attributes and links are made by calls of <see cref="IVolume"/>.
/// </summary>
/// <remarks>
/// <para><b>Order.</b> Bytes are added to a batch; <see cref="IImportBatch.CommitAsync"/> makes them part of the vault, whatever becomes of this machine then; after that files may be made to show them.</para>
/// <para><b>Crash.</b> What was added and not committed is found again by the next batch after a restart, unless it was on its way to the store just then: nothing that the store has is sent twice.
/// What was committed and is shown by no file is garbage, and is collected as such.</para>
/// <para><b>Store.</b> A store that is away is waited for; cancelling ends the wait. Where the volume sends nothing (it is read-only, or another device is the vault's single writer) calls throw
/// <see cref="FsException"/> with a line for people.</para>
/// </remarks>
public interface IContentImport
{
    /// <summary>Begins a batch. Several may be open at once, each used by one thread at a time.</summary>
    ValueTask<IImportBatch> BeginImportAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Makes the content of a regular file just these pieces, and holes between them, in one step; Ok and no change when it is that already. <see cref="FsStatus.Stale"/> when the vault has forgotten one of
    /// the blocks meanwhile: then it is to be added anew. Times become now, as by a write.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="size">Its length.</param>
    /// <param name="pieces">In order, not overlapping, each within one 1 MiB-aligned part of the file; of committed batches that are not disposed yet.</param>
    FsStatus SetContent(NodeId file, long size, IReadOnlyList<ContentPiece> pieces);

    /// <summary>Waits until everything that was done on the volume is committed in the store, and hurries it. Returns the seq of the log's head then.</summary>
    Task<long> CommitTreeAsync(CancellationToken cancellationToken);

    /// <summary>Adds where the content of a file lies in the store, in order; what is not in a pack yet is left out.</summary>
    FsStatus ListStored(NodeId file, ICollection<StoredPiece> pieces);

    /// <summary>A reader of what the store has now, for one pass of one thread: it holds some MiB of what it read last.</summary>
    IStoredReader OpenStored();

    /// <summary>Lets nothing of the vault's past be forgotten until <see cref="ThawHistoryAsync"/>; one reason for the vault, the first one given. Returns when the log has it.</summary>
    Task FreezeHistoryAsync(string reason, CancellationToken cancellationToken);

    /// <summary>Ends the freeze; nothing happens where there is none.</summary>
    Task ThawHistoryAsync(CancellationToken cancellationToken);

    /// <summary>Tells whoever observes the volume (a kernel that caches) of changes that were made by calls which are not its own. With no lock held.</summary>
    /// <param name="names">Names that came, went, or name another node.</param>
    /// <param name="nodes">Nodes whose attributes or content changed.</param>
    void TellChanged(IReadOnlyCollection<ChangedName> names, IReadOnlyCollection<NodeId> nodes);
}

/// <summary>Reads blocks of the vault from the store itself, past every cache of this machine. Blocks that are read in the order in which they lie in packs come many at a time.</summary>
public interface IStoredReader
{
    /// <summary>
    /// Reads a whole block and proves it: authentic, and with the content that its id stands for. <see cref="FsStatus.Corrupt"/>: the store has lost or changed it; <see cref="FsStatus.Stale"/>: the vault does
    /// not know it any more. <see cref="FsStatus.Unreachable"/> says nothing of it.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="destination">Room for 1 MiB; the count of the result is the block's length.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<IoResult> ReadAsync(BlockId block, Memory<byte> destination, CancellationToken cancellationToken);
}

/// <summary>Content on its way into the vault. Disposing it lets go of what no file was made to show.</summary>
public interface IImportBatch : IAsyncDisposable
{
    /// <summary>Bytes that were put into the store for it: what was new to the vault, compressed and sealed.</summary>
    long SentBytes { get; }

    /// <summary>Takes bytes, 1 to 1 MiB, and says what block of the vault they are. What the vault has is not sent. The memory is the caller's again when it returns.</summary>
    ValueTask<BlockId> AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>When it returns, all that was added is in the store and in the vault's log.</summary>
    Task CommitAsync(CancellationToken cancellationToken);
}

/// <summary>A range of a file that one block holds from the block's start on.</summary>
/// <param name="Offset">Start in the file.</param>
/// <param name="Length">Bytes, 1 to 1 MiB.</param>
/// <param name="Block">The block.</param>
public readonly record struct ContentPiece(long Offset, int Length, BlockId Block);

/// <summary>A range of a file, and where it lies in the store.</summary>
/// <param name="Offset">Start in the file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Block">The block.</param>
/// <param name="BlockOffset">Where the range starts in the block.</param>
/// <param name="Pack">The pack that holds the block.</param>
public readonly record struct StoredPiece(long Offset, int Length, BlockId Block, int BlockOffset, PackId Pack);

/// <summary>A name in a directory.</summary>
/// <param name="Parent">The directory.</param>
/// <param name="Name">The name.</param>
public readonly record struct ChangedName(NodeId Parent, byte[] Name);
