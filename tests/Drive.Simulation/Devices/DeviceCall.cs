using Drive.Core.Volumes;

namespace Drive.Simulation.Devices;

/// <summary>What became of a call.</summary>
internal enum Fate
{
    /// <summary>It is part of what its device holds.</summary>
    Lives,

    /// <summary>A crash or the loss of its machine may have taken it back; nothing tells.</summary>
    Unsure,

    /// <summary>A crash took it back.</summary>
    Lost,
}

/// <summary>One call that changed a volume, and what its device showed at that moment of what it changed: that much it saw, and may do away with.</summary>
internal sealed class DeviceCall
{
    public required int Device { get; init; }

    /// <summary>Counts a device's calls, from 1.</summary>
    public required int Number { get; init; }

    public required string Text { get; init; }

    /// <summary>Of each device the last call that this one's device showed.</summary>
    public required int[] Saw { get; init; }

    public Fate Fate { get; set; }

    /// <summary>Cells that it writes.</summary>
    public IReadOnlyList<ulong> Written { get; init; } = [];

    /// <summary>Cells that were in the file, and after this call are not.</summary>
    public IReadOnlyList<ulong> Superseded { get; init; } = [];

    /// <summary>Names that lead to something else than before: the last part of the path.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>The name by which it came to what it changes: a merge may go on with that as another node under the same name.</summary>
    public string At { get; init; } = "";

    /// <summary>Nodes whose content, attributes or names change.</summary>
    public IReadOnlyList<NodeId> Nodes { get; init; } = [];

    /// <summary>Folders in which it happens, up to the root.</summary>
    public IReadOnlyList<NodeId> Folders { get; init; } = [];

    /// <summary>The file that lost its last name.</summary>
    public NodeId Removed { get; init; }

    /// <summary>Whether it and another device's call were made without either seeing the other.</summary>
    public bool IsBeside(DeviceCall other) => Device != other.Device && Saw[other.Device] < other.Number && other.Saw[Device] < Number;

    public override string ToString() => $"{Device}:{Number} {Text}{(Fate == Fate.Lives ? "" : $" ({Fate})")}";
}
