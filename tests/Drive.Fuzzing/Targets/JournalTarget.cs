using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Journal;
using Drive.Metadata;

namespace Drive.Fuzzing.Targets;

/// <summary>Records of the journal of save points: what stands behind the seals of the dirty log.</summary>
internal sealed class JournalTarget : FuzzTarget
{
    public JournalTarget()
    {
        MetadataBatch batch = new();
        RowSet rows = SealedVault.Rows();
        rows.Nodes.ForEach(row => batch.PutNode(row, isNew: true));
        rows.Entries.ForEach(batch.PutEntry);
        rows.Xattrs.ForEach(batch.PutXattr);
        batch.RemoveNode(NodeId.Compose(1, 9));
        batch.RemoveEntry(NodeId.Root, "gone"u8.ToArray());
        batch.RemoveXattr(NodeId.Root, "user.gone"u8.ToArray());
        batch.PutDirty(new DirtyRow(NodeId.Compose(1, 5), 0, 4096, DirtyKind.Data, 77, 40, 4096, 0, default));
        batch.PutDirty(new DirtyRow(NodeId.Compose(1, 5), 8192, 100, DirtyKind.Hole, 0, 0, 0, 0, default));
        batch.PutDirty(new DirtyRow(NodeId.Compose(1, 5), 16384, 100, DirtyKind.Block, 0, 0, 0, 5, new BlockId(SealedVault.Id(3))));
        batch.RemoveDirty(NodeId.Compose(1, 5), 1 << 20);
        Seeds = [new JournalRecord { Number = 1, From = 1, PinSeq = 3, PinHash = SealedVault.Id(1), NodeCounter = 7, Batch = batch }.Encode()];
    }

    public override string Name => "journal";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override IReadOnlyList<byte[]> Dictionary { get; } = [[1, 0, 0, 0], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0x7F], new byte[8], [3], [9]];

    public override long AllocationMax(int inputBytes) => (256 << 10) + (1024L * inputBytes);

    public override void Run(byte[] input)
    {
        // A record whose length lies is refused for that; with the right one its rows are read.
        byte[] repaired = [.. BitConverter.GetBytes(input.Length), .. input.AsSpan(Math.Min(4, input.Length))];
        foreach (byte[] bytes in (byte[][])[input, repaired])
        {
            try
            {
                JournalRecord record = JournalRecord.Decode(1, default, bytes);
                UncommittedState state = new();
                state.Add(record.Batch);
                state.Add(record.Batch);
                byte[] again = record.Encode();
                if (!JournalRecord.Decode(1, default, again).Encode().AsSpan().SequenceEqual(again))
                {
                    throw new InvalidOperationException("written anew it is another record");
                }
            }
            catch (MetadataCorruptException)
            {
            }
        }
    }
}
