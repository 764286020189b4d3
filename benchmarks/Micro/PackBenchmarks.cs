using BenchmarkDotNet.Attributes;
using Drive.Core.Rows;
using Drive.Testing;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Packs;

namespace Drive.Micro;

/// <summary>What a block costs on its way into a pack and out of it.</summary>
public class PackBenchmarks
{
    private const int BlockBytes = 1 << 20;
    private const int SmallBytes = 4096;
    private const int SmallBlocks = 1000;

    private readonly SeededRandom _random = new(2);
    private readonly byte[] _noise = Vaults.Noise(BlockBytes);
    private readonly byte[] _text = Vaults.Text(BlockBytes);
    private readonly byte[] _plain = new byte[BlockSegments.SegmentBytes];
    private VaultKeys _keys = null!;
    private PackReader _reader = null!;
    private byte[] _pack = [];
    private BlockRow _block = null!;

    [GlobalSetup]
    public void Begin()
    {
        _keys = Vaults.MakeKeys();
        _reader = new PackReader(_keys);
        using PackWriter writer = new(_keys, _random);
        _block = writer.Add(_keys.IdentifyBlock(_noise), _noise, Effort.Quick);
        _pack = writer.Finish().ToArray();
    }

    [GlobalCleanup]
    public void End()
    {
        _reader.Dispose();
        _keys.Dispose();
    }

    [Benchmark(Description = "identify 1 MiB (keyed hash)")]
    public BlockId Identify() => _keys.IdentifyBlock(_noise);

    [Benchmark(Description = "identify 4 KiB")]
    public BlockId IdentifySmall() => _keys.IdentifyBlock(_noise.AsSpan(0, SmallBytes));

    [Benchmark(Description = "seal 1 MiB, no compression tried")]
    public int Seal() => Pack(_noise, Effort.None);

    [Benchmark(Description = "seal 1 MiB that does not compress")]
    public int SealNoise() => Pack(_noise, Effort.Quick);

    [Benchmark(Description = "seal 1 MiB of source text")]
    public int SealText() => Pack(_text, Effort.Quick);

    [Benchmark(Description = "seal a 4 KiB file, 1000 a pack", OperationsPerInvoke = SmallBlocks)]
    public int SealSmall()
    {
        using PackWriter writer = new(_keys, _random);
        for (int i = 0; i < SmallBlocks; i++)
        {
            ReadOnlySpan<byte> plain = _noise.AsSpan(i * 16, SmallBytes);
            writer.Add(_keys.IdentifyBlock(plain), plain, Effort.Quick);
        }

        return writer.Finish().Length;
    }

    [Benchmark(Description = "open a segment of 64 KiB")]
    public void OpenSegment() =>
        _reader.OpenSegment(_block, 0, _pack.AsSpan((int)_block.PackOffset, BlockSegments.StoredLengthOf(_block, 0)), _plain);

    [Benchmark(Description = "open and check a pack of 1 MiB")]
    public int OpenPack() => _reader.VerifyPack(_block.Pack, _pack).Count;

    private int Pack(byte[] plain, Effort effort)
    {
        using PackWriter writer = new(_keys, _random);
        writer.Add(_block.Block, plain, effort);
        return writer.Finish().Length;
    }
}
