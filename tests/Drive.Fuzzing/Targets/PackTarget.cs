using Drive.Core.Rows;
using Drive.Vault;
using Drive.Vault.Codec;
using Drive.Vault.Packs;
using Drive.Vault.Sealing;

namespace Drive.Fuzzing.Targets;

/// <summary>Packs: header, segments and directory as they lie in the store; a directory sealed by a member; a row that leads to a block of a sound pack.</summary>
internal sealed class PackTarget : FuzzTarget
{
    private readonly SealedVault _vault = new();
    private readonly byte[] _pack;
    private readonly PackId _id;
    private readonly BlockRow _block;

    public PackTarget()
    {
        byte[] content = new byte[1500];
        new Random(3).NextBytes(content.AsSpan(0, 700));
        using ObjectCipher cipher = Cipher(out _id);
        _pack = new byte[ObjectCipher.PreambleBytes + content.Length + 64];
        cipher.WritePreamble(_pack);
        int stored = content.Length + ObjectCipher.TagBytes;
        cipher.Seal(0, last: false, compressed: false, content.Length, content, _pack.AsSpan(ObjectCipher.PreambleBytes));
        _block = new BlockRow(new BlockId(SealedVault.Id(3)), _id, ObjectCipher.PreambleBytes, 0, content.Length, [stored * 2]);
        using ByteWriter directory = new();
        PackDirectory.Append(directory, _block);
        byte[] whole = new byte[ObjectCipher.PreambleBytes + stored + directory.Length + PackDirectory.FixedBytes];
        _pack.AsSpan(0, ObjectCipher.PreambleBytes + stored).CopyTo(whole);
        PackDirectory.Seal(cipher, 1, directory.Written, whole.AsSpan(ObjectCipher.PreambleBytes + stored));
        _pack = whole;
        using ByteWriter row = new();
        RowCodec.Write(row, _block);
        Seeds = [[0, .. _pack], [1, .. directory.ToArray()], [2, .. row.ToArray()]];
    }

    public override string Name => "pack";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override IReadOnlyList<byte[]> Dictionary { get; } = ["DRVO"u8.ToArray(), [1], [2], new byte[32], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x80, 0x80, 0x40]];

    // A segment that is decompressed has 64 KiB, a block 1 MiB.
    public override long AllocationMax(int inputBytes) => (2 << 20) + (256L * inputBytes);

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        byte[] rest = input[1..];
        switch (input[0] % 3)
        {
            case 0:
                Verify(_id, rest);
                break;
            case 1:
                using (ObjectCipher cipher = Cipher(out PackId id))
                {
                    byte[] pack = new byte[ObjectCipher.PreambleBytes + rest.Length + PackDirectory.FixedBytes];
                    cipher.WritePreamble(pack);
                    PackDirectory.Seal(cipher, 0, rest, pack.AsSpan(ObjectCipher.PreambleBytes));
                    Verify(id, pack);
                }

                break;
            default:
                SealedVault.Expect(() => ReadBlock(rest));
                break;
        }
    }

    protected override void Close() => _vault.Dispose();

    private ObjectCipher Cipher(out PackId id)
    {
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        _vault.Random.Fill(bytes);
        id = new PackId(new Bytes32(bytes));
        return new ObjectCipher(_vault.Keys, new ObjectHeader(ObjectClass.Pack, _vault.Keys.VaultId, _vault.Keys.KeyEpoch, id.Value));
    }

    private void Verify(PackId id, byte[] pack)
    {
        using PackReader reader = new(_vault.Keys);
        SealedVault.Expect(() => reader.ReadDirectory(id, pack));
        SealedVault.Expect(() => reader.VerifyPack(id, pack));
    }

    private void ReadBlock(byte[] rowBytes)
    {
        ByteReader from = new(rowBytes, "fuzzed");
        BlockRow row = RowCodec.ReadBlock(ref from) with { Pack = _id };
        using PackReader reader = new(_vault.Keys);
        byte[] plain = new byte[64 << 10];
        for (int segment = 0; segment < Math.Min(row.Segments.Length, 4); segment++)
        {
            int length = row.Segments[segment] >> 1;
            int plainLength = segment < row.Segments.Length - 1 ? 64 << 10 : row.PlainLength - ((row.Segments.Length - 1) * (64 << 10));
            if (row.PackOffset >= 0 && row.PackOffset <= _pack.Length - length)
            {
                reader.OpenSegment(row, segment, _pack.AsSpan((int)row.PackOffset, length), plain.AsSpan(0, plainLength));
            }
        }
    }
}
