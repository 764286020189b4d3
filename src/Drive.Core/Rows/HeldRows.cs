namespace Drive.Core.Rows;

/// <summary>A row and the span of commits in which it held.</summary>
/// <typeparam name="T">The kind of row.</typeparam>
/// <param name="Row">The row.</param>
/// <param name="From">The commit that opened it.</param>
/// <param name="To">The commit that ended it; <see cref="Epochs.Open"/> when it still holds.</param>
public readonly record struct Held<T>(T Row, long From, long To = Epochs.Open)
    where T : class;

/// <summary>Rows of all kinds with their spans: the present of a checkpoint, or its past.</summary>
public sealed class HeldRows
{
    /// <summary>Nodes.</summary>
    public List<Held<NodeRow>> Nodes { get; } = [];

    /// <summary>Entries.</summary>
    public List<Held<EntryRow>> Entries { get; } = [];

    /// <summary>Extents.</summary>
    public List<Held<ExtentRow>> Extents { get; } = [];

    /// <summary>Extended attributes.</summary>
    public List<Held<XattrRow>> Xattrs { get; } = [];

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => Nodes.Count + Entries.Count + Extents.Count + Xattrs.Count == 0;

    /// <summary>Rows that hold, and of which nothing else is known than that they do from a commit on.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="seq">The commit.</param>
    public static HeldRows Since(RowSet rows, long seq)
    {
        ArgumentNullException.ThrowIfNull(rows);
        HeldRows held = new();
        held.Nodes.AddRange(rows.Nodes.Select(row => new Held<NodeRow>(row, seq)));
        held.Entries.AddRange(rows.Entries.Select(row => new Held<EntryRow>(row, seq)));
        held.Extents.AddRange(rows.Extents.Select(row => new Held<ExtentRow>(row, seq)));
        held.Xattrs.AddRange(rows.Xattrs.Select(row => new Held<XattrRow>(row, seq)));
        return held;
    }

    /// <summary>The rows without their spans.</summary>
    public RowSet ToRows()
    {
        RowSet rows = new();
        rows.Nodes.AddRange(Nodes.Select(static held => held.Row));
        rows.Entries.AddRange(Entries.Select(static held => held.Row));
        rows.Extents.AddRange(Extents.Select(static held => held.Row));
        rows.Xattrs.AddRange(Xattrs.Select(static held => held.Row));
        return rows;
    }
}

/// <summary>What is known of the past at a commit, besides the rows that hold there.</summary>
public sealed class PastRows
{
    /// <summary>Rows that ended by then.</summary>
    public HeldRows Ended { get; init; } = new();

    /// <summary>When commits were made.</summary>
    public List<MomentRow> Moments { get; } = [];

    /// <summary>Packs that the log has named.</summary>
    public List<PackRow> Packs { get; } = [];
}
