using System.Buffers;
using System.Buffers.Binary;
using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>
/// A batch as bytes, for the journal of save points in the dirty log: nodes, entries, xattrs and dirty rows. Access times that changed alone, blocks and
/// settings are left out: the log of the vault and the journal's own fields have what matters of them. Integers are little-endian
/// (docs/local-state.md). The bytes come from a sealed record; what does not parse all the same is a <see cref="MetadataCorruptException"/>.
/// </summary>
public static class BatchCodec
{
    private const byte Version = 1;
    private const byte HasRow = 1;
    private const byte IsNew = 2;
    private const byte LosesXattrs = 4;
    private const byte HasTarget = 8;
    private const long RecordBytesMax = 1 << 20;

    /// <summary>Whether the batch holds anything that is written.</summary>
    public static bool HasRows(MetadataBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return batch.Nodes.Count + batch.Entries.Count + batch.Xattrs.Count + batch.Dirty.Count > 0;
    }

    /// <summary>Appends the batch.</summary>
    public static void Write(MetadataBatch batch, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(output);
        Byte(output, Version);
        Number(output, batch.Nodes.Count);
        foreach ((NodeId node, MetadataBatch.NodeChange change) in batch.Nodes)
        {
            WriteNode(output, node, change);
        }

        Number(output, batch.Entries.Count);
        foreach (MetadataBatch.EntryChange change in batch.Entries)
        {
            Long(output, (long)change.Parent.Value);
            Sized(output, change.Name);
            Byte(output, change.Row is null ? (byte)0 : HasRow);
            if (change.Row is { } row)
            {
                Long(output, (long)row.Node.Value);
                Long(output, row.EntryId);
            }
        }

        Number(output, batch.Xattrs.Count);
        foreach (MetadataBatch.XattrChange change in batch.Xattrs)
        {
            Long(output, (long)change.Node.Value);
            Sized(output, change.Name);
            Byte(output, change.Row is null ? (byte)0 : HasRow);
            if (change.Row is { } row)
            {
                Sized(output, row.Value);
            }
        }

        Number(output, batch.Dirty.Count);
        foreach (MetadataBatch.DirtyChange change in batch.Dirty)
        {
            WriteDirty(output, change);
        }
    }

    /// <summary>Reads a batch up to the end of the bytes.</summary>
    public static MetadataBatch Read(ReadOnlySpan<byte> source)
    {
        Reader reader = new(source);
        if (reader.Byte() != Version)
        {
            throw Malformed("a batch of another version");
        }

        MetadataBatch batch = new();
        for (int left = reader.Count(9); left > 0; left--)
        {
            ReadNode(ref reader, batch);
        }

        for (int left = reader.Count(13); left > 0; left--)
        {
            NodeId parent = reader.Node();
            byte[] name = reader.Sized();
            if (reader.Byte() == HasRow)
            {
                batch.PutEntry(new EntryRow(parent, name, reader.Node(), reader.Long()));
            }
            else
            {
                batch.RemoveEntry(parent, name);
            }
        }

        for (int left = reader.Count(13); left > 0; left--)
        {
            NodeId node = reader.Node();
            byte[] name = reader.Sized();
            if (reader.Byte() == HasRow)
            {
                batch.PutXattr(new XattrRow(node, name, reader.Sized()));
            }
            else
            {
                batch.RemoveXattr(node, name);
            }
        }

        for (int left = reader.Count(17); left > 0; left--)
        {
            ReadDirty(ref reader, batch);
        }

        return reader.IsAtEnd ? batch : throw Malformed("bytes after a batch");
    }

    private static void WriteNode(IBufferWriter<byte> output, NodeId node, MetadataBatch.NodeChange change)
    {
        Long(output, (long)node.Value);
        NodeRow? row = change.Row;
        Byte(output, (byte)((row is null ? 0 : HasRow) | (change.IsNew ? IsNew : 0) | (change.LosesXattrs ? LosesXattrs : 0) | (row?.LinkTarget is null ? 0 : HasTarget)));
        if (row is null)
        {
            return;
        }

        Number(output, (int)row.Mode);
        Number(output, (int)row.LinkCount);
        Number(output, (int)row.Uid);
        Number(output, (int)row.Gid);
        Number(output, (int)row.DeviceNumber);
        Long(output, row.Size);
        Long(output, row.AccessTime);
        Long(output, row.ModifyTime);
        Long(output, row.ChangeTime);
        Long(output, row.BirthTime);
        if (row.LinkTarget is not null)
        {
            Sized(output, row.LinkTarget);
        }
    }

    private static void ReadNode(ref Reader reader, MetadataBatch batch)
    {
        NodeId node = reader.Node();
        byte flags = reader.Byte();
        if ((flags & LosesXattrs) != 0)
        {
            batch.RemoveNode(node);
        }

        if ((flags & HasRow) == 0)
        {
            return;
        }

        NodeRow row = new()
        {
            Node = node,
            Mode = reader.UInt(),
            LinkCount = reader.UInt(),
            Uid = reader.UInt(),
            Gid = reader.UInt(),
            DeviceNumber = reader.UInt(),
            Size = reader.Long(),
            AccessTime = reader.Long(),
            ModifyTime = reader.Long(),
            ChangeTime = reader.Long(),
            BirthTime = reader.Long(),
            LinkTarget = (flags & HasTarget) != 0 ? reader.Sized() : null,
        };
        batch.PutNode(row, (flags & IsNew) != 0);
    }

    private static void WriteDirty(IBufferWriter<byte> output, MetadataBatch.DirtyChange change)
    {
        Long(output, (long)change.Node.Value);
        Long(output, change.Offset);
        Byte(output, change.Row is null ? (byte)0 : (byte)(HasRow + (int)change.Row.Kind));
        if (change.Row is not { } row)
        {
            return;
        }

        Long(output, row.Length);
        if (row.Kind == DirtyKind.Data)
        {
            Long(output, row.Segment);
            Long(output, row.Position);
            Number(output, row.RecordLength);
        }
        else if (row.Kind == DirtyKind.Block)
        {
            output.Write(row.Block.Value.AsSpan());
        }

        if (row.Kind != DirtyKind.Hole)
        {
            Number(output, row.InnerOffset);
        }
    }

    private static void ReadDirty(ref Reader reader, MetadataBatch batch)
    {
        NodeId node = reader.Node();
        long offset = reader.Long();
        int tag = reader.Byte();
        if (tag == 0)
        {
            batch.RemoveDirty(node, offset);
            return;
        }

        DirtyKind kind = (DirtyKind)(tag - HasRow);
        long length = reader.Long();
        DirtyRow row = kind switch
        {
            DirtyKind.Data => new DirtyRow(node, offset, length, kind, reader.Long(), reader.Long(), reader.Int(), reader.Int(), default),
            DirtyKind.Hole => new DirtyRow(node, offset, length, kind, 0, 0, 0, 0, default),
            DirtyKind.Block => ReadBlock(ref reader, node, offset, length),
            _ => throw Malformed("a dirty row of an unknown kind"),
        };
        batch.PutDirty(IsPossible(row) ? row : throw Malformed("a dirty row that is no range"));
    }

    /// <summary>Only a hole may reach to the largest offset; bytes come from inside one record or block, of which the longest has 1 MiB.</summary>
    private static bool IsPossible(DirtyRow row) =>
        row is { Offset: >= 0, Length: > 0, InnerOffset: >= 0 } && row.Length <= long.MaxValue - row.Offset
        && (row.Kind == DirtyKind.Hole || row.InnerOffset + row.Length <= (row.Kind == DirtyKind.Data ? Math.Min(row.RecordLength, RecordBytesMax) : RecordBytesMax));

    private static DirtyRow ReadBlock(ref Reader reader, NodeId node, long offset, long length)
    {
        BlockId block = new(new Bytes32(reader.Raw(Bytes32.Size)));
        return new DirtyRow(node, offset, length, DirtyKind.Block, 0, 0, 0, reader.Int(), block);
    }

    private static void Byte(IBufferWriter<byte> output, byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    private static void Number(IBufferWriter<byte> output, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(sizeof(int)), value);
        output.Advance(sizeof(int));
    }

    private static void Long(IBufferWriter<byte> output, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(output.GetSpan(sizeof(long)), value);
        output.Advance(sizeof(long));
    }

    private static void Sized(IBufferWriter<byte> output, byte[] bytes)
    {
        Number(output, bytes.Length);
        output.Write(bytes);
    }

    private static MetadataCorruptException Malformed(string what) => new($"The journal of the local state holds {what}.");

    /// <summary>Takes bytes off the front; what is not there is malformed, and nothing is allocated for a count that the rest cannot hold.</summary>
    private ref struct Reader(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public readonly bool IsAtEnd => _rest.IsEmpty;

        public byte Byte() => Raw(1)[0];

        public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Raw(sizeof(int)));

        public uint UInt() => (uint)Int();

        public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Raw(sizeof(long)));

        public NodeId Node() => new((ulong)Long());

        /// <summary>A number of items of at least so many bytes each.</summary>
        public int Count(int itemBytesMin)
        {
            int count = Int();
            return count >= 0 && count <= _rest.Length / itemBytesMin ? count : throw Malformed("more rows than bytes");
        }

        public byte[] Sized()
        {
            int length = Int();
            return length >= 0 && length <= _rest.Length ? Raw(length).ToArray() : throw Malformed("a text that is cut off");
        }

        public ReadOnlySpan<byte> Raw(int count)
        {
            if (count > _rest.Length)
            {
                throw Malformed("a row that is cut off");
            }

            ReadOnlySpan<byte> taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }
    }
}
