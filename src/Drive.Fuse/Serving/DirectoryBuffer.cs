using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>
/// Packs entries for READDIR and READDIRPLUS into a reply. With attributes, each entry but "." and ".." gives the kernel one
/// reference to its node; <see cref="TakeBack"/> undoes that when the reply was not received.
/// </summary>
internal sealed class DirectoryBuffer : IDirectoryWriter
{
    private const int Alignment = 8;

    private NodeTable? _nodes;
    private Request? _request;
    private ulong _validSeconds;
    private int _capacity;

    public int Length { get; private set; }

    /// <summary>Starts a reply of at most <paramref name="capacity"/> bytes; with attributes when there is a table to count in.</summary>
    public void Begin(Request request, int capacity, NodeTable? nodes, ulong validSeconds)
    {
        _request = request;
        _capacity = Math.Min(capacity, request.Payload.Length);
        _nodes = nodes;
        _validSeconds = validSeconds;
        Length = 0;
    }

    public bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie)
    {
        int prefix = _nodes is null ? 0 : Unsafe.SizeOf<EntryOut>();
        int unpadded = prefix + Dirent.Size + name.Length;
        int size = (unpadded + Alignment - 1) & ~(Alignment - 1);
        if (size > _capacity - Length)
        {
            return false;
        }

        Span<byte> target = _request!.Payload.Slice(Length, size);
        if (_nodes is not null)
        {
            WriteEntry(target, name, attributes, _nodes);
        }

        Dirent dirent = new()
        {
            Inode = attributes.Node.Value,
            Offset = (ulong)nextCookie,
            NameLength = (uint)name.Length,
            Type = (attributes.Mode & FileMode.TypeMask) >> 12,
        };
        MemoryMarshal.Write(target[prefix..], in dirent);
        name.CopyTo(target[(prefix + Dirent.Size)..]);
        target[unpadded..].Clear();
        Length += size;
        return true;
    }

    /// <summary>Things changed while the entries were gathered: the kernel may use them but not keep them.</summary>
    public void Expire() => ForEachEntry(static (_, ref entry) =>
    {
        entry.EntryValidSeconds = 0;
        entry.AttrValidSeconds = 0;
    });

    /// <summary>Takes back the references that a lost reply would have given.</summary>
    public void TakeBack() => ForEachEntry(static (nodes, ref entry) =>
    {
        if (entry.NodeId != 0)
        {
            nodes.Release(entry.NodeId, 1);
        }
    });

    private void WriteEntry(Span<byte> target, ReadOnlySpan<byte> name, in NodeAttributes attributes, NodeTable nodes)
    {
        EntryOut entry = default;
        AttributeFormat.Write(attributes, out entry.Attr);
        if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
        {
            entry.NodeId = nodes.Acquire(attributes.Node);
            entry.EntryValidSeconds = _validSeconds;
            entry.AttrValidSeconds = _validSeconds;
        }

        MemoryMarshal.Write(target, in entry);
    }

    private delegate void EntryAction(NodeTable nodes, ref EntryOut entry);

    private void ForEachEntry(EntryAction action)
    {
        if (_nodes is null)
        {
            return;
        }

        Span<byte> rest = _request!.Payload[..Length];
        while (!rest.IsEmpty)
        {
            ref EntryOut entry = ref MemoryMarshal.AsRef<EntryOut>(rest);
            ref Dirent dirent = ref MemoryMarshal.AsRef<Dirent>(rest[Unsafe.SizeOf<EntryOut>()..]);
            action(_nodes, ref entry);
            int unpadded = Unsafe.SizeOf<EntryOut>() + Dirent.Size + (int)dirent.NameLength;
            rest = rest[((unpadded + Alignment - 1) & ~(Alignment - 1))..];
        }
    }
}
