using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Drive.Fuse.Transport;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Serving;

/// <summary>
/// Tells the kernel what changed elsewhere. The volume only puts changes into a queue; one thread sends them, because a notification may wait
/// in the kernel for a lock that is held by a caller whose request is being served: it must never be sent from a handler.
/// </summary>
internal sealed class Notifier : IVolumeObserver, IDisposable
{
    /// <summary>Changes waiting at once, about 20 MiB of names at the most; beyond it the kernel is told to ask everything again.</summary>
    public const int WaitingMax = 64 * 1024;

    /// <summary>How often a node is tried that the kernel does not know yet although a reply is about to give it.</summary>
    private const int AttemptsMax = 50;

    private static readonly TimeSpan AttemptInterval = TimeSpan.FromMilliseconds(5);

    /// <summary>How long the volume waits for room where the kernel cannot be told to ask everything again: arbitrary.</summary>
    private static readonly TimeSpan RoomWait = TimeSpan.FromSeconds(1);

    private readonly ITransport _transport;
    private readonly NodeTable _nodes;
    private readonly ChangeClock _changes;
    private readonly ILogger _logger;
    private readonly Action _onFailure;
    private readonly Thread _thread;
    private readonly byte[] _message = new byte[OutHeader.Size + InvalidateEntryOut.Size + FileName.BytesMax + 1];

    /// <summary>Guards all below.</summary>
    private readonly object _gate = new();
    private Dictionary<NodeId, bool> _changedNodes = [];
    private HashSet<Entry> _changedEntries = [];
    private bool _everything;
    private bool _isStopping;

    public Notifier(ITransport transport, NodeTable nodes, ChangeClock changes, ILogger logger, Action onFailure)
    {
        _transport = transport;
        _nodes = nodes;
        _changes = changes;
        _logger = logger;
        _onFailure = onFailure;
        _thread = new(Run, ReaderPool.StackBytes) { IsBackground = true, Name = "fuse-notify" };
    }

    /// <summary>Whether the kernel can be told to ask all names again.</summary>
    public bool HasEpochs { get; set; }

    public void Start() => _thread.Start();

    public void NodeChanged(NodeId node, bool contentChanged)
    {
        _changes.Advance();
        lock (_gate)
        {
            if (_everything || _isStopping)
            {
                return;
            }

            ref bool content = ref CollectionsMarshal.GetValueRefOrAddDefault(_changedNodes, node, out _);
            content |= contentChanged;
            LimitWaiting();
            Monitor.PulseAll(_gate);
        }
    }

    public void EntryChanged(NodeId parent, ReadOnlySpan<byte> name)
    {
        _changes.Advance();
        if (FileName.Validate(name) != FsStatus.Ok)
        {
            return;
        }

        lock (_gate)
        {
            if (_everything || _isStopping)
            {
                return;
            }

            _changedEntries.Add(new(parent, name.ToArray()));
            LimitWaiting();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>After the connection has ended: what is still waiting no longer matters.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.PulseAll(_gate);
        }

        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) || Thread.CurrentThread == _thread)
        {
            return;
        }

        _thread.Join();
    }

    private void LimitWaiting()
    {
        if (_changedNodes.Count + _changedEntries.Count < WaitingMax)
        {
            return;
        }

        if (HasEpochs)
        {
            _everything = true;
            _changedEntries.Clear();
            _changedNodes.Clear();
            return;
        }

        // Without epochs nothing can stand for the single names. The volume waits a little for room; a queue that grows is better than a wrong view.
        Monitor.PulseAll(_gate);
        Monitor.Wait(_gate, RoomWait);
    }

    private void Run()
    {
        try
        {
            while (TryTake(out Dictionary<NodeId, bool> changedNodes, out HashSet<Entry> changedEntries, out bool everything))
            {
                if (everything)
                {
                    InvalidateEverything();
                }

                // Names first: a name that is asked again brings its node's new attributes.
                foreach (Entry entry in changedEntries)
                {
                    InvalidateEntry(entry);
                }

                InvalidateNodes(changedNodes);
            }
        }
        catch (Exception exception)
        {
            FuseLog.NotifierFailed(_logger, exception);
            _onFailure();
        }
    }

    private bool TryTake(out Dictionary<NodeId, bool> changedNodes, out HashSet<Entry> changedEntries, out bool everything)
    {
        lock (_gate)
        {
            while (!_isStopping && !_everything && _changedNodes.Count == 0 && _changedEntries.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            (changedNodes, changedEntries, everything) = (_changedNodes, _changedEntries, _everything);
            _changedNodes = [];
            _changedEntries = [];
            _everything = false;
            Monitor.PulseAll(_gate);
            return !_isStopping;
        }
    }

    private void InvalidateEntry(Entry entry)
    {
        // A directory that the kernel does not hold has no names that it could know.
        if (!_nodes.TryFind(entry.Parent, out ulong parent))
        {
            return;
        }

        InvalidateEntryOut output = new() { Parent = parent, NameLength = (uint)entry.Name.Length };
        Span<byte> body = _message.AsSpan(OutHeader.Size);
        MemoryMarshal.Write(body, in output);
        entry.Name.CopyTo(body[InvalidateEntryOut.Size..]);
        body[InvalidateEntryOut.Size + entry.Name.Length] = 0;
        Send(NotifyCode.InvalidateEntry, InvalidateEntryOut.Size + entry.Name.Length + 1);
    }

    private void InvalidateNodes(Dictionary<NodeId, bool> changed)
    {
        Dictionary<NodeId, bool>? unknown = null;
        foreach ((NodeId node, bool contentChanged) in changed)
        {
            if (!TryInvalidate(node, contentChanged))
            {
                (unknown ??= [])[node] = contentChanged;
            }
        }

        // The table holds the node but the kernel did not know it: its first reply is on the way, or its last FORGET.
        for (int attempt = 0; unknown is { Count: > 0 } && attempt < AttemptsMax && WaitForAttempt(); attempt++)
        {
            foreach ((NodeId node, bool contentChanged) in unknown)
            {
                if (TryInvalidate(node, contentChanged))
                {
                    unknown.Remove(node);
                }
            }
        }
    }

    private bool WaitForAttempt()
    {
        lock (_gate)
        {
            if (!_isStopping)
            {
                Monitor.Wait(_gate, AttemptInterval);
            }

            return !_isStopping;
        }
    }

    private bool TryInvalidate(NodeId node, bool contentChanged) =>
        !_nodes.TryFind(node, out ulong number) || TryInvalidate(number, contentChanged);

    private bool TryInvalidate(ulong number, bool contentChanged)
    {
        InvalidateInodeOut output = new() { NodeId = number, Offset = contentChanged ? 0 : -1 };
        MemoryMarshal.Write(_message.AsSpan(OutHeader.Size), in output);
        return Send(NotifyCode.InvalidateInode, Unsafe.SizeOf<InvalidateInodeOut>()) != Errno.ENOENT;
    }

    private void InvalidateEverything()
    {
        FuseLog.EverythingInvalidated(_logger);
        Send(NotifyCode.IncrementEpoch, 0);
        TryInvalidate(NodeTable.Root, contentChanged: true);
        foreach (ulong number in _nodes.Held())
        {
            TryInvalidate(number, contentChanged: true);
        }
    }

    /// <summary>Sends what lies in the message after its header; the errno.</summary>
    private int Send(NotifyCode code, int bodyLength)
    {
        OutHeader header = new() { Length = (uint)(OutHeader.Size + bodyLength), Error = (int)code };
        MemoryMarshal.Write(_message, in header);
        if (!_transport.Main.Send(_message.AsSpan(0, (int)header.Length), out int errno)
            && errno is not (Errno.ENOENT or Errno.ENOTDIR or Errno.ENODEV or Errno.ENOTCONN or Errno.ECONNABORTED or Errno.EBADF or Errno.EPIPE))
        {
            FuseLog.NotificationRefused(_logger, code, errno);
        }

        return errno;
    }

    /// <summary>A name in a directory, compared by its bytes.</summary>
    private readonly record struct Entry(NodeId Parent, byte[] Name)
    {
        public bool Equals(Entry other) => Parent == other.Parent && Name.AsSpan().SequenceEqual(other.Name);

        public override int GetHashCode()
        {
            HashCode hash = default;
            hash.Add(Parent);
            hash.AddBytes(Name);
            return hash.ToHashCode();
        }
    }
}
