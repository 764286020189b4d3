namespace Drive.Testing.Model;

/// <summary>
/// Seeded lists of operations. The paths come from a small universe, so that names meet: taken, missing, a file where a directory was, below itself.
/// Offsets like the edges of pages, segments and blocks.
/// </summary>
public static class VolumeOperations
{
    public const int SlotCount = 4;
    private const int FileBytesMax = 3 << 20;

    private static readonly string[] DirectoryNames = ["d1", "d2"];
    private static readonly string[] FileNames = ["a", "b", "c", "e"];
    private static readonly (OperationKind Kind, int Weight)[] Weights =
    [
        (OperationKind.MakeFile, 10), (OperationKind.MakeFifo, 1), (OperationKind.MakeDirectory, 12), (OperationKind.MakeSymbolicLink, 3),
        (OperationKind.Create, 10), (OperationKind.Write, 20), (OperationKind.Append, 8), (OperationKind.Read, 6), (OperationKind.Truncate, 7),
        (OperationKind.OpenTruncate, 2), (OperationKind.Allocate, 2), (OperationKind.AllocateKeepSize, 1), (OperationKind.PunchHole, 4),
        (OperationKind.ZeroRange, 2), (OperationKind.ZeroRangeKeepSize, 2), (OperationKind.SeekData, 2), (OperationKind.SeekHole, 3),
        (OperationKind.CopyRange, 6), (OperationKind.Rename, 14), (OperationKind.RenameNoReplace, 3), (OperationKind.Exchange, 4),
        (OperationKind.Link, 6), (OperationKind.Unlink, 8), (OperationKind.RemoveDirectory, 4), (OperationKind.List, 4),
        (OperationKind.SetMode, 3), (OperationKind.SetOwner, 2), (OperationKind.SetTimes, 3), (OperationKind.SetXattr, 7),
        (OperationKind.GetXattr, 4), (OperationKind.RemoveXattr, 3), (OperationKind.Fsync, 2), (OperationKind.FsyncAll, 1),
        (OperationKind.OpenSlot, 4), (OperationKind.CreateUnnamedSlot, 1), (OperationKind.LinkSlot, 2), (OperationKind.WriteSlot, 8),
        (OperationKind.ReadSlot, 4), (OperationKind.TruncateSlot, 2), (OperationKind.CloseSlot, 3),
    ];

    public static List<VolumeOperation> Generate(int seed, int count)
    {
        var random = new Random(seed);
        VolumeOperation[] first = [.. DirectoryNames.Select(name => new VolumeOperation(OperationKind.MakeDirectory, "/" + name))];
        return [.. first.Concat(Enumerable.Range(0, count).Select(_ => Next(random))).Take(count)];
    }

    /// <summary>
    /// The shortest list it finds that still fails, by taking out ever smaller pieces. <paramref name="fails"/> runs a list from scratch;
    /// it is asked at most <paramref name="runsMax"/> times.
    /// </summary>
    public static async Task<IReadOnlyList<T>> ShrinkAsync<T>(
        IReadOnlyList<T> operations, Func<IReadOnlyList<T>, Task<bool>> fails, int runsMax = 300)
    {
        List<T> current = [.. operations];
        for (int piece = Math.Max(1, current.Count / 2); runsMax > 0; piece = Math.Max(1, piece / 2))
        {
            bool removed = false;
            for (int start = current.Count - piece; start > -piece && runsMax > 0; start -= piece)
            {
                int from = Math.Max(0, start);
                List<T> shorter = [.. current[..from], .. current[Math.Min(current.Count, from + piece)..]];
                runsMax--;
                if (shorter.Count < current.Count && await fails(shorter))
                {
                    current = shorter;
                    removed = true;
                }
            }

            if (piece == 1 && !removed)
            {
                break;
            }
        }

        return current;
    }

    private static VolumeOperation Next(Random random)
    {
        OperationKind kind = PickKind(random);
        bool onDirectory = kind is OperationKind.MakeDirectory or OperationKind.RemoveDirectory or OperationKind.List
            || (kind is OperationKind.Rename or OperationKind.Exchange or OperationKind.RenameNoReplace or OperationKind.SetMode && random.Next(3) == 0);
        return new VolumeOperation(
            kind,
            PickPath(random, onDirectory),
            PickPath(random, onDirectory),
            PickOffset(random),
            random.Next(3) == 0 ? random.Next(1, 200) : random.Next(1, random.Next(2) == 0 ? 5000 : 200_000),
            kind == OperationKind.CopyRange ? (int)PickOffset(random) : random.Next(),
            random.Next(SlotCount));
    }

    private static OperationKind PickKind(Random random)
    {
        int ticket = random.Next(Weights.Sum(pair => pair.Weight));
        foreach ((OperationKind kind, int weight) in Weights)
        {
            ticket -= weight;
            if (ticket < 0)
            {
                return kind;
            }
        }

        throw new System.Diagnostics.UnreachableException();
    }

    private static string PickPath(Random random, bool directory)
    {
        string parent = random.Next(6) switch
        {
            0 or 1 => "",
            2 or 3 or 4 => "/" + Pick(random, DirectoryNames),
            _ => "/" + Pick(random, DirectoryNames) + "/" + Pick(random, DirectoryNames),
        };
        if (random.Next(150) == 0)
        {
            return parent + "/" + new string('n', random.Next(2) == 0 ? 255 : 256);
        }

        return parent + "/" + Pick(random, directory == (random.Next(20) != 0) ? DirectoryNames : FileNames);
    }

    private static long PickOffset(Random random)
    {
        int[] edges = [4096, 65536, 1 << 20];
        return random.Next(3) switch
        {
            0 => random.Next(10_000),
            1 => random.Next(FileBytesMax),
            _ => Math.Max(0, Math.Min(FileBytesMax, (edges[random.Next(3)] * (long)random.Next(4)) + random.Next(-2, 3))),
        };
    }

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
