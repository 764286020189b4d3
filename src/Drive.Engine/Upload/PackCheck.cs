using System.Collections.Concurrent;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine.Upload;

/// <summary>
/// Whether the store has what it says it has, asked before the only other copy may go. It finds a store that keeps nothing, or not all, or had something else
/// there. It does not find one that loses the pack later. Any number of threads.
/// </summary>
internal sealed class PackCheck(IObjectStore store)
{
    /// <summary>The end of a pack: with the place where it ends it tells a whole one from a part. Arbitrary.</summary>
    private const int SampleBytes = 4096;

    /// <summary>Questions under way at once (arbitrary).</summary>
    private const int AsksMax = 64;

    private readonly ConcurrentDictionary<PackId, long?> _lengths = [];

    /// <summary>
    /// After a put. A pack that isn't there is a failure of the store that the next try may get over; another object under the fresh random name is no accident.
    /// </summary>
    public static async Task RequireKeptAsync(IObjectStore store, PackId pack, ReadOnlyMemory<byte> bytes, bool isMade, CancellationToken cancellationToken)
    {
        ObjectName name = VaultNames.Pack(pack);
        int sample = isMade ? Math.Min(bytes.Length, SampleBytes) : bytes.Length;

        // One byte more is asked for than there is, so that the answer says where the object ends.
        var found = new byte[sample + 1];
        int? read = await store.GetRangeAsync(name, bytes.Length - sample, found, cancellationToken);
        if (read is null || (isMade && read < sample))
        {
            throw new StoreException(
                StoreErrorKind.Malformed, isTransient: true, $"The store says that it {(isMade ? "made" : "has")} {name}, and does not have it whole.");
        }

        if (read != sample || !bytes.Span[^sample..].SequenceEqual(found.AsSpan(0, sample)))
        {
            throw new VaultIntegrityException(name.Value, IntegrityKind.WrongObject, "holds other bytes than were put there");
        }
    }

    /// <summary>Whether all packs of a commit are there, whole as far as lengths tell.</summary>
    public static async Task<bool> HoldsAllAsync(IObjectStore store, IReadOnlyList<PackRef> packs, CancellationToken cancellationToken)
    {
        foreach (PackRef[] some in packs.Chunk(AsksMax))
        {
            bool[] found = await Task.WhenAll(some.Select(async pack =>
                await store.GetLengthAsync(VaultNames.Pack(pack.Pack), cancellationToken) == pack.Length));
            if (found.Contains(false))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Whether a pack that the vault has is there and long enough for a block, asked once for each pack (of several at once each may ask). Content is not to be called sent because of a block that is lost.
    /// </summary>
    public async ValueTask<bool> HoldsAsync(BlockRow block, CancellationToken cancellationToken)
    {
        if (!_lengths.TryGetValue(block.Pack, out long? length))
        {
            length = await store.GetLengthAsync(VaultNames.Pack(block.Pack), cancellationToken);
            _lengths[block.Pack] = length;
        }

        return length >= block.PackOffset + BlockSegments.StoredLengthOf(block);
    }
}
