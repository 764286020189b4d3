using System.Globalization;
using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Metadata;
using Drive.Vault.Log;

namespace Drive.Engine.History;

/// <summary>A state of the past that somebody named.</summary>
/// <param name="Seq">The commit.</param>
/// <param name="Until">Commits that were made up to then count, by the clocks of their devices; null for a name that means this commit for ever, or that moves with the newest one.</param>
/// <param name="Moves">Whether the name means the newest state, whatever that is.</param>
internal readonly record struct FoundMoment(long Seq, DateTimeOffset? Until = null, bool Moves = false);

/// <summary>The states that history keeps, by name and by time.</summary>
internal sealed class Moments(Func<VaultState> head, MetadataStore metadata, TimeProvider time)
{
    /// <summary>Marks the number of a commit.</summary>
    private const char SeqMark = '@';

    /// <summary>Moments taken from the database at once.</summary>
    private const int Page = 1000;

    private volatile KeptStates? _kept;
    private volatile ListedMoments? _listed;

    /// <summary>What history keeps, as far as this device has followed the log.</summary>
    public KeptHistory Kept
    {
        get
        {
            VaultHistory history = head().History;
            KeptStates? known = _kept;
            if (known is null || !ReferenceEquals(known.Of, history))
            {
                _kept = known = new KeptStates(history, history.Kept);
            }

            return known.Kept;
        }
    }

    /// <summary>The newest commit.</summary>
    public long Head => head().Seq;

    /// <summary>The named states.</summary>
    public IReadOnlyList<VaultSnapshot> Snapshots => head().History.Snapshots;

    /// <summary>Whether the state after a commit is there.</summary>
    public bool IsKept(long seq) => seq >= 1 && seq <= head().Seq && Kept.Keeps(seq);

    /// <summary>When a commit was made and by whom, where that is known.</summary>
    public MomentRow? Describe(long seq) => metadata.FindMoment(seq);

    /// <summary>
    /// The state that a name means: a snapshot's, <see cref="MomentName.Latest"/>, <c>@</c> and the number of a commit, or a time (<see cref="MomentName"/>). Null when there is none, or
    /// the time has not begun.
    /// </summary>
    public FoundMoment? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (head().History.FindSnapshot(name) is { } snapshot)
        {
            return new FoundMoment(snapshot.Seq);
        }

        if (name == MomentName.Latest)
        {
            return Head > 0 ? new FoundMoment(Head, Moves: true) : null;
        }

        if (name.StartsWith(SeqMark))
        {
            return long.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out long seq) && IsKept(seq) ? new FoundMoment(seq) : null;
        }

        return MomentName.TryParse(name, time.LocalTimeZone, out DateTimeOffset start, out DateTimeOffset end) && start <= time.GetUtcNow() && metadata.FindMomentAt(Nanoseconds(end), Kept) is { } found
            ? new FoundMoment(found.Seq, end)
            : null;
    }

    /// <summary><see cref="Find"/> for commands, which may also say how long ago.</summary>
    public FoundMoment? FindOrAge(string name)
    {
        if (Find(name) is { } found)
        {
            return found;
        }

        return MomentName.TryParseAge(name, out TimeSpan age) && metadata.FindMomentAt(Nanoseconds(time.GetUtcNow() - age), Kept) is { } moment ? new FoundMoment(moment.Seq) : null;
    }

    /// <summary>
    /// Moments worth showing, newest first, with names that lead back to them: of the last day the last of each hour, before that the last of each day, and below what is kept whole all that
    /// is kept. Few, however many commits there are; known until the next commit.
    /// </summary>
    public IReadOnlyList<(string Name, MomentRow Moment)> List()
    {
        ListedMoments? listed = _listed;
        VaultState state = head();
        if (listed is null || listed.Seq != state.Seq)
        {
            _listed = listed = new ListedMoments(state.Seq, [.. Thin(state.Seq)]);
        }

        return listed.Moments;
    }

    /// <summary>All kept moments from one commit to another, newest first.</summary>
    public IEnumerable<MomentRow> Read(long first, long last)
    {
        KeptHistory kept = Kept;
        while (last >= first)
        {
            IReadOnlyList<MomentRow> page = metadata.ReadMoments(first, last, Page);
            foreach (MomentRow moment in page)
            {
                if (kept.Keeps(moment.Seq))
                {
                    yield return moment;
                }
            }

            last = page.Count < Page ? 0 : page[^1].Seq - 1;
        }
    }

    /// <summary>A moment's time.</summary>
    public static DateTimeOffset TimeOf(MomentRow moment) => TimeOf(moment.Time);

    /// <summary>Nanoseconds since 1970 as a time; what no calendar has becomes its end.</summary>
    public static DateTimeOffset TimeOf(long nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);

    private IEnumerable<(string Name, MomentRow Moment)> Thin(long newest)
    {
        KeptHistory kept = Kept;
        DateTimeOffset now = time.GetUtcNow();
        long earliestAbove = long.MaxValue;
        string? period = null;
        foreach (MomentRow moment in Read(1, newest))
        {
            DateTimeOffset local = TimeZoneInfo.ConvertTime(TimeOf(moment), time.LocalTimeZone);
            string next = local.ToString(now - local < TimeSpan.FromDays(1) ? "yyyyMMddHH" : "yyyyMMdd", CultureInfo.InvariantCulture);
            string name = MomentName.Format(local, time.LocalTimeZone);

            // Where a later commit has an earlier time, by a clock that was wrong, the name leads there; then only the number is left.
            bool leadsBack = MomentName.TryParse(name, time.LocalTimeZone, out DateTimeOffset start, out DateTimeOffset end) && start <= now && earliestAbove > Nanoseconds(end);
            earliestAbove = Math.Min(earliestAbove, moment.Time);
            if (leadsBack && (next != period || moment.Seq < kept.Below))
            {
                period = next;
                yield return (name, moment);
            }
        }
    }

    private static long Nanoseconds(DateTimeOffset time) => ((time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * 100) + 99;

    private sealed record KeptStates(VaultHistory Of, KeptHistory Kept);

    private sealed record ListedMoments(long Seq, IReadOnlyList<(string Name, MomentRow Moment)> Moments);
}
