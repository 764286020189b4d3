using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Metadata;
using Drive.Vault;

namespace Drive.Engine.Reading;

/// <summary>
/// Reads one segment from a far store soon after the start, for nobody: what the first read of a process has to compile (some 400 methods, 50 ms, more than a round trip)
/// is ready when somebody waits for it. Costs one request of at most 64 KiB, and none when the block is in the cache.
/// </summary>
internal static class Rehearsal
{
    // The mount comes first.
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

    private const int RowsSeen = 64;

    public static async Task RunAsync(MetadataStore metadata, BlockReader blocks, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(Delay, time, cancellationToken);
            if (metadata.ReadAllBlocks(RowsSeen).FirstOrDefault()?.MaxBy(static row => row.PlainLength) is not { } row)
            {
                return;
            }

            byte[] segment = new byte[BlockSegments.PlainLengthOf(row.PlainLength, 0)];
            blocks.FetchAhead(segment, [(row.Block, 0, segment.Length)]);
            await blocks.ReadAsync(row.Block, 0, segment, cancellationToken);
            await blocks.ReadAsync(row.Block, 0, segment.AsMemory(0, 1), cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
        catch (Exception error) when (error is StoreException or FsException or VaultException or VaultIntegrityException or IOException or MetadataCorruptException)
        {
            // Who reads it is told.
        }
    }
}
