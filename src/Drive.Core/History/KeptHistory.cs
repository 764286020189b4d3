namespace Drive.Core.History;

/// <summary>
/// Which states of the vault history still has: all from one seq on, and some below it. Pure and immutable. A row that held in the span [from, to) of commits belongs to
/// history as long as one kept state lies in the span; so does every current row, whose span has no end.
/// </summary>
public sealed class KeptHistory
{
    private readonly long[] _seqs;

    /// <summary>Keeps everything from <paramref name="below"/> on, and those of <paramref name="seqs"/> that are less.</summary>
    /// <param name="below">The first seq from which on all is kept; 0 and 1 keep everything.</param>
    /// <param name="seqs">Kept states, in any order; again and again does no harm.</param>
    public KeptHistory(long below, IEnumerable<long> seqs)
    {
        ArgumentNullException.ThrowIfNull(seqs);
        Below = below;
        _seqs = [.. seqs.Where(seq => seq < below).Distinct().Order()];
    }

    /// <summary>The history of a vault in which nothing was ever forgotten.</summary>
    public static KeptHistory Everything { get; } = new(0, []);

    /// <summary>From here on every state is kept.</summary>
    public long Below { get; }

    /// <summary>The kept states below <see cref="Below"/>, ascending.</summary>
    public IReadOnlyList<long> Seqs => _seqs;

    /// <summary>Whether the state after commit <paramref name="seq"/> is kept.</summary>
    public bool Keeps(long seq) => seq >= Below || Array.BinarySearch(_seqs, seq) >= 0;

    /// <summary>Whether a row that held from one commit to before another is part of a kept state.</summary>
    /// <param name="from">The commit that opened it.</param>
    /// <param name="to">The commit that ended it; above all real seqs for what no commit has ended.</param>
    public bool Holds(long from, long to)
    {
        if (to > Below)
        {
            return true;
        }

        int index = Array.BinarySearch(_seqs, from);
        index = index < 0 ? ~index : index;
        return index < _seqs.Length && _seqs[index] < to;
    }
}
