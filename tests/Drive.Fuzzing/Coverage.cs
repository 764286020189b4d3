using SharpFuzz.Common;

namespace Drive.Fuzzing;

/// <summary>
/// Which branches ran: the instrumented assemblies count them in this process's trace map. A run is interesting when a branch ran that none ran before, or an
/// order of magnitude more often.
/// </summary>
internal sealed unsafe class Coverage
{
    private const int MapBytes = 1 << 16;
    private static readonly byte[] Map = GC.AllocateArray<byte>(MapBytes, pinned: true);
    private readonly byte[] _seen = new byte[MapBytes];

    /// <summary>Branches seen so far; 0 all the time says that nothing is instrumented.</summary>
    public int Edges { get; private set; }

    public static void Start()
    {
        fixed (byte* map = Map)
        {
            // Pinned for good: the array lives on the pinned heap.
            Trace.SharedMem = map;
        }
    }

    public static void Reset()
    {
        Map.AsSpan().Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>Whether the last run went where none went before.</summary>
    public bool TakeNew()
    {
        bool isNew = false;
        ReadOnlySpan<byte> map = Map;
        for (int at = map.IndexOfAnyExcept((byte)0); at >= 0;)
        {
            byte bucket = Bucket(map[at]);
            if ((_seen[at] & bucket) == 0)
            {
                Edges += _seen[at] == 0 ? 1 : 0;
                _seen[at] |= bucket;
                isNew = true;
            }

            int next = map[(at + 1)..].IndexOfAnyExcept((byte)0);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return isNew;
    }

    private static byte Bucket(byte count) => count switch
    {
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };
}
