using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Vault.Codec;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Vault.Tests.Codec;

public sealed class RowCodecTests
{
    private static readonly NodeRow File = new()
    {
        Node = new NodeId(0x100000000005),
        Mode = FileMode.Regular | 0x1A4,
        LinkCount = 1,
        Uid = 1000,
        Gid = 1000,
        Size = 12_345,
        ModifyTime = 0x1765432112345678,
        ChangeTime = 0x1765432112345679,
        BirthTime = 0x1765432112345677,
        AccessTime = 0x1765432112345678,
    };

    [Fact]
    public void Rows_have_these_bytes_for_ever()
    {
        Assert.Equal("858080808080" + "04a48302" + "01e807e80700b960" + "1765432112345678" + "02010000", Encode(w => RowCodec.Write(w, File)));
        Assert.Equal("01" + "ed8301" + "000000" + "00" + "0000000000000000" + "00000000",
            Encode(w => RowCodec.Write(w, new NodeRow { Node = NodeId.Root, Mode = FileMode.Directory | 0x1ED, LinkCount = 17 })));
        Assert.Equal("01" + "0568656c6c6f" + "8501", Encode(w => RowCodec.Write(w, new EntryRow(NodeId.Root, "hello"u8.ToArray(), new NodeId(0x85), 99))));
        Assert.Equal("02" + "808040" + "ac02" + new string('a', 64) + "07",
            Encode(w => RowCodec.Write(w, new ExtentRow(new NodeId(2), 1_048_576, 300, new BlockId(Fill(0xAA)), 7))));
        Assert.Equal("02" + "06757365722e61" + "0378797a", Encode(w => RowCodec.Write(w, new XattrRow(new NodeId(2), "user.a"u8.ToArray(), "xyz"u8.ToArray()))));
        Assert.Equal(new string('b', 64) + new string('c', 64) + "6a" + "03" + "818004" + "a08008" + "22",
            Encode(w => RowCodec.Write(w, new BlockRow(new BlockId(Fill(0xBB)), new PackId(Fill(0xCC)), 106, 3, 65_537, [65_552 << 1, 17 << 1]))));
    }

    [Fact]
    public void Random_rows_come_back_as_they_were()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        var tree = new Tree();
        for (int i = 0; i < 300; i++)
        {
            RowChanges changes = tree.RandomChange(random, (ulong)(i * 10) + 2);
            using var writer = new ByteWriter();
            RowStream.Write(writer, changes);
            var reader = new ByteReader(writer.Written, "test");
            RowChanges stored = RowStream.ReadToEnd(ref reader, allowClosed: true);
            RowChanges whole = tree.Resolve(stored);
            using var again = new ByteWriter();
            RowStream.Write(again, whole);
            Assert.True(writer.Written.SequenceEqual(again.Written), $"seed {seed}");
            Assert.True(changes.Closed.Nodes.SequenceEqual(whole.Closed.Nodes), $"seed {seed}");
            tree.Apply(changes);
        }
    }

    [Fact]
    public void Random_mutations_are_refused_or_read_and_never_anything_else()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        var tree = new Tree();
        RowChanges changes = tree.RandomChange(random, 2);
        tree.Apply(changes);
        RowChanges more = tree.RandomChange(random, 200);
        using var writer = new ByteWriter();
        RowStream.Write(writer, more);
        byte[] original = writer.ToArray();
        int refused = 0;
        for (int i = 0; i < 50_000; i++)
        {
            byte[] bytes = Mutate(random, original);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var reader = new ByteReader(bytes, "test");
                RowStream.ReadToEnd(ref reader, allowClosed: true);
            }
            catch (VaultIntegrityException e) when (e.Kind == IntegrityKind.Malformed)
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {i}: {e}");
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < (200 * bytes.Length) + 100_000, $"seed {seed}, round {i}: {allocated} bytes for {bytes.Length}");
        }

        Assert.True(refused > 1000, $"seed {seed}");
    }

    [Fact]
    public void Numbers_longer_than_needed_and_out_of_range_are_refused()
    {
        foreach (string hex in new[] { "8000", "808000", "ffffffffffffffffff02", "ffffffffffffffffffff01", "80", "" })
        {
            Assert.Throws<VaultIntegrityException>(() => new ByteReader(Convert.FromHexString(hex), "test").UInt());
        }

        Assert.Equal(ulong.MaxValue, new ByteReader(Convert.FromHexString("ffffffffffffffffff01"), "test").UInt());
        foreach (long value in new[] { 0, 1, -1, long.MaxValue, long.MinValue })
        {
            using var writer = new ByteWriter();
            writer.Int(value);
            Assert.Equal(value, new ByteReader(writer.Written, "test").Int());
        }
    }

    [Fact]
    public void Names_that_no_directory_can_hold_are_refused()
    {
        foreach (string name in new[] { ".", "..", "a/b", "a\0" })
        {
            Assert.Throws<VaultIntegrityException>(() =>
            {
                using var writer = new ByteWriter();
                RowCodec.Write(writer, new EntryRow(NodeId.Root, System.Text.Encoding.ASCII.GetBytes(name), new NodeId(2), 0));
                var reader = new ByteReader(writer.Written, "test");
                RowCodec.ReadEntry(ref reader);
            });
        }
    }

    internal static byte[] Mutate(Random random, byte[] original)
    {
        byte[] bytes = [.. original];
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            int at = random.Next(bytes.Length);
            bytes = random.Next(5) switch
            {
                0 => bytes[..Math.Max(1, at)],
                1 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                2 => [.. bytes[..at], 0xFF, 0xFF, 0xFF, 0xFF, 0x07, .. bytes[at..]],
                3 => [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]],
                _ => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
            };
            if (bytes.Length == 0)
            {
                return [0];
            }
        }

        return bytes;
    }

    private static Bytes32 Fill(byte value) => new([.. Enumerable.Repeat(value, 32)]);

    private static string Encode(Action<ByteWriter> write)
    {
        using var writer = new ByteWriter();
        write(writer);
        return Convert.ToHexStringLower(writer.Written);
    }
}
