using System.Runtime.CompilerServices;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Packs;

namespace Drive.Engine.Checks;

/// <summary>
/// Finds blocks by the packs' own lists. Which block lies where stands in the log; each pack ends with a sealed list of what it has besides, so content is found also when the log has no place for it, or its
/// place is lost: in a second copy, or in a pack that no commit names. Packs are read whole, until all is found.
/// </summary>
internal sealed class PackSearch(IObjectStore store, VaultKeys keys, Action<string> say)
{
    private const int SaidEvery = 100;

    /// <summary>The blocks that were found, each once, opened and proven; what is not found is not there. The memory is theirs until the next one. <see cref="StoreException"/> when the store is away.</summary>
    public async IAsyncEnumerable<(BlockId Block, ReadOnlyMemory<byte> Plain)> FindAsync(IEnumerable<BlockId> wanted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<BlockId> left = [.. wanted];
        List<PackId> packs = [];
        await foreach (ObjectInfo info in store.ListAsync(VaultNames.PackPrefix, cancellationToken))
        {
            if (VaultNames.FindPack(info.Name) is { } pack)
            {
                packs.Add(pack);
            }
        }

        using PackReader reader = new(keys);
        byte[] plain = new byte[BlockSegments.BlockBytesMax];
        for (int i = 0; i < packs.Count && left.Count > 0; i++)
        {
            if (i % SaidEvery == 0)
            {
                say($"{i} of {packs.Count} packs searched, {left.Count} blocks not found yet.");
            }

            (byte[] whole, IReadOnlyList<BlockRow> rows) = await ReadAsync(reader, packs[i], cancellationToken);
            foreach (BlockRow row in rows.Where(row => left.Contains(row.Block)))
            {
                if (reader.TryOpenBlock(row, whole, plain.AsSpan(0, row.PlainLength)))
                {
                    left.Remove(row.Block);
                    yield return (row.Block, plain.AsMemory(0, row.PlainLength));
                }
            }
        }
    }

    /// <summary>A pack, and what it says that it has: nothing where it went, or its list does not open.</summary>
    private async Task<(byte[] Whole, IReadOnlyList<BlockRow> Rows)> ReadAsync(PackReader reader, PackId pack, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAsync(VaultNames.Pack(pack), PackReader.PackBytesMax, cancellationToken) is { } whole ? (whole, reader.ReadDirectory(pack, whole)) : ([], []);
        }
        catch (StoreException tooLarge) when (tooLarge.Kind == StoreErrorKind.TooLarge)
        {
            return ([], []);
        }
        catch (VaultIntegrityException)
        {
            return ([], []);
        }
    }
}
