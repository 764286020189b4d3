using System.Buffers.Binary;

using Drive.Core.Rows;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Where blocks lie. Without versions: a block's bytes never change, and where they lie is a fact of now.</summary>
internal sealed class BlockTable(Database database)
{
    private const string Columns = "block, pack, pack_offset, first_segment, plain_length, segments";

    private readonly Statement _find = database.Prepare($"SELECT {Columns} FROM block WHERE block = ?1");
    private readonly Statement _put = database.Prepare($"INSERT OR REPLACE INTO block({Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    private readonly Statement _remove = database.Prepare("DELETE FROM block WHERE block = ?1");
    private readonly Statement _page = database.Prepare($"SELECT {Columns} FROM block WHERE block > ?1 ORDER BY block LIMIT ?2");

    public BlockRow? Find(BlockId block) => _find.Bind(1, block.Value.AsSpan()).ReadFirst(Read);

    public void Put(BlockRow row)
    {
        // A block of 1 MiB has 16 segments; whoever hands in more gets a larger buffer.
        Span<byte> segments = row.Segments.Length <= 64 ? stackalloc byte[row.Segments.Length * 4] : new byte[row.Segments.Length * 4];
        for (int i = 0; i < row.Segments.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(segments[(i * 4)..], row.Segments[i]);
        }

        _put.Bind(1, row.Block.Value.AsSpan()).Bind(2, row.Pack.Value.AsSpan()).Bind(3, row.PackOffset).Bind(4, row.FirstSegment)
            .Bind(5, row.PlainLength).Bind(6, segments).Run();
    }

    public void Remove(BlockId block) => _remove.Bind(1, block.Value.AsSpan()).Run();

    public List<BlockRow> ReadPage(ReadOnlySpan<byte> after, int countMax) => _page.Bind(1, after).Bind(2, countMax).ReadAll(Read);

    private static BlockRow Read(Statement from)
    {
        ReadOnlySpan<byte> packed = from.Blob(5);
        var segments = new int[packed.Length / 4];
        for (int i = 0; i < segments.Length; i++)
        {
            segments[i] = BinaryPrimitives.ReadInt32LittleEndian(packed[(i * 4)..]);
        }

        return new BlockRow(
            new BlockId(from.Id(0)), new PackId(from.Id(1)), from.Long(2), from.Int(3), from.Int(4), segments);
    }
}
