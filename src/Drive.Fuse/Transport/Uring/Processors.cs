using System.Globalization;
using System.Runtime.CompilerServices;
using Drive.Fuse.Native;

namespace Drive.Fuse.Transport.Uring;

/// <summary>The machine's processors: the kernel has one queue for each that may ever be there.</summary>
internal static unsafe class Processors
{
    private const string Folder = "/sys/devices/system/cpu/";

    /// <summary>1024 processors, the size of a cpu_set_t.</summary>
    private const int MaskBytes = 128;

    /// <summary>All that may come to be; the kernel's queues are numbered 0 to one less than their number.</summary>
    public static IReadOnlyList<int> Possible() => Read("possible");

    /// <summary>Those that run programs now.</summary>
    public static IReadOnlyList<int> Online() => Read("online");

    /// <summary>Reads "0-3,8,10-11".</summary>
    public static IReadOnlyList<int> Parse(string text)
    {
        List<int> processors = [];
        foreach (string range in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int[] ends = [.. range.Split('-').Select(static end => int.Parse(end, NumberStyles.None, CultureInfo.InvariantCulture))];
            processors.AddRange(Enumerable.Range(ends[0], ends[^1] - ends[0] + 1));
        }

        return processors;
    }

    /// <summary>
    /// Who serves which processors, and with how many entries: one queue for each that is there, up to a limit. Those that are not there get one entry, since the kernel
    /// wants one, somewhere. A queue's first processor is its own.
    /// </summary>
    public static IReadOnlyList<(ushort Processor, int Depth)>[] Share(IReadOnlyList<int> online, int possible, int queuesMax, int depth)
    {
        int[] there = [.. online.Where(processor => processor < possible)];
        List<(ushort, int)>[] shares = [.. Enumerable.Range(0, Math.Min(there.Length, queuesMax)).Select(static _ => new List<(ushort, int)>())];
        IEnumerable<(int Processor, int Depth)> all =
            [.. there.Select(processor => (processor, depth)), .. Enumerable.Range(0, possible).Except(there).Select(static processor => (processor, 1))];
        foreach (((int processor, int entries), int index) in all.Select(static (lane, index) => (lane, index)))
        {
            shares[index % shares.Length].Add(((ushort)processor, entries));
        }

        return shares;
    }

    /// <summary>Ties the calling thread to one processor; false where the system does not let it run there.</summary>
    public static bool TryPin(int processor)
    {
        Mask mask = default;
        if (processor >= MaskBytes * 8)
        {
            return false;
        }

        mask[processor / 8] = (byte)(1 << (processor % 8));
        return Libc.SetAffinity(0, MaskBytes, &mask) == 0;
    }

    private static IReadOnlyList<int> Read(string name) => Parse(File.ReadAllText(Folder + name));

    [InlineArray(MaskBytes)]
    private struct Mask
    {
        private byte _first;
    }
}
