using System.Buffers.Binary;
using Drive.Simulation.World;

namespace Drive.Simulation.Devices;

/// <summary>
/// Files here are rows of cells, and each cell says itself who wrote it: number of the device and of its call, and which cell of that call it is. So whatever bytes turn up, wherever, are known,
/// and bytes that nobody wrote are too.
/// </summary>
internal static class Cells
{
    /// <summary>No power of two, so that cells lie across the edges of segments, blocks and pages.</summary>
    public const int Bytes = 96;

    /// <summary>What a hole reads as.</summary>
    public const ulong None = 0;

    private const int Words = Bytes / sizeof(ulong);
    private const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>The name of a cell; device 0 is for content that several devices write alike.</summary>
    public static ulong Compose(int device, int call, int index) => ((ulong)(uint)device << 48) | ((ulong)(uint)call << 20) | ((uint)index + 1u);

    public static string Describe(ulong cell) => cell == None ? "hole" : $"{cell >> 48}:{(cell >> 20) & 0xFFFFFFF}.{(cell & 0xFFFFF) - 1}";

    public static byte[] Encode(IReadOnlyList<ulong> cells)
    {
        byte[] bytes = new byte[cells.Count * Bytes];
        for (int index = 0; index < cells.Count; index++)
        {
            for (int word = 0; cells[index] != None && word < Words; word++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan((index * Bytes) + (word * sizeof(ulong))), Word(cells[index], word));
            }
        }

        return bytes;
    }

    public static ulong[] Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % Bytes != 0)
        {
            throw new SimulationException($"A file has {bytes.Length} bytes, and nobody left one with a part of a cell.");
        }

        ulong[] cells = new ulong[bytes.Length / Bytes];
        for (int index = 0; index < cells.Length; index++)
        {
            ReadOnlySpan<byte> cell = bytes.Slice(index * Bytes, Bytes);
            cells[index] = BinaryPrimitives.ReadUInt64LittleEndian(cell);
            for (int word = 1; word < Words; word++)
            {
                ulong found = BinaryPrimitives.ReadUInt64LittleEndian(cell[(word * sizeof(ulong))..]);
                if (found != (cells[index] == None ? 0 : Word(cells[index], word)))
                {
                    throw new SimulationException($"Cell {index}, {Describe(cells[index])} by its first bytes, is torn: word {word} is {found:x}.");
                }
            }
        }

        return cells;
    }

    /// <summary>Stands for a whole content in a set of them.</summary>
    public static string Key(IEnumerable<ulong> cells) => string.Join(' ', cells.Select(static cell => cell.ToString("x", System.Globalization.CultureInfo.InvariantCulture)));

    private static ulong Word(ulong cell, int word) => word == 0 ? cell : (cell ^ ((ulong)word * Step)) * Step;
}
