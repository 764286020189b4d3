using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;
using Drive.Engine.Upload;

namespace Drive.Engine;

/// <content>
/// Large files are late: a commit does not wait for their bytes. They are left out of it with the names that need them, their blocks are sent ahead some
/// at a time between the commits of everything else, and the commit after the last block takes them in whole.
/// </content>
public sealed partial class Volume
{
    private readonly EarlyBlocks _early = new();

    /// <summary>Files left out of the last commit, and since when; guarded by the gate.</summary>
    private readonly Dictionary<NodeId, DateTimeOffset> _late = [];

    /// <summary>All nodes that stayed behind with them; guarded by the gate.</summary>
    private HashSet<NodeId> _leftBehind = [];

    private bool _lateReady;

    /// <summary>Takes late files out of a capture. Under the save lock, after the epoch's last changes are in the database and before the next epoch's first.</summary>
    private void LeaveLateBehind(Capture capture)
    {
        List<NodeId> late = [];
        lock (_gate)
        {
            _lateReady = false;
            _leftBehind = [];
            DateTimeOffset now = _time.GetUtcNow();
            foreach (CapturedFile file in capture.Files)
            {
                DateTimeOffset since = _late.GetValueOrDefault(file.Node, now);
                if (_forceThrough <= _landedChange && now - since < _settings.LateMax && _early.UnsentBytes(file) > _settings.LateFileBytes)
                {
                    late.Add(file.Node);
                    _late.TryAdd(file.Node, now);
                }
            }

            foreach (NodeId node in _late.Keys.Except(late).ToList())
            {
                _late.Remove(node);
            }
        }

        if (late.Count == 0)
        {
            return;
        }

        Deferral.Plan plan = Deferral.Close(_metadata.ReadEpoch(capture.Epoch), late);
        try
        {
            _metadata.MoveToNextEpoch(capture.Epoch, plan.Nodes, plan.Entries);
        }
        catch (DiskFullException error)
        {
            // Nothing was moved: then this commit takes long, but it takes all.
            NoteWriteError(FsStatus.NoSpace, error);
            return;
        }

        lock (_gate)
        {
            foreach (CapturedFile file in capture.Files.Where(file => plan.Nodes.Contains(file.Node)).ToList())
            {
                capture.Files.Remove(file);
                Unpin(file);
            }

            capture.IsPartial = true;
            capture.Nodes.ExceptWith(plan.Nodes);
            _unsent.UnionWith(plan.Nodes);
            _leftBehind = plan.Nodes;
        }
    }

    /// <summary>Sends a share of the oldest late file's blocks ahead. Between two shares everything else has its turn.</summary>
    private async Task SendAheadAsync(CancellationToken cancellationToken)
    {
        if (TakeShare() is not { } share)
        {
            return;
        }

        try
        {
            ContentUpload content = NewContentUpload(before: Task.CompletedTask);
            Capture part = new() { Epoch = 0, Change = 0, OldestChange = default, Nodes = [] };
            part.Files.Add(share);
            await content.SendAsync(part, cancellationToken);
            _early.Add(share, content.Blocks, content.Packs);
        }
        finally
        {
            lock (_gate)
            {
                Unpin(share);
            }
        }
    }

    private CapturedFile? TakeShare()
    {
        lock (_gate)
        {
            foreach (NodeId id in _late.OrderBy(static pair => pair.Value).Select(static pair => pair.Key).ToList())
            {
                if (_overlays.GetValueOrDefault(id) is not { IsEmpty: false } overlay || FindNode(id) is not { LinkCount: > 0 } node)
                {
                    _late.Remove(id);
                    _lateReady = true;
                    continue;
                }

                CapturedFile whole = new(id, node.Size, [.. overlay.Items.Where(static item => item.Chunk is null or { IsLogged: true })], [.. overlay.Holes.Ranges]);
                List<OverlayItem> items = [];
                long bytes = 0;
                foreach (OverlayItem[] block in _early.Unsent(whole))
                {
                    items.AddRange(block);
                    bytes += block.Sum(static item => item.Chunk is null ? 0 : (long)item.Length);
                    if (bytes >= _settings.LateFileBytes)
                    {
                        break;
                    }
                }

                if (bytes < _settings.LateFileBytes)
                {
                    // What is left of it fits into a commit.
                    _lateReady = true;
                    continue;
                }

                CapturedFile share = whole with { Items = items };
                Pin(share);
                return share;
            }

            return null;
        }
    }

    private static void Pin(CapturedFile file)
    {
        foreach (OverlayItem item in file.Items)
        {
            if (item.Chunk is { } chunk)
            {
                chunk.Pins++;
            }
        }
    }

    private void Unpin(CapturedFile file)
    {
        foreach (OverlayItem item in file.Items)
        {
            if (item.Chunk is { } chunk)
            {
                chunk.Pins--;
                BuryIfDead(chunk);
            }
        }
    }
}
