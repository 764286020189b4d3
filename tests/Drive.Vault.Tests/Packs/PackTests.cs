using System.Text;
using Drive.Core.Rows;
using Drive.Testing;
using Drive.Vault.Keys;
using Drive.Vault.Packs;

namespace Drive.Vault.Tests.Packs;

public sealed class PackTests
{
    [Fact]
    public async Task Blocks_of_every_kind_of_length_come_back_exactly()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using var writer = new PackWriter(vault.Keys, vault.Source);
        List<(BlockRow Row, byte[] Plain)> blocks = [];
        foreach (int length in new[] { 1, 2, 15, 65_535, 65_536, 65_537, 131_072, 300_000, 1_048_575, 1_048_576 })
        {
            foreach (byte[] plain in new[] { Tree.Bytes(vault.Random, length), Text(length), Mixed(vault.Random, length) })
            {
                blocks.Add((writer.Add(vault.Keys.IdentifyBlock(plain), plain, (Effort)(blocks.Count % 4)), plain));
            }
        }

        byte[] pack = writer.Finish().ToArray();
        Assert.Equal(pack.Length, writer.Length);
        Assert.Equal(pack, writer.Finish().ToArray());
        Assert.Throws<InvalidOperationException>(() => writer.Add(default, new byte[1], Effort.Quick));
        using var reader = new PackReader(vault.Keys);
        Assert.All(blocks, block => Assert.Equal(block.Plain, Read(reader, pack, block.Row)));
        Assert.Contains(blocks, block => block.Row.Segments.Any(segment => (segment & 1) != 0));

        IReadOnlyList<BlockRow> directory = reader.VerifyPack(writer.Id, pack);
        Assert.Equal(blocks.Select(block => Flat(block.Row)), directory.Select(Flat));
        reader.VerifyPreamble(writer.Id, pack.AsSpan(0, PackReader.PreambleBytes));
    }

    [Fact]
    public async Task Every_single_bit_flip_truncation_and_extension_of_a_pack_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using var writer = new PackWriter(vault.Keys, vault.Source);
        byte[] first = Text(300);
        byte[] second = Tree.Bytes(vault.Random, 40);
        writer.Add(vault.Keys.IdentifyBlock(first), first, Effort.Quick);
        writer.Add(vault.Keys.IdentifyBlock(second), second, Effort.Quick);
        byte[] pack = writer.Finish().ToArray();
        using var reader = new PackReader(vault.Keys);
        Assert.Equal(2, reader.VerifyPack(writer.Id, pack).Count);
        for (int bit = 0; bit < pack.Length * 8; bit++)
        {
            byte[] changed = [.. pack];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<VaultIntegrityException>(() => reader.VerifyPack(writer.Id, changed));
        }

        for (int length = 0; length < pack.Length; length++)
        {
            Assert.Throws<VaultIntegrityException>(() => reader.VerifyPack(writer.Id, pack.AsSpan(0, length)));
        }

        Assert.Throws<VaultIntegrityException>(() => reader.VerifyPack(writer.Id, [.. pack, 0]));
    }

    [Fact]
    public async Task Segments_swapped_inside_a_block_between_blocks_and_between_packs_are_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        byte[] plain = Tree.Bytes(vault.Random, 3 * 65_536);
        using var writer = new PackWriter(vault.Keys, vault.Source);
        BlockRow a = writer.Add(vault.Keys.IdentifyBlock(plain), plain, Effort.None);
        BlockRow b = writer.Add(vault.Keys.IdentifyBlock(plain), plain, Effort.None);
        byte[] pack = writer.Finish().ToArray();
        using var otherWriter = new PackWriter(vault.Keys, vault.Source);
        BlockRow c = otherWriter.Add(vault.Keys.IdentifyBlock(plain), plain, Effort.None);
        byte[] other = otherWriter.Finish().ToArray();
        using var reader = new PackReader(vault.Keys);
        var into = new byte[65_536];
        Refused(reader, a, 0, Sealed(pack, a, 1), into);
        Refused(reader, a, 0, Sealed(pack, b, 0), into);
        Refused(reader, a, 0, Sealed(other, c, 0), into);
        Refused(reader, a, 0, Sealed(pack, a, 0)[..^1], into);
        Refused(reader, a, 0, new byte[65_536 + 16], into);
        Assert.All(into, value => Assert.Equal(0, value));
        Assert.Throws<VaultIntegrityException>(() => reader.VerifyPack(writer.Id, other));
    }

    [Fact]
    public async Task A_block_row_that_lies_about_length_place_or_compression_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        byte[] plain = Text(100_000);
        using var writer = new PackWriter(vault.Keys, vault.Source);
        BlockRow row = writer.Add(vault.Keys.IdentifyBlock(plain), plain, Effort.Quick);
        byte[] pack = writer.Finish().ToArray();
        using var reader = new PackReader(vault.Keys);
        byte[] last = Sealed(pack, row, 1);
        var into = new byte[65_536];
        Refused(reader, row with { FirstSegment = 1 }, 1, last, into);
        Refused(reader, row with { PlainLength = 100_001 }, 1, last, into);
        Refused(reader, row with { PlainLength = 99_999 }, 1, last, into);
        Refused(reader, row with { Segments = [row.Segments[0], row.Segments[1] ^ 1] }, 1, last, into);
        Refused(reader, row with { Pack = new PackId(default) }, 1, last, into);
    }

    [Fact]
    public async Task The_same_content_sealed_twice_shares_no_bytes()
    {
        using TestVault vault = await TestVault.CreateAsync();
        byte[] plain = Text(5000);
        List<byte[]> packs = [];
        for (int i = 0; i < 2; i++)
        {
            using var writer = new PackWriter(vault.Keys, vault.Source);
            writer.Add(vault.Keys.IdentifyBlock(plain), plain, Effort.None);
            packs.Add(writer.Finish()[PackReader.PreambleBytes..^8].ToArray());
        }

        Assert.True(Enumerable.Range(0, packs[0].Length).Count(i => packs[0][i] == packs[1][i]) < packs[0].Length / 64);
    }

    [Fact]
    public async Task Many_readers_of_more_packs_than_are_kept_all_get_their_bytes()
    {
        using TestVault vault = await TestVault.CreateAsync();
        List<(BlockRow Row, byte[] Pack, byte[] Plain)> all = [];
        for (int i = 0; i < 20; i++)
        {
            byte[] plain = Mixed(vault.Random, 70_000 + i);
            using var writer = new PackWriter(vault.Keys, vault.Source);
            BlockRow row = writer.Add(vault.Keys.IdentifyBlock(plain), plain, Effort.Quick);
            all.Add((row, writer.Finish().ToArray(), plain));
        }

        using var reader = new PackReader(vault.Keys, packsMax: 4);
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            (BlockRow row, byte[] pack, byte[] plain) = all[i * 7 % all.Count];
            Assert.Equal(plain, Read(reader, pack, row));
        });
    }

    [Fact]
    public async Task A_pack_grows_beyond_its_target_and_says_when_it_is_full()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using var writer = new PackWriter(vault.Keys, vault.Source, targetBytes: 100_000);
        byte[] plain = Tree.Bytes(vault.Random, BlockSegments.BlockBytesMax);
        Assert.False(writer.IsFull);
        for (int i = 0; i < 5; i++)
        {
            writer.Add(vault.Keys.IdentifyBlock(plain), plain, Effort.Quick);
        }

        Assert.True(writer.IsFull);
        using var reader = new PackReader(vault.Keys);
        Assert.Equal(5, reader.VerifyPack(writer.Id, writer.Finish().Span).Count);
    }

    internal static byte[] Text(int length) => [.. Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, (length / 8) + 1).Select(i => $"line {i % 97};"))).Take(length)];

    private static byte[] Mixed(Random random, int length)
    {
        byte[] text = Text(length);
        random.NextBytes(text.AsSpan(length / 2));
        return text;
    }

    private static byte[] Read(PackReader reader, byte[] pack, BlockRow row)
    {
        var plain = new byte[row.PlainLength];
        for (int i = 0; i < row.Segments.Length; i++)
        {
            reader.OpenSegment(row, i, Sealed(pack, row, i), plain.AsSpan(i * BlockSegments.SegmentBytes));
        }

        return plain;
    }

    private static byte[] Sealed(byte[] pack, BlockRow row, int segment) =>
        pack.AsSpan((int)BlockSegments.OffsetOf(row, segment), BlockSegments.StoredLengthOf(row, segment)).ToArray();

    private static void Refused(PackReader reader, BlockRow row, int segment, byte[] bytes, byte[] into) =>
        Assert.Throws<VaultIntegrityException>(() => reader.OpenSegment(row, segment, bytes, into));

    private static string Flat(BlockRow row) => $"{row.Block.Value} {row.Pack.Value} {row.PackOffset} {row.FirstSegment} {row.PlainLength} {string.Join(',', row.Segments)}";
}
