using BenchmarkDotNet.Attributes;
using Drive.Fuse.Protocol;
using Drive.Testing;

namespace Drive.Micro;

/// <summary>What the dispatcher adds to a request: bytes in, the reference volume's answer, bytes out. No kernel is in it.</summary>
public class DispatchBenchmarks
{
    private const ulong Root = 1;
    private const uint IoBytes = 4096;
    private const uint LargeBytes = 1 << 20;

    private PretendKernel _kernel = null!;
    private byte[] _getAttributes = [];
    private byte[] _lookup = [];
    private byte[] _miss = [];
    private byte[] _read = [];
    private byte[] _readLarge = [];
    private byte[] _write = [];

    [GlobalSetup]
    public void Begin()
    {
        _kernel = new PretendKernel(new ReferenceVolume(TimeProvider.System));
        ulong node = _kernel.Create(Root, "name");
        _kernel.Serve(_kernel.Request(Opcode.Write, node, new WriteIn { Size = LargeBytes }, new byte[LargeBytes]));
        _getAttributes = _kernel.Request(Opcode.GetAttr, node, 0UL, new byte[8]);
        _lookup = _kernel.Request(Opcode.Lookup, Root, "name\0"u8);
        _miss = _kernel.Request(Opcode.Lookup, Root, "nothing\0"u8);
        _read = _kernel.Request(Opcode.Read, node, new ReadIn { Size = IoBytes });
        _readLarge = _kernel.Request(Opcode.Read, node, new ReadIn { Size = LargeBytes });
        _write = _kernel.Request(Opcode.Write, node, new WriteIn { Size = IoBytes }, new byte[IoBytes]);
    }

    [GlobalCleanup]
    public void End() => _kernel.Dispose();

    [Benchmark(Description = "GETATTR")]
    public int GetAttributes() => _kernel.Serve(_getAttributes);

    [Benchmark(Description = "LOOKUP")]
    public int Lookup() => _kernel.Serve(_lookup);

    [Benchmark(Description = "LOOKUP, not there")]
    public int Miss() => _kernel.Serve(_miss);

    [Benchmark(Description = "READ of 4 KiB")]
    public int Read() => _kernel.Serve(_read);

    [Benchmark(Description = "READ of 1 MiB")]
    public int ReadLarge() => _kernel.Serve(_readLarge);

    [Benchmark(Description = "WRITE of 4 KiB")]
    public int Write() => _kernel.Serve(_write);
}
