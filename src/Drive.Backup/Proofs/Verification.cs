using System.Text;
using Drive.Backup.Runs;
using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Backup.Proofs;

/// <summary>
/// Reads back what sets have in the store, those packs first that are longest unproven: what is needed of a pack is read whole, past the caches of this machine, and proven to be authentic and to be the
/// content that the tree names. Walks the tree twice, so that it holds packs in memory and not files.
/// </summary>
internal sealed class Verification(IVolume volume, IContentImport import, ProofBook book, TimeProvider time)
{
    private const int BlockBytesMax = 1 << 20;
    private const int ListedMax = 1000;

    private readonly Dictionary<PackId, long> _needed = [];
    private readonly Dictionary<PackId, HashSet<BlockId>> _read = [];
    private readonly HashSet<PackId> _damagedPacks = [];
    private readonly HashSet<BlockId> _damagedBlocks = [];
    private readonly List<UnreadablePath> _damaged = [];
    private readonly byte[] _buffer = new byte[BlockBytesMax];
    private readonly IStoredReader _store = import.OpenStored();
    private long _damagedCount;
    private long _bytesRead;

    public async Task<VerifyReport> RunAsync(string? set, IReadOnlyList<(string Name, NodeId Node)> tops, int percent, CancellationToken cancellationToken)
    {
        DateTimeOffset started = time.GetUtcNow();
        foreach ((string name, NodeId node) in tops)
        {
            await VisitAsync(name, node, pieces => Count(pieces), cancellationToken);
        }

        HashSet<PackId> chosen = Choose(_needed, book.Find, percent);
        foreach (PackId pack in chosen)
        {
            _read[pack] = [];
        }

        foreach ((string name, NodeId node) in tops)
        {
            await VisitAsync(name, node, null, cancellationToken);
        }

        DateTimeOffset now = time.GetUtcNow();
        foreach (PackId pack in chosen)
        {
            if (_damagedPacks.Contains(pack))
            {
                book.Forget(pack);
            }
            else
            {
                book.Note(pack, now);
            }
        }

        book.Save();
        List<DateTimeOffset?> proofs = [.. _needed.Keys.Select(book.Find)];
        return new VerifyReport
        {
            Set = set,
            Started = started,
            Ended = now,
            Packs = _needed.Count,
            PacksRead = chosen.Count,
            BytesRead = _bytesRead,
            OldestProof = proofs.Contains(null) ? null : proofs.Min(),
            Damaged = _damaged,
            DamagedCount = _damagedCount,
        };
    }

    /// <summary>The packs that are longest unproven, until they have the wanted share of the bytes.</summary>
    public static HashSet<PackId> Choose(IReadOnlyDictionary<PackId, long> needed, Func<PackId, DateTimeOffset?> proven, int percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);
        decimal wanted = (decimal)needed.Values.Sum() * percent / 100;
        HashSet<PackId> chosen = [];
        foreach ((PackId pack, long bytes) in needed.OrderBy(pair => proven(pair.Key) ?? DateTimeOffset.MinValue))
        {
            if (wanted <= 0)
            {
                break;
            }

            chosen.Add(pack);
            wanted -= bytes;
        }

        return chosen;
    }

    private void Count(List<StoredPiece> pieces)
    {
        foreach (StoredPiece piece in pieces)
        {
            _needed[piece.Pack] = _needed.GetValueOrDefault(piece.Pack) + piece.Length;
        }
    }

    /// <summary>
    /// Goes through a tree, in the order in which a backup put it into packs. <paramref name="count"/> gets the pieces of each file, or else those of chosen packs
    /// are read.
    /// </summary>
    private async Task VisitAsync(string path, NodeId node, Action<List<StoredPiece>>? count, CancellationToken cancellationToken)
    {
        Stack<(string Path, NodeId Node)> left = new([(path, node)]);
        while (left.TryPop(out (string Path, NodeId Node) directory))
        {
            List<(string Path, NodeId Node)> folders = [];
            VaultTree.Require(VaultListing.ReadAsMade(volume, directory.Node, out List<(byte[] Name, NodeAttributes Node)> entries));
            foreach ((byte[] name, NodeAttributes entry) in entries)
            {
                cancellationToken.ThrowIfCancellationRequested();
                string below = $"{directory.Path}/{Encoding.UTF8.GetString(name)}";
                if (Core.Volumes.FileMode.IsDirectory(entry.Mode))
                {
                    folders.Add((below, entry.Node));
                    continue;
                }

                List<StoredPiece> pieces = [];
                if (!Core.Volumes.FileMode.IsRegular(entry.Mode) || import.ListStored(entry.Node, pieces) != FsStatus.Ok)
                {
                    continue;
                }

                if (count is not null)
                {
                    count(pieces);
                }
                else
                {
                    await ProveAsync(below, pieces, cancellationToken);
                }
            }

            folders.Reverse();
            folders.ForEach(left.Push);
        }
    }

    private async ValueTask ProveAsync(string path, List<StoredPiece> pieces, CancellationToken cancellationToken)
    {
        bool isDamaged = false;
        foreach (StoredPiece piece in pieces)
        {
            if (!_read.TryGetValue(piece.Pack, out HashSet<BlockId>? read))
            {
                continue;
            }

            if (read.Add(piece.Block) && !await IsWholeAsync(piece, cancellationToken))
            {
                _damagedBlocks.Add(piece.Block);
                _damagedPacks.Add(piece.Pack);
            }

            isDamaged |= _damagedBlocks.Contains(piece.Block);
        }

        if (isDamaged && ++_damagedCount <= ListedMax)
        {
            _damaged.Add(new UnreadablePath(path, "The store has lost or changed a part of it."));
        }
    }

    private async ValueTask<bool> IsWholeAsync(StoredPiece piece, CancellationToken cancellationToken)
    {
        IoResult result = await _store.ReadAsync(piece.Block, _buffer, cancellationToken);
        _bytesRead += result.Count;
        return result.Status switch
        {
            FsStatus.Ok or FsStatus.Stale => true,
            FsStatus.Corrupt => false,
            _ => throw new FsException(result.Status, "The store can't be asked now: verify again when it is back. What is proven so far is not noted."),
        };
    }
}
