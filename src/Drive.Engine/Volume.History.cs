using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.History;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>The way from the present to the past; what is there is in <c>History/</c>.</content>
public sealed partial class Volume
{
    private Moments? _moments;

    /// <summary>
    /// The whole tree as it was after a commit, read-only, with the nodes that it had. Costs nothing; what the state showed stays readable as long as history keeps it, and is
    /// <see cref="FsStatus.Stale"/> afterwards.
    /// </summary>
    public IVolume OpenPast(long seq) => Past(seq);

    /// <summary>What people do with history.</summary>
    public TimeMachine TimeMachine => new(this, _metadata, _time);

    internal PastVolume Past(long seq) => new(this, _metadata, seq);

    /// <summary>The states that history keeps.</summary>
    internal Moments Moments => LazyInitializer.EnsureInitialized(ref _moments, () => new Moments(() => _state, _metadata, _time));

    /// <summary>Makes all that was done so far durable on this machine, so that the database has it.</summary>
    internal FsStatus SaveAll() => CommitLocally();

    /// <summary>Tells whoever caches of changes that are none of its own. Called with no lock held, and not from a call of the adapter's.</summary>
    internal void Tell(IEnumerable<NameKey> names, IEnumerable<KeyValuePair<NodeId, bool>> nodes)
    {
        if (_observer is not { } observer)
        {
            return;
        }

        foreach (NameKey name in names)
        {
            observer.EntryChanged(name.Node, name.Name);
        }

        foreach ((NodeId node, bool content) in nodes)
        {
            observer.NodeChanged(node, content);
        }
    }

    /// <summary>Whether the state after a commit is there to be looked at.</summary>
    internal bool IsKept(long seq) => Moments.IsKept(seq);

    /// <summary>Reads a file of the past, as <see cref="ReadAsync(HandleId, long, Memory{byte}, CancellationToken)"/> does one of now.</summary>
    internal ValueTask<IoResult> ReadPastAsync(PastFile file, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        ReadAsync(file, HandleId.None, offset, destination, cancellationToken);

    /// <summary>Has the store asked for blocks that will be wanted soon.</summary>
    internal void FetchAhead(PastVolume reader, IEnumerable<(BlockId Block, int Offset, int Length)> parts)
    {
        if (!_blocks.IsLocal)
        {
            _blocks.FetchAhead(reader, parts);
        }
    }

    /// <summary>Gives a file of now a range of one of the past, by sharing its blocks: no byte moves, and none is fetched.</summary>
    internal IoResult CopyPast(PastFile file, long sourceOffset, HandleId target, long targetOffset, long length)
    {
        lock (_gate)
        {
            return CopyInto(target, null, file.Size, file.FindSource, sourceOffset, targetOffset, length);
        }
    }

    /// <summary>Makes the content of a file of now that of one of the past, in one step that a crash does not tear apart. On any status but Ok nothing changed.</summary>
    internal FsStatus SetContent(NodeId target, PastFile file)
    {
        lock (_gate)
        {
            if (FindNode(target) is not { IsRegular: true } node)
            {
                return FsStatus.NotFound;
            }

            if (RefusesChanges)
            {
                return FsStatus.ReadOnly;
            }

            if (!CanShare(file.FindSource, 0, file.Size))
            {
                return FsStatus.Stale;
            }

            BeginChange();
            CutContent(node, 0, long.MaxValue);
            ShareRange(file.FindSource, 0, node, 0, file.Size);
            node.Size = file.Size;
            node.MaySparse = true;
            TouchContent(node, Now());
            return FsStatus.Ok;
        }
    }
}
