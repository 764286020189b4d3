using System.Text;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Tree;
using Drive.Metadata;
using Drive.Vault;

namespace Drive.Engine;

/// <content>
/// Content that this device keeps: pins in the local database, a loop that fetches what they lack, one block at a time, and packs that the cache does not evict.
/// The loop looks anew after each pin, landing and commit of another device, so new and changed files follow.
/// </content>
public sealed partial class Volume
{
    /// <summary>Whether a node is pinned, by itself or by a folder above it.</summary>
    public const string PinnedXattr = "user.drive.pinned";

    // Names read at once while a tree is walked.
    private const int WalkPage = 256;

    // Writes need room too: the rest of the limit is theirs.
    private const double PinnedShareMax = 0.75;

    // After a store that is away, and after content that cannot be had or has no room: something has to change first.
    private static readonly TimeSpan PinPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PinLongPatience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan PinIdle = TimeSpan.FromDays(1);

    private readonly Bell _pinsWanted = new();

    // Replaced whole by the loop; nodes below pins as of its last look.
    private volatile PinStatus _pinStatus = PinStatus.None;
    private volatile HashSet<NodeId> _pinnedNodes = [];

    /// <summary>The node at a path below the root, parts between slashes; null when there is none.</summary>
    public NodeId? FindPath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        lock (_gate)
        {
            Node? node = FindNode(NodeId.Root);
            foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                node = node is { IsDirectory: true } && FindEntry(node, Encoding.UTF8.GetBytes(part)) is { } entry ? FindChild(node, entry) : null;
            }

            return node?.Id;
        }
    }

    /// <summary>
    /// Keeps a file, or all below a folder, on this machine from now on, over restarts. What is not here is fetched in the background. <see cref="FsException"/>: the store is read in
    /// place, or it would not fit.
    /// </summary>
    public PinStatus Pin(NodeId node)
    {
        if (_blocks.IsLocal)
        {
            throw new FsException(FsStatus.NotSupported, "This drive's store is a local folder, which is read in place: there is nothing to fetch.");
        }

        // A node that was just made is known to the database then.
        CommitLocally();
        (PinStatus status, _, _) = Survey([.. _metadata.ReadPins(), node]);
        if (status.Pinned.Bytes > PinnedBytesMax)
        {
            throw new FsException(
                FsStatus.NoSpace,
                $"That would pin {status.Pinned.Bytes} bytes, and {PinnedBytesMax} may be pinned (three quarters of the cache's limit): mount with a larger --cache-size, or unpin something.");
        }

        _metadata.PutPin(node);
        _pinStatus = status;
        _pinsWanted.Ring();
        return status;
    }

    /// <summary>Lets a node go that was pinned; false when it was not, by itself. What is here may be evicted from then on.</summary>
    public bool Unpin(NodeId node)
    {
        bool wasPinned = _metadata.ReadPins().Contains(node);
        _metadata.RemovePin(node);
        (_pinStatus, HashSet<PackId> packs, _pinnedNodes) = Survey(_metadata.ReadPins());
        _cache.SetPinned(packs);
        _pinsWanted.Ring();
        return wasPinned;
    }

    /// <summary>
    /// Frees the local space of what a file, or all below a folder, has in the store; it is fetched again when it is read. Whole packs go, so what lies in the same packs does too. What is
    /// pinned or not in the store stays. <see cref="FsException"/>: it is pinned.
    /// </summary>
    public EvictResult Evict(NodeId node)
    {
        (_, _, HashSet<NodeId> pinned) = Survey(_metadata.ReadPins());
        if (pinned.Contains(node))
        {
            throw new FsException(FsStatus.Busy, "It is pinned: 'drive unpin' it, or the folder that is pinned above it, first.");
        }

        long before = _cache.UsedBytes;
        (_, HashSet<PackId> packs, HashSet<NodeId> nodes) = Survey([node]);
        foreach (PackId pack in packs)
        {
            _cache.RemoveUnpinned(pack);
        }

        long files = 0, bytes = 0;
        lock (_gate)
        {
            foreach (NodeId changed in nodes.Where(changed => _unsent.Contains(changed) || _sending?.Nodes.Contains(changed) == true))
            {
                if (_overlays.GetValueOrDefault(changed) is { } overlay)
                {
                    files++;
                    bytes += overlay.DataBytes;
                }
            }
        }

        return new EvictResult(Math.Max(0, before - _cache.UsedBytes), new Amount(files, bytes));
    }

    private long PinnedBytesMax => (long)(_settings.CacheLimitBytes * PinnedShareMax);

    private bool IsPinned(NodeId node) => _pinnedNodes.Contains(node);

    /// <summary>Fetches what pins lack, and sees to it that the cache keeps it.</summary>
    private async Task PinLoopAsync(CancellationToken cancellationToken)
    {
        Landed += _pinsWanted.Ring;
        try
        {
            while (true)
            {
                TimeSpan patience = await FetchPinsAsync(cancellationToken);
                await _pinsWanted.WaitAsync(patience, _time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping: the next start looks at the pins again.
        }
        catch (Exception error)
        {
            EngineLog.LogPinsFailed(_logger, error);
            _pinStatus = _pinStatus with { Problem = "Fetching pinned content ended by an error, see the log; mount again." };
        }
        finally
        {
            Landed -= _pinsWanted.Ring;
        }
    }

    /// <summary>One look at all pins; returns how long the next one may wait when nothing changes.</summary>
    private async Task<TimeSpan> FetchPinsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<NodeId> pins = _metadata.ReadPins();
        (PinStatus status, HashSet<PackId> packs, HashSet<NodeId> nodes) = Survey(pins);
        _cache.SetPinned(packs);
        _pinnedNodes = nodes;
        _pinStatus = status;
        string? problem = null;
        foreach (NodeRow file in status.ToFetch.Files == 0 ? [] : FilesUnder(pins, []))
        {
            bool wasMissing = false;
            string? obstacle = null;
            foreach (ExtentRow extent in _metadata.ReadExtents(file.Node, 0, long.MaxValue))
            {
                long missing = MissingBytes(extent);
                if (missing == 0)
                {
                    continue;
                }

                wasMissing = true;
                if (_cache.PinnedBytes + missing > PinnedBytesMax)
                {
                    obstacle = $"Pinned content has no room ({PinnedBytesMax} bytes may be pinned, three quarters of the cache's limit): mount with a larger --cache-size, or unpin something.";
                    break;
                }

                try
                {
                    await _blocks.ReadAsync(extent.Block, extent.BlockOffset, new byte[extent.Length], cancellationToken);
                }
                catch (StoreException away)
                {
                    _pinStatus = _pinStatus with { Problem = away.Message };
                    return PinPatience;
                }
                catch (Exception error) when (error is FsException or VaultIntegrityException or MetadataCorruptException)
                {
                    obstacle = error.Message;
                    break;
                }

                long left = MissingBytes(extent);
                _pinStatus = _pinStatus with { ToFetch = _pinStatus.ToFetch with { Bytes = Math.Max(0, _pinStatus.ToFetch.Bytes - missing + left) } };
                if (left > 0)
                {
                    obstacle = "Pinned content was fetched and the local disk took it not: look for room there, or mount with a larger --cache-size.";
                    break;
                }
            }

            problem ??= obstacle;
            if (wasMissing && obstacle is null)
            {
                _pinStatus = _pinStatus with { ToFetch = _pinStatus.ToFetch with { Files = Math.Max(0, _pinStatus.ToFetch.Files - 1) } };
            }
        }

        _pinStatus = _pinStatus with { Problem = problem };
        return problem is null ? PinIdle : PinLongPatience;
    }

    /// <summary>What pins come to now: how much, the packs that hold it, and all nodes that are pinned.</summary>
    private (PinStatus Status, HashSet<PackId> Packs, HashSet<NodeId> Nodes) Survey(IReadOnlyList<NodeId> pins)
    {
        HashSet<PackId> packs = [];
        HashSet<NodeId> nodes = [];
        long files = 0, bytes = 0, filesMissing = 0, bytesMissing = 0;
        foreach (NodeRow file in FilesUnder(pins, nodes))
        {
            files++;
            bytes += file.Size;
            long missing = 0;
            foreach (ExtentRow extent in _metadata.ReadExtents(file.Node, 0, long.MaxValue))
            {
                if (_blocks.TryLocate(extent.Block, extent.BlockOffset, extent.Length, out PackId pack, out _))
                {
                    packs.Add(pack);
                    missing += MissingBytes(extent);
                }
            }

            bytesMissing += missing;
            filesMissing += missing > 0 ? 1 : 0;
        }

        return (new PinStatus(new Amount(files, bytes), new Amount(filesMissing, bytesMissing), null), packs, nodes);
    }

    private long MissingBytes(ExtentRow extent) => _blocks.TryLocate(extent.Block, extent.BlockOffset, extent.Length, out PackId pack, out Content.ByteRange range)
        ? _cache.FindMissing(pack, range.Start, range.Length).Sum(static gap => gap.End - gap.Start)
        : 0;

    /// <summary>Regular files at and below some nodes, each once, as the database has them; folders are met, too.</summary>
    private IEnumerable<NodeRow> FilesUnder(IReadOnlyList<NodeId> roots, HashSet<NodeId> met)
    {
        Stack<NodeRow> waiting = new(roots.Select(root => _metadata.FindNode(root)).OfType<NodeRow>());
        List<ChildRow> children = [];
        while (waiting.TryPop(out NodeRow? row))
        {
            if (!met.Add(row.Node))
            {
                continue;
            }

            if (FileMode.IsRegular(row.Mode))
            {
                yield return row;
            }

            for (long after = 0; FileMode.IsDirectory(row.Mode); after = children[^1].Entry.EntryId)
            {
                children.Clear();
                if (_metadata.ReadChildren(row.Node, after, WalkPage, children) == 0)
                {
                    break;
                }

                foreach (NodeRow child in children.Select(static child => child.Node).OfType<NodeRow>())
                {
                    waiting.Push(child);
                }
            }
        }
    }
}
