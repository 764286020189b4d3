using Drive.Core.Rows;
using Drive.Engine.Content;

namespace Drive.Engine.Reading;

/// <summary>
/// Small files lie side by side in packs, so who reads one often reads the next. Each small read that a pack's cached part cannot answer takes a larger
/// aligned piece of the pack with it, doubled from 64 KiB to 4 MiB while such reads follow each other; after a pause it begins anew. So what is read in vain is never more than about
/// what was of use. Guarded by its caller's lock.
/// </summary>
internal sealed class PackNeighbours(TimeProvider time)
{
    private const int PieceMin = 64 << 10;
    private const int PieceMax = 4 << 20;
    private const int PacksMax = 256;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Dictionary<PackId, (long At, int Piece)> _packs = [];

    /// <summary>The piece of the pack to fetch with a small read at <paramref name="offset"/>; it may reach beyond the pack's end.</summary>
    public ByteRange Around(PackId pack, long offset)
    {
        long now = time.GetTimestamp();
        int piece = PieceMin;
        if (_packs.TryGetValue(pack, out (long At, int Piece) last) && time.GetElapsedTime(last.At, now) < Pause)
        {
            piece = Math.Min(last.Piece * 2, PieceMax);
        }
        else if (_packs.Count >= PacksMax)
        {
            _packs.Clear();
        }

        _packs[pack] = (now, piece);
        long start = offset / piece * piece;
        return new ByteRange(start, start + piece);
    }
}
