using Drive.Core.History;

namespace Drive.Metadata.Tables;

/// <summary>How far a reading of the rows that ended is: the table, and the key that was looked at last.</summary>
internal sealed class EndedScan(long asOf, KeptHistory kept, int rowsMax)
{
    private const int Tables = 4;
    private readonly Dictionary<long, List<(long From, long To)>> _unlinked = [];

    public int Table { get; private set; }

    public int RowsMax => rowsMax;

    public long Id { get; set; } = long.MinValue;

    public long To { get; set; }

    public long Start { get; set; }

    public byte[] Hash { get; set; } = [];

    public bool IsDone => Table == Tables;

    public void NextTable()
    {
        Table++;
        (Id, To, Start, Hash) = (long.MinValue, 0, 0, []);
    }

    /// <summary>Whether a row had ended by then, and is part of a kept state.</summary>
    public bool IsWanted(long from, long to) => to <= asOf && kept.Holds(from, to);

    /// <summary>A node had no links in a span.</summary>
    public void NoteUnlinked(long node, long from, long to)
    {
        if (from <= asOf)
        {
            if (!_unlinked.TryGetValue(node, out List<(long From, long To)>? spans))
            {
                _unlinked[node] = spans = [];
            }

            spans.Add((from, to));
        }
    }

    /// <summary>A span without those in which the node had no links, which were noted in the order in which they ended.</summary>
    public IEnumerable<(long From, long To)> LinkedParts(long node, long from, long to)
    {
        foreach ((long start, long end) in _unlinked.GetValueOrDefault(node) ?? [])
        {
            if (end <= from || start >= to)
            {
                continue;
            }

            if (start > from)
            {
                yield return (from, start);
            }

            from = end;
            if (from >= to)
            {
                yield break;
            }
        }

        yield return (from, to);
    }
}
