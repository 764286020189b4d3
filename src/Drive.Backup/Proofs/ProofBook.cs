using System.Buffers.Binary;
using Drive.Core.Platform;
using Drive.Core.Rows;

namespace Drive.Backup.Proofs;

/// <summary>When all that sets need of each pack was last read back and proven. Losing it means only that old packs are proven anew. For one thread.</summary>
internal sealed class ProofBook
{
    private const int EntryBytes = Bytes32.Size + sizeof(long);

    private readonly IDisk _disk;
    private readonly string _path;
    private readonly Dictionary<PackId, DateTimeOffset> _proven = [];

    public ProofBook(IDisk disk, string path)
    {
        _disk = disk;
        _path = path;
        for (ReadOnlySpan<byte> entry = DurableFile.Read(disk, path); entry.Length >= EntryBytes; entry = entry[EntryBytes..])
        {
            long ticks = BinaryPrimitives.ReadInt64LittleEndian(entry[Bytes32.Size..]);
            if (ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks)
            {
                _proven[new PackId(new Bytes32(entry[..Bytes32.Size]))] = new DateTimeOffset(ticks, TimeSpan.Zero);
            }
        }
    }

    /// <summary>Null: never.</summary>
    public DateTimeOffset? Find(PackId pack) => _proven.TryGetValue(pack, out DateTimeOffset proven) ? proven : null;

    public void Note(PackId pack, DateTimeOffset proven) => _proven[pack] = proven;

    public void Forget(PackId pack) => _proven.Remove(pack);

    public void Save()
    {
        byte[] bytes = new byte[_proven.Count * EntryBytes];
        int at = 0;
        foreach ((PackId pack, DateTimeOffset proven) in _proven)
        {
            pack.Value.AsSpan().CopyTo(bytes.AsSpan(at));
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + Bytes32.Size), proven.UtcTicks);
            at += EntryBytes;
        }

        DurableFile.Replace(_disk, _path, bytes);
    }
}
