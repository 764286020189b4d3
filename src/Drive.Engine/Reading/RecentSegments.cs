using System.Buffers;
using Drive.Core.Rows;

namespace Drive.Engine.Reading;

/// <summary>
/// A few opened segments, kept because small reads come in clusters: the next 4 KiB of a segment must not open all of its 64 KiB again.
/// Plaintext in memory only; 4 MiB at most.
/// </summary>
internal sealed class RecentSegments
{
    private const int SlotsMax = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<(BlockId Block, int Segment), int> _index = [];
    private readonly Slot[] _slots = new Slot[SlotsMax];
    private int _next;

    public bool TryCopy(BlockId block, int segment, int offset, Span<byte> destination)
    {
        lock (_gate)
        {
            if (!_index.TryGetValue((block, segment), out int slot))
            {
                return false;
            }

            _slots[slot].Bytes.AsSpan(offset, destination.Length).CopyTo(destination);
            _slots[slot].WasUsed = true;
            return true;
        }
    }

    /// <summary>Takes over a rented buffer.</summary>
    public void Put(BlockId block, int segment, byte[] rented, int length)
    {
        lock (_gate)
        {
            if (_index.ContainsKey((block, segment)))
            {
                ArrayPool<byte>.Shared.Return(rented);
                return;
            }

            // The clock: a slot that was used since the hand last passed gets one more round.
            while (_slots[_next].WasUsed)
            {
                _slots[_next].WasUsed = false;
                _next = (_next + 1) % SlotsMax;
            }

            ref Slot slot = ref _slots[_next];
            if (slot.Bytes is not null)
            {
                _index.Remove(slot.Key);
                ArrayPool<byte>.Shared.Return(slot.Bytes);
            }

            slot = new Slot { Bytes = rented, Key = (block, segment) };
            _index[(block, segment)] = _next;
            _next = (_next + 1) % SlotsMax;
        }
    }

    private struct Slot
    {
        public byte[]? Bytes;
        public (BlockId Block, int Segment) Key;
        public bool WasUsed;
    }
}
