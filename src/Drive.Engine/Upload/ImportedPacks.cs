using System.Buffers.Binary;
using Drive.Core.Rows;
using Drive.Vault.Log;

namespace Drive.Engine.Upload;

/// <summary>A pack of an import whose commit is not made yet.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="Blocks">What it holds.</param>
/// <param name="Put">Done when the store has it.</param>
/// <param name="IsFound">It was found in the store, where another run had put it.</param>
internal sealed record ImportedPack(PackRef Pack, IReadOnlyList<BlockRow> Blocks, Task Put, bool IsFound = false);

/// <summary>
/// Packs of imports that are in the store, or on their way there, and in no commit yet: what they hold need not be sent again, and they are no garbage. And the blocks that imports count on, which are not to be
/// condemned before a file shows them. All of it is guarded by the volume's gate.
/// </summary>
internal sealed class ImportedPacks
{
    private const int EntryBytes = Bytes32.Size + sizeof(long);

    private readonly Dictionary<PackId, ImportedPack> _packs = [];
    private readonly Dictionary<BlockId, ImportedPack> _blocks = [];
    private readonly Dictionary<BlockId, int> _claims = [];
    private readonly Dictionary<PackId, PackRef> _doubtful = [];

    /// <summary>What the run before had put, and is in the log by now: the import that it was for comes again, and needs it, or this run ends.</summary>
    private readonly HashSet<BlockId> _held = [];

    /// <summary>Packs of which only a look into the store can tell whether it has them: a put that was cancelled, or that another run began.</summary>
    public IReadOnlyList<PackRef> Doubtful => [.. _doubtful.Values];

    /// <summary>Blocks that some batch counts on, or that the next one may.</summary>
    public IEnumerable<BlockId> Claimed => _claims.Keys.Concat(_held);

    /// <summary>Whether the pack may be named by a commit yet.</summary>
    public bool Names(PackId pack) => _packs.ContainsKey(pack) || _doubtful.ContainsKey(pack);

    public ImportedPack? Find(BlockId block) => _blocks.GetValueOrDefault(block);

    /// <summary>All whose put is done.</summary>
    public List<ImportedPack> Arrived() => [.. _packs.Values.Where(static pack => pack.Put.IsCompletedSuccessfully)];

    public void Add(ImportedPack pack)
    {
        _doubtful.Remove(pack.Pack.Pack);
        _packs[pack.Pack.Pack] = pack;
        foreach (BlockRow block in pack.Blocks)
        {
            _blocks.TryAdd(block.Block, pack);
        }
    }

    /// <summary>Its blocks are in the log, or are not counted on any more.</summary>
    public void Remove(ImportedPack pack)
    {
        if (pack.IsFound)
        {
            _held.UnionWith(pack.Blocks.Select(static block => block.Block));
        }

        _packs.Remove(pack.Pack.Pack);
        foreach (BlockRow block in pack.Blocks)
        {
            if (ReferenceEquals(_blocks.GetValueOrDefault(block.Block), pack))
            {
                _blocks.Remove(block.Block);
            }
        }
    }

    /// <summary>Nobody knows whether the store has it.</summary>
    public void Doubt(PackRef pack) => _doubtful[pack.Pack] = pack;

    public void Settle(PackId pack) => _doubtful.Remove(pack);

    /// <summary>Forgets what another run put: it is sent again.</summary>
    public void ForgetFound()
    {
        _doubtful.Clear();
        foreach (ImportedPack pack in _packs.Values.Where(static pack => pack.IsFound).ToList())
        {
            Remove(pack);
        }

        _held.Clear();
    }

    public void Claim(BlockId block) => _claims[block] = _claims.GetValueOrDefault(block) + 1;

    /// <summary>A batch has ended.</summary>
    public void Release(IEnumerable<BlockId> blocks)
    {
        _held.Clear();
        foreach (BlockId block in blocks)
        {
            if (--_claims[block] == 0)
            {
                _claims.Remove(block);
            }
        }
    }

    /// <summary>What the next run must know; null when there is nothing.</summary>
    public byte[]? Encode()
    {
        PackRef[] all = [.. _packs.Values.Select(static pack => pack.Pack), .. _doubtful.Values];
        byte[] bytes = new byte[all.Length * EntryBytes];
        for (int i = 0; i < all.Length; i++)
        {
            Span<byte> entry = bytes.AsSpan(i * EntryBytes);
            all[i].Pack.Value.AsSpan().CopyTo(entry);
            BinaryPrimitives.WriteInt64LittleEndian(entry[Bytes32.Size..], all[i].Length);
        }

        return all.Length == 0 ? null : bytes;
    }

    /// <summary>What the run before had put, or was putting.</summary>
    public void Restore(byte[]? saved)
    {
        for (ReadOnlySpan<byte> entry = saved; entry.Length >= EntryBytes; entry = entry[EntryBytes..])
        {
            Doubt(new PackRef(new PackId(new Bytes32(entry[..Bytes32.Size])), BinaryPrimitives.ReadInt64LittleEndian(entry[Bytes32.Size..])));
        }
    }
}
