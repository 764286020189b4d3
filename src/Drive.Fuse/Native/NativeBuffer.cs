using System.Buffers;
using System.Runtime.InteropServices;

namespace Drive.Fuse.Native;

/// <summary>
/// Page-aligned memory outside the managed heap, seen as <see cref="Memory{T}"/> without copying or pinning. Pages cost nothing until touched.
/// One owner at a time; it is freed by <see cref="IDisposable.Dispose"/> only when nobody holds a slice.
/// </summary>
internal sealed unsafe class NativeBuffer : MemoryManager<byte>
{
    private const int PageBytes = 4096;

    private readonly int _length;
    private byte* _pointer;

    public NativeBuffer(int length)
    {
        _length = length;
        _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)length, PageBytes);
    }

    public byte* Pointer => _pointer;

    public int Length => _length;

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_pointer == null, this);
        return new(_pointer, _length);
    }

    public Memory<byte> Slice(int start, int length) => CreateMemory(start, length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_pointer == null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length);
        return new(_pointer + elementIndex, default, this);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        byte* pointer = _pointer;
        _pointer = null;
        NativeMemory.AlignedFree(pointer);
    }
}
