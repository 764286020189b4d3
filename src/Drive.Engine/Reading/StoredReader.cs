using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Vault;

namespace Drive.Engine.Reading;

/// <summary>
/// Whole blocks as the store has them now. Who reads on where he was in a pack gets what follows in the same request, twice as much each time; who jumps gets the block alone. For one thread.
/// </summary>
internal sealed class StoredReader(BlockReader blocks, IObjectStore store)
{
    private const int WindowMin = 64 << 10;

    /// <summary>With an answer in 30 ms and 50 MiB a second this is most of what the link gives.</summary>
    private const int WindowMax = 4 << 20;

    private byte[] _window = [];
    private PackId _pack;
    private long _start;
    private int _length;
    private int _ahead;

    /// <summary>Fills <paramref name="destination"/> with all of a block. Throws <see cref="FsException"/>, <see cref="StoreException"/>, <see cref="VaultIntegrityException"/>.</summary>
    public async ValueTask ReadAsync(BlockRow row, Memory<byte> destination, CancellationToken cancellationToken)
    {
        int stored = BlockSegments.StoredLengthOf(row);
        if (row.Pack != _pack || row.PackOffset < _start || row.PackOffset + stored > _start + _length)
        {
            await FetchAsync(row, stored, cancellationToken);
        }

        blocks.Open(row, _window.AsSpan((int)(row.PackOffset - _start), stored), destination.Span);
    }

    private async ValueTask FetchAsync(BlockRow row, int stored, CancellationToken cancellationToken)
    {
        long end = _start + _length;
        bool goesOn = row.Pack == _pack && row.PackOffset >= _start && row.PackOffset <= end + WindowMin;
        _ahead = goesOn ? Math.Clamp(_ahead * 2, WindowMin, WindowMax) : 0;
        int wanted = Math.Max(stored, _ahead);
        if (_window.Length < wanted)
        {
            _window = GC.AllocateUninitializedArray<byte>(wanted);
        }

        _length = 0;
        int? read = await store.GetRangeAsync(VaultNames.Pack(row.Pack), row.PackOffset, _window.AsMemory(0, wanted), cancellationToken);
        blocks.Meter.Add(read ?? 0);
        blocks.RequireAll(row, read, stored);
        (_pack, _start, _length) = (row.Pack, row.PackOffset, read!.Value);
    }
}
