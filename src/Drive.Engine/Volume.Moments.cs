using Drive.Core.Rows;

namespace Drive.Engine;

/// <content>When which commit was made: the moments of history that the vault still keeps, as far as this device knows them.</content>
public sealed partial class Volume
{
    /// <summary>Kept moments from one commit to another, newest first; at most so many.</summary>
    public IReadOnlyList<MomentRow> ReadMoments(long first, long last, int countMax)
    {
        Core.History.KeptHistory kept = _state.History.Kept;
        List<MomentRow> found = [];
        while (found.Count < countMax && last >= first)
        {
            IReadOnlyList<MomentRow> page = _metadata.ReadMoments(first, last, countMax);
            if (page.Count == 0)
            {
                break;
            }

            found.AddRange(page.Where(moment => kept.Keeps(moment.Seq)).Take(countMax - found.Count));
            last = page[^1].Seq - 1;
        }

        return found;
    }

    /// <summary>The last kept state whose commit was made at a time (nanoseconds since 1970 UTC) or before; null when history does not go so far back, or this device does not know it.</summary>
    public MomentRow? FindMomentAt(long time) => _metadata.FindMomentAt(time, _state.History.Kept);
}
