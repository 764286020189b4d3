using Drive.Core.Volumes;
using Drive.Simulation.World;

namespace Drive.Simulation.Devices;

/// <summary>A file of the tree that all devices show in the end.</summary>
internal sealed record FinalFile(string Path, NodeId Node, ulong[] Cells);

/// <summary>
/// All calls of all devices of a run, and what must follow from them. It knows nothing of merging: only what each device showed when it did something.
/// <c>docs/testing.md</c> says what it proves and what not.
/// </summary>
/// <param name="isOrdered">Whether commits are prefixes of a device's calls: not where large files come later.</param>
internal sealed class Ledger(int devicesMax, bool isOrdered)
{
    private readonly List<DeviceCall>[] _calls = [.. Enumerable.Range(0, devicesMax).Select(static _ => new List<DeviceCall>())];
    private readonly HashSet<string> _contents = [""];
    private readonly HashSet<(NodeId, string)> _copies = [];

    /// <summary>Conflict names that merges gave.</summary>
    public int CopyCount => _copies.Count;

    public IReadOnlyList<DeviceCall> Of(int device) => _calls[device];

    public void Add(DeviceCall call) => _calls[call.Device].Add(call);

    /// <summary>A content that some device's file had after a call.</summary>
    public void NoteContent(IEnumerable<ulong> cells) => _contents.Add(Cells.Key(cells));

    /// <summary>A device came back: calls after <paramref name="marked"/> are lost; the first of them may have been kept without its mark.</summary>
    public void Lose(int device, int marked, Fate fate = Fate.Lost)
    {
        bool isNext = true;
        foreach (DeviceCall call in _calls[device].Where(call => call.Number > marked && call.Fate != Fate.Lost))
        {
            call.Fate = isNext ? Fate.Unsure : fate;
            isNext = false;
        }
    }

    /// <summary>
    /// A conflict name that a merge on a device gave: something must have been done on both sides that neither saw of the other, to the same name (or to what had it), to the same node, or in a folder that
    /// the other removed.
    /// </summary>
    /// <param name="device">Whose merge.</param>
    /// <param name="before">What that device had seen of the others before …</param>
    /// <param name="after">… and after it.</param>
    /// <param name="node">What has the name.</param>
    /// <param name="leaf">The name.</param>
    /// <param name="wanted">The name it would have had.</param>
    public void AddCopy(int device, int[] before, int[] after, NodeId node, string leaf, string wanted)
    {
        if (IsGivenByUser(leaf) || !_copies.Add((node, leaf)) || !isOrdered)
        {
            return;
        }

        foreach (DeviceCall theirs in _calls.Where((_, other) => other != device).SelectMany((calls, _) => calls))
        {
            if (theirs.Fate == Fate.Lost || theirs.Number <= before[theirs.Device] || theirs.Number > after[theirs.Device])
            {
                continue;
            }

            if (_calls[device].Exists(mine => mine.Fate != Fate.Lost && mine.IsBeside(theirs) && CanClash(mine, theirs, node, wanted)))
            {
                return;
            }
        }

        throw new SimulationException($"Device {device} has the conflict copy '{leaf}' ({node}), and nobody did anything that it did not see.");
    }

    /// <summary>Somebody saved, moved or linked something to the name of a conflict copy that was there.</summary>
    private bool IsGivenByUser(string name) => _calls.SelectMany(static calls => calls).Any(call => call.Names.Contains(name));

    private static bool CanClash(DeviceCall mine, DeviceCall theirs, NodeId node, string name) =>
        (theirs.Names.Contains(name) && (mine.Names.Contains(name) || mine.At == name || mine.Nodes.Contains(node) || mine.Folders.Contains(node)))

        // What somebody removed comes back under its name where another one changed it.
        || (theirs.At == name && mine.Names.Contains(name))

        // Two folders of one name become one, and what is in both clashes.
        || mine.Names.Intersect(theirs.Names).Any(DeviceUser.FolderNames.Contains)
        || mine.Nodes.Intersect(theirs.Nodes).Any()
        || mine.Nodes.Intersect(theirs.Folders).Any() || mine.Folders.Intersect(theirs.Nodes).Any();

    /// <summary>What must be true of the tree in which all devices end.</summary>
    public void Hold(IReadOnlyList<FinalFile> files, IEnumerable<(NodeId Node, string Name)> conflictNames)
    {
        HoldContents(files);
        HoldNothingLost(files);
        HoldDeletesStand(files);
        foreach ((NodeId node, string name) in conflictNames)
        {
            if (!_copies.Contains((node, name)) && !IsGivenByUser(name))
            {
                throw new SimulationException($"'{name}' ({node}) is a conflict copy that no merge made.");
            }
        }
    }

    /// <summary>A merge takes one side's content of a file or the other's and never mixes them.</summary>
    private void HoldContents(IReadOnlyList<FinalFile> files)
    {
        foreach (FinalFile file in files)
        {
            if (!_contents.Contains(Cells.Key(file.Cells)))
            {
                throw new SimulationException($"{file.Path} ({file.Node}) has a content that no device's file ever had: {string.Join(' ', file.Cells.Select(Cells.Describe))}");
            }
        }
    }

    /// <summary>Every cell whose call lives is in a file, or was done away with by a call whose device showed it.</summary>
    private void HoldNothingLost(IReadOnlyList<FinalFile> files)
    {
        HashSet<ulong> excused = [.. files.SelectMany(static file => file.Cells)];
        foreach (DeviceCall call in _calls.SelectMany(static calls => calls).Where(static call => call.Fate != Fate.Lost))
        {
            excused.UnionWith(call.Superseded);
        }

        foreach (DeviceCall call in _calls.SelectMany(static calls => calls).Where(static call => call.Fate == Fate.Lives))
        {
            if (call.Written.FirstOrDefault(cell => !excused.Contains(cell)) is not Cells.None and ulong lost)
            {
                throw new SimulationException($"Cell {Cells.Describe(lost)} of {call} is in no file, and nobody who saw it did away with it.");
            }
        }
    }

    /// <summary>A file that was removed is there only when somebody did something to it that the remover did not see.</summary>
    private void HoldDeletesStand(IReadOnlyList<FinalFile> files)
    {
        if (!isOrdered)
        {
            return;
        }

        HashSet<NodeId> present = [.. files.Select(static file => file.Node)];
        foreach (DeviceCall call in _calls.SelectMany(static calls => calls))
        {
            if (call.Fate == Fate.Lives && present.Contains(call.Removed) && !IsGivenBack(call) && !_calls.SelectMany(static calls => calls).Any(other =>
                other.Fate != Fate.Lost && other.Device != call.Device && call.Saw[other.Device] < other.Number && other.Nodes.Intersect(call.Nodes).Any()))
            {
                throw new SimulationException($"{call} removed {call.Removed}, nobody else touched it, and it is there again.");
            }
        }
    }

    /// <summary>
    /// Whether the remover then moved another file to that name, which somebody else moved elsewhere: theirs stands, and the name goes back to what it led to. Rows tell what a change comes to, so for a
    /// merge that is the same as moving a file over another one, and without the move nobody may lose the latter.
    /// </summary>
    private bool IsGivenBack(DeviceCall removal) => _calls[removal.Device].Any(move =>
        move.Number > removal.Number && move.Fate != Fate.Lost && move.Names.Intersect(removal.Names).Any()
        && _calls.SelectMany(static calls => calls).Any(other => other.Fate != Fate.Lost && other.IsBeside(move) && other.Nodes.Intersect(move.Nodes).Any()));
}
