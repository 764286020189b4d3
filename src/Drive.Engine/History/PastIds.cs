using Drive.Core.Volumes;

namespace Drive.Engine.History;

/// <summary>
/// Ids for nodes of the past beside those of now. A kernel that shows both must never take one for the other, nor a directory of one folder of <c>.snapshots</c> for that of another, even where both
/// show one state. So each such folder is a view of its own, and the nodes of one view that one device made share a space of ids.
/// </summary>
/// <remarks>
/// An id of the past is 1 (bit 62) | space (26 bits) | counter (36 bits), where an id of now is device number (18 bits) | counter (44 bits). A space is never given to another view, so an id means one node
/// as long as the volume is open. Ids are found by arithmetic and need no table of nodes. A device would have to make 2^36 nodes, or a mount show 2^26 folders, before one has no id. From any thread.
/// </remarks>
internal sealed class PastIds
{
    private const int CounterBits = 36;
    private const int DeviceCounterBits = 44;
    private const int SpacesMax = 1 << 26;
    private const ulong PastBit = 1UL << 62;

    private readonly Lock _gate = new();
    private readonly List<Space> _spaces = [default];
    private readonly Dictionary<Space, int> _known = [];
    private readonly Dictionary<(string Name, long Seq), int> _views = [];

    /// <summary>The folder that shows the past: in space 0, which no view has.</summary>
    public static NodeId Folder => new(PastBit | 1);

    /// <summary>Whether an id is one of the past.</summary>
    public static bool IsPast(NodeId node) => (node.Value & PastBit) != 0;

    /// <summary>The view that shows a state under a name.</summary>
    public int ViewOf(string name, long seq)
    {
        lock (_gate)
        {
            if (!_views.TryGetValue((name, seq), out int view))
            {
                view = _views.Count;
                _views.Add((name, seq), view);
            }

            return view;
        }
    }

    /// <summary>The id of a node in a view; none where there is no more.</summary>
    public NodeId Show(int view, long seq, NodeId node)
    {
        Space space = new(view, seq, (uint)(node.Value >> DeviceCounterBits));
        ulong counter = node.Value & ((1UL << DeviceCounterBits) - 1);
        if (counter >> CounterBits != 0)
        {
            return NodeId.None;
        }

        lock (_gate)
        {
            if (!_known.TryGetValue(space, out int number))
            {
                if (_spaces.Count >= SpacesMax)
                {
                    return NodeId.None;
                }

                number = _spaces.Count;
                _spaces.Add(space);
                _known.Add(space, number);
            }

            return new(PastBit | ((ulong)(uint)number << CounterBits) | counter);
        }
    }

    /// <summary>What an id of the past stands for. False for the folder itself, and for ids that were never given.</summary>
    public bool TryFind(NodeId id, out int view, out long seq, out NodeId node)
    {
        int number = (int)((id.Value & ~PastBit) >> CounterBits);
        lock (_gate)
        {
            Space space = IsPast(id) && number > 0 && number < _spaces.Count ? _spaces[number] : default;
            (view, seq) = (space.View, space.Seq);
            node = new(((ulong)space.Device << DeviceCounterBits) | (id.Value & ((1UL << CounterBits) - 1)));
            return space.Seq > 0;
        }
    }

    private readonly record struct Space(int View, long Seq, uint Device);
}
