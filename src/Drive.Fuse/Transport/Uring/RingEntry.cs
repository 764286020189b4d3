using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Drive.Fuse.Native;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Transport.Uring;

/// <summary>
/// One place for a request of a processor's queue. The kernel fills it, we answer in it, and with the answer it is the kernel's again. A request that waits
/// for something slow keeps it. Its memory: a page for the header and for putting a message in one piece, then the payload, whose pages cost nothing
/// until one that large came by.
/// </summary>
internal sealed unsafe class RingEntry : ReplySlot, IDisposable
{
    private const int PageBytes = 4096;

    /// <summary>Where the kernel finds the two parts when the entry is registered.</summary>
    private const int VectorsStart = 512;

    private readonly RingQueue _queue;
    private readonly NativeBuffer _buffer = new(PageBytes + Terms.IoBytesMax);
    private int _messageStart;

    public RingEntry(RingQueue queue, int index, ushort processor)
    {
        _queue = queue;
        Index = index;
        Processor = processor;
        new Span<byte>(_buffer.Pointer, PageBytes).Clear();
        Libc.Vector* vectors = (Libc.Vector*)(_buffer.Pointer + VectorsStart);
        vectors[0] = new() { Base = _buffer.Pointer, Length = RingHeader.Size };
        vectors[1] = new() { Base = _buffer.Pointer + PageBytes, Length = Terms.IoBytesMax };
    }

    /// <summary>Its number in the queue.</summary>
    public int Index { get; }

    /// <summary>The processor whose requests come here.</summary>
    public ushort Processor { get; }

    /// <summary>The request that is in our hands; 0 when none is. Guarded by the queue's lock.</summary>
    public ulong CommitId { get; set; }

    /// <summary>Whether that request waits. Guarded by the queue's lock.</summary>
    public bool IsWaiting { get; set; }

    public override Span<byte> Payload => new(_buffer.Pointer + PageBytes, Terms.IoBytesMax);

    public void* Vectors => _buffer.Pointer + VectorsStart;

    public ref RingHeader Header => ref Unsafe.AsRef<RingHeader>(_buffer.Pointer);

    public override Memory<byte> PayloadMemory(int length) => _buffer.Slice(PageBytes, length);

    public override bool Send(in OutHeader header, out int errno)
    {
        errno = _queue.Answer(this, header);
        return errno == 0;
    }

    /// <summary>Here even such a request keeps its entry until that is handed in.</summary>
    public override void Skip(ulong unique) => Send(new() { Length = OutHeader.Size, Unique = unique }, out _);

    public override void Detach() => _queue.Detach(this);

    public override void Release()
    {
    }

    /// <summary>
    /// Puts the request in one piece, as it would be read from the device, and returns its length. The data of a WRITE stays where the kernel put it, and the
    /// rest is put before it: <see cref="Message"/>. All others are copied to <paramref name="copy"/>, since their replies are written over them. What contradicts itself gets a
    /// length that its header does not say.
    /// </summary>
    public int Assemble(Span<byte> copy, out bool isInPlace)
    {
        ref RingHeader header = ref Header;
        uint payloadBytes = header.PayloadBytes;
        int fixedBytes = payloadBytes > Terms.IoBytesMax ? -1
            : RingArithmetic.FixedPartBytes(header.In.Length, InHeader.Size, payloadBytes, RingHeader.FixedPartMax);
        if (fixedBytes < 0)
        {
            isInPlace = false;
            MemoryMarshal.Write(copy, in header.In);
            return InHeader.Size;
        }

        int prefixBytes = InHeader.Size + fixedBytes;
        int length = prefixBytes + (int)payloadBytes;
        isInPlace = header.In.Opcode == Opcode.Write;
        Span<byte> message = copy;
        if (isInPlace)
        {
            _messageStart = PageBytes - prefixBytes;
            message = Message(length);
        }
        else
        {
            Payload[..(int)payloadBytes].CopyTo(copy[prefixBytes..]);
        }

        MemoryMarshal.Write(message, in header.In);
        MemoryMarshal.CreateReadOnlySpan(ref header.FixedPart, fixedBytes).CopyTo(message[InHeader.Size..]);
        return length;
    }

    /// <summary>The request that was put in one piece here.</summary>
    public Span<byte> Message(int length) => new(_buffer.Pointer + _messageStart, length);

    public void Dispose() => ((IDisposable)_buffer).Dispose();
}
