using Drive.Core.Rows;

namespace Drive.Engine.Garbage;

/// <summary>Which packs are worth moving what is needed of them. Pure.</summary>
internal static class CompactionRule
{
    /// <summary>What may be waste of all that lies in the store: beyond it the wasteful packs are moved. Half of the bound that is promised, since waste goes on to come.</summary>
    private const double WasteShareMax = 0.1;

    /// <summary>A pack with less waste is not moved: it would cost more than it gives. Arbitrary.</summary>
    private const double PackWasteMin = 0.05;

    /// <summary>The packs to move, the most wasteful first, until the rest has little enough waste. Packs of which nothing is needed are not among them: they go as they are.</summary>
    public static List<PackId> Choose(IEnumerable<PackShare> packs)
    {
        List<PackShare> partly = [.. packs.Where(static pack => pack.NeededBytes > 0)];
        long waste = partly.Sum(static pack => pack.WasteBytes);
        long needed = partly.Sum(static pack => pack.Length) - waste;
        List<PackId> chosen = [];
        foreach (PackShare pack in partly.OrderByDescending(static pack => (double)pack.WasteBytes / pack.Length))
        {
            if (waste <= WasteShareMax * (needed + waste) || pack.WasteBytes < PackWasteMin * pack.Length)
            {
                break;
            }

            chosen.Add(pack.Pack);
            waste -= pack.WasteBytes;
        }

        return chosen;
    }
}
