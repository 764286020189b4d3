using System.Buffers.Binary;
using System.Security.Cryptography;
using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Keys;

namespace Drive.Vault;

/// <summary>
/// A keyed hash over the set of all current rows that follows changes without reading the rest: the sum, modulo 2^256, of HMAC-SHA256 of
/// each row. Order does not matter. Left out is what is local (a directory's link count, entry ids, access times) and where blocks lie,
/// which may change without the tree changing.
/// </summary>
public static class StateHash
{
    private const byte NodeTag = 1;
    private const byte EntryTag = 2;
    private const byte ExtentTag = 3;
    private const byte XattrTag = 4;

    /// <summary>The hash after a change. Closed rows must be whole.</summary>
    public static Bytes32 Update(Bytes32 current, RowChanges changes, VaultKeys keys)
    {
        using var sum = new StateSum(current, keys);
        sum.Subtract(changes.Closed);
        sum.Add(changes.Opened);
        return sum.Result;
    }

    /// <summary>A running sum, for rows that come in pieces.</summary>
    internal sealed class StateSum(Bytes32 current, VaultKeys keys) : IDisposable
    {
        private readonly ByteWriter _row = new();
        private UInt256 _sum = UInt256.Read(current);

        public Bytes32 Result => _sum.ToBytes();

        public void Add(RowSet rows) => Each(rows, subtract: false);

        public void Subtract(RowSet rows) => Each(rows, subtract: true);

        public void Dispose() => _row.Dispose();

        private void Each(RowSet rows, bool subtract)
        {
            ReadOnlySpan<byte> key = keys.StateKey();
            foreach (NodeRow row in rows.Nodes)
            {
                Start(NodeTag);
                RowCodec.Write(_row, row, withAccessTime: false);
                Count(key, subtract);
            }

            foreach (EntryRow row in rows.Entries)
            {
                Start(EntryTag);
                RowCodec.Write(_row, row);
                Count(key, subtract);
            }

            foreach (ExtentRow row in rows.Extents)
            {
                Start(ExtentTag);
                RowCodec.Write(_row, row);
                Count(key, subtract);
            }

            foreach (XattrRow row in rows.Xattrs)
            {
                Start(XattrTag);
                RowCodec.Write(_row, row);
                Count(key, subtract);
            }
        }

        private void Start(byte tag)
        {
            _row.Reset();
            _row.Byte(tag);
        }

        private void Count(ReadOnlySpan<byte> key, bool subtract)
        {
            Span<byte> mac = stackalloc byte[Bytes32.Size];
            HMACSHA256.HashData(key, _row.Written, mac);
            UInt256 term = UInt256.Read(new Bytes32(mac));
            _sum = subtract ? _sum.Minus(term) : _sum.Plus(term);
        }
    }

    /// <summary>Little-endian 256-bit number with wrap-around.</summary>
    private readonly record struct UInt256(UInt128 Low, UInt128 High)
    {
        public static UInt256 Read(Bytes32 bytes) => new(
            BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan()), BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan()[16..]));

        public UInt256 Plus(UInt256 other)
        {
            UInt128 low = unchecked(Low + other.Low);
            return new(low, unchecked(High + other.High + (low < Low ? UInt128.One : UInt128.Zero)));
        }

        public UInt256 Minus(UInt256 other) =>
            new(unchecked(Low - other.Low), unchecked(High - other.High - (Low < other.Low ? UInt128.One : UInt128.Zero)));

        public Bytes32 ToBytes()
        {
            Span<byte> bytes = stackalloc byte[Bytes32.Size];
            BinaryPrimitives.WriteUInt128LittleEndian(bytes, Low);
            BinaryPrimitives.WriteUInt128LittleEndian(bytes[16..], High);
            return new Bytes32(bytes);
        }
    }
}
