using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Repair;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Engine.Checks;

/// <summary>
/// Looks whether the store has all that the vault's tree needs: the rows here against the hash in the log, each block against its pack's length, and the packs that are drawn against their seals.
/// It changes nothing. Rows are read in pages, so saves and uploads go on beside it.
/// </summary>
internal sealed class VaultCheck(MetadataStore metadata, IObjectStore store, VaultKeys keys, IRandomSource random, Action<string> say)
{
    private const int PageRows = 512;

    // Questions for lengths under way at once, and packs whose rows are held at once (some 30 GiB of content). Arbitrary.
    private const int AsksMax = 32;
    private const int PacksAtOnce = 4096;
    private const int FilesNamedMax = 1000;

    private readonly Dictionary<PackId, PackNeed> _packs = [];
    private readonly Dictionary<PackId, string> _bad = [];
    private readonly Dictionary<BlockId, BlockRow> _lost = [];

    // Blocks that open although their pack is not what it was.
    private readonly HashSet<BlockId> _intact = [];
    private readonly HashSet<BlockId> _unknown = [];
    private long _read;
    private long _bytesRead;
    private long _blockCount;

    /// <summary>Blocks in packs that are missing or not what they were.</summary>
    public IReadOnlyCollection<BlockRow> LostBlocks => _lost.Values;

    /// <summary>Blocks that the present needs, and of which the database has no place.</summary>
    public IReadOnlySet<BlockId> UnknownBlocks => _unknown;

    /// <summary>All looks. <see cref="StoreException"/> when the store is away: that says nothing of any pack.</summary>
    public async Task<CheckReport> RunAsync(VaultState state, double readShare, CancellationToken cancellationToken)
    {
        bool isTreeSound = SumTree(state, cancellationToken) == state.StateHash;
        await AskLengthsAsync(cancellationToken);
        await ReadPacksAsync(readShare, cancellationToken);
        NoteLost();
        List<BadLogObject> badLog = await LookAtCommitsAsync(state, cancellationToken);
        badLog.AddRange(await LookAtCheckpointsAsync(state, isRead: readShare > 0, cancellationToken));
        return new CheckReport
        {
            Seq = state.Seq,
            IsTreeSound = isTreeSound,
            UnknownBlocks = _unknown.Count,
            Blocks = _blockCount,
            Packs = _packs.Count,
            PacksRead = _read,
            BytesRead = _bytesRead,
            BadPacks = [.. _bad.Select(bad => new BadPack(VaultNames.Pack(bad.Key).Value, bad.Value, _packs[bad.Key].Blocks, _lost.Values.Count(block => block.Pack == bad.Key), 0)).OrderBy(static bad => bad.Name, StringComparer.Ordinal)],
            BadLog = badLog,
            BadFiles = [],
            BadFileCount = 0,
        };
    }

    /// <summary>The files of the present that some blocks belong to; the first of them by path, with how much they lack.</summary>
    public (IReadOnlyList<BadFile> Named, long Count) FindFiles(VaultState state, IReadOnlySet<BlockId> blocks)
    {
        Dictionary<NodeId, long> lacking = [];
        foreach (RowSet part in blocks.Count == 0 ? [] : metadata.ReadAll(state.Seq, PageRows))
        {
            foreach (ExtentRow extent in part.Extents.Where(extent => blocks.Contains(extent.Block)))
            {
                lacking[extent.Node] = lacking.GetValueOrDefault(extent.Node) + extent.Length;
            }
        }

        HashSet<NodeId> named = [.. lacking.Keys.OrderBy(static node => node.Value).Take(FilesNamedMax)];
        List<BadFile> files = [.. StatePaths.Find(metadata, named).Select(found => new BadFile(found.Value, lacking[found.Key]))];
        files.Sort(static (one, other) => string.CompareOrdinal(one.Path, other.Path));
        return (files, lacking.Count);
    }

    private Bytes32 SumTree(VaultState state, CancellationToken cancellationToken)
    {
        Bytes32 sum = default;
        foreach (RowSet part in metadata.ReadAll(state.Seq, PageRows))
        {
            cancellationToken.ThrowIfCancellationRequested();
            RowChanges rows = new();
            rows.Opened.Nodes.AddRange(part.Nodes);
            rows.Opened.Entries.AddRange(part.Entries);
            rows.Opened.Extents.AddRange(part.Extents);
            rows.Opened.Xattrs.AddRange(part.Xattrs);
            sum = StateHash.Update(sum, rows, keys);
            HashSet<BlockId> wanted = [.. part.Extents.Select(static extent => extent.Block)];
            wanted.ExceptWith(metadata.FindBlocks(wanted).Keys);
            _unknown.UnionWith(wanted);
        }

        foreach (IReadOnlyList<BlockRow> blocks in metadata.ReadAllBlocks(PageRows))
        {
            foreach (BlockRow block in blocks)
            {
                PackNeed need = _packs.GetValueOrDefault(block.Pack);
                _packs[block.Pack] = new PackNeed(Math.Max(need.End, block.PackOffset + BlockSegments.StoredLengthOf(block)), need.Blocks + 1);
                _blockCount++;
            }
        }

        return sum;
    }

    /// <summary>Whether the first commit is there, and each one above the floor.</summary>
    private async Task<List<BadLogObject>> LookAtCommitsAsync(VaultState state, CancellationToken cancellationToken)
    {
        List<BadLogObject> bad = [];
        long from = Math.Max(1, state.LastFloor?.Seq ?? 1);
        foreach (long[] seqs in Enumerable.Range(0, (int)(state.Seq - from + 1)).Select(i => i == 0 ? 1 : from + i).Chunk(AsksMax))
        {
            long?[] lengths = await Task.WhenAll(seqs.Select(seq => store.GetLengthAsync(VaultNames.Commit(state.Gen, seq), cancellationToken)));
            bad.AddRange(seqs.Where((_, i) => lengths[i] is null).Select(seq => new BadLogObject(VaultNames.Commit(state.Gen, seq).Value, "is missing")));
        }

        return bad;
    }

    /// <summary>The checkpoint that the log was cut at, and the last one: whether all of their objects are there, or (<paramref name="isRead"/>) prove what the log says.</summary>
    private async Task<List<BadLogObject>> LookAtCheckpointsAsync(VaultState state, bool isRead, CancellationToken cancellationToken)
    {
        List<BadLogObject> bad = [];
        CheckpointRef?[] needed = [state.LastFloor?.Checkpoint, state.LastCheckpoint];
        foreach (CheckpointRef checkpoint in needed.OfType<CheckpointRef>().Distinct())
        {
            try
            {
                CheckpointReader reader = await CheckpointReader.OpenAsync(store, keys, checkpoint, cancellationToken);
                foreach (ObjectName name in reader.ObjectNames)
                {
                    if (await store.GetLengthAsync(name, cancellationToken) is null)
                    {
                        throw new VaultIntegrityException(name.Value, IntegrityKind.Missing, "is missing");
                    }
                }

                if (isRead)
                {
                    await reader.ProveAsync(cancellationToken);
                }
            }
            catch (VaultIntegrityException error)
            {
                bad.Add(new BadLogObject(error.ObjectName, error.Kind == IntegrityKind.Missing ? "is missing" : "is not what it was"));
            }
        }

        return bad;
    }

    private async Task AskLengthsAsync(CancellationToken cancellationToken)
    {
        foreach (KeyValuePair<PackId, PackNeed>[] some in _packs.Chunk(AsksMax))
        {
            long?[] lengths = await Task.WhenAll(some.Select(pack => store.GetLengthAsync(VaultNames.Pack(pack.Key), cancellationToken)));
            for (int i = 0; i < some.Length; i++)
            {
                // Behind the blocks a pack has its own directory: one that ends with them was cut.
                if (lengths[i] is not { } length || length <= some[i].Value.End)
                {
                    _bad[some[i].Key] = lengths[i] is null ? "is missing" : "is cut short";
                }
            }
        }

        say($"{_packs.Count} packs asked for, {_bad.Count} missing or cut.");
    }

    private async Task ReadPacksAsync(double share, CancellationToken cancellationToken)
    {
        PackId[] drawn = Draw([.. _packs.Keys.Where(pack => !_bad.ContainsKey(pack))], share);
        using PackReader reader = new(keys);
        foreach (PackId[] some in drawn.Chunk(PacksAtOnce))
        {
            Dictionary<PackId, List<BlockRow>> rows = some.ToDictionary(static pack => pack, static _ => new List<BlockRow>());
            foreach (BlockRow block in metadata.ReadAllBlocks(PageRows).SelectMany(static page => page))
            {
                rows.GetValueOrDefault(block.Pack)?.Add(block);
            }

            foreach (PackId pack in some)
            {
                if (await FindFaultAsync(reader, pack, rows[pack], cancellationToken) is { } fault)
                {
                    _bad[pack] = fault;
                }

                if (++_read % 100 == 0)
                {
                    say($"{_read} of {drawn.Length} packs read.");
                }
            }
        }
    }

    private async Task<string?> FindFaultAsync(PackReader reader, PackId pack, List<BlockRow> rows, CancellationToken cancellationToken)
    {
        byte[]? bytes = null;
        try
        {
            bytes = await store.GetAsync(VaultNames.Pack(pack), PackReader.PackBytesMax, cancellationToken);
            if (bytes is null)
            {
                return "is missing";
            }

            _bytesRead += bytes.Length;
            Dictionary<BlockId, BlockRow> held = reader.VerifyPack(pack, bytes).ToDictionary(static row => row.Block);
            return rows.TrueForAll(row => held.TryGetValue(row.Block, out BlockRow? there) && there.PackOffset == row.PackOffset && there.Segments.AsSpan().SequenceEqual(row.Segments))
                ? null
                : "has other blocks than the vault's log says";
        }
        catch (StoreException tooLarge) when (tooLarge.Kind == StoreErrorKind.TooLarge)
        {
            return "is larger than any pack";
        }
        catch (VaultIntegrityException damage)
        {
            _intact.UnionWith(rows.Where(row => reader.TryOpenBlock(row, bytes, new byte[row.PlainLength])).Select(static row => row.Block));
            return damage.Kind == IntegrityKind.Malformed ? "is no pack any more" : "was changed: its seals do not hold";
        }
    }

    /// <summary>At random, so that repeated checks of a share come to see all.</summary>
    private PackId[] Draw(PackId[] packs, double share)
    {
        int count = (int)Math.Ceiling(packs.Length * share);
        Span<byte> bytes = stackalloc byte[4];
        for (int i = 0; i < count; i++)
        {
            random.Fill(bytes);
            int other = i + (int)(BitConverter.ToUInt32(bytes) % (uint)(packs.Length - i));
            (packs[i], packs[other]) = (packs[other], packs[i]);
        }

        return packs[..count];
    }

    private void NoteLost()
    {
        foreach (BlockRow block in _bad.Count == 0 ? [] : metadata.ReadAllBlocks(PageRows).SelectMany(static page => page).Where(block => _bad.ContainsKey(block.Pack) && !_intact.Contains(block.Block)))
        {
            _lost[block.Block] = block;
        }
    }

    /// <summary>What of a pack is needed.</summary>
    private readonly record struct PackNeed(long End, long Blocks);
}
