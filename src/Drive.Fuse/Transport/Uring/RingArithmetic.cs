namespace Drive.Fuse.Transport.Uring;

/// <summary>
/// The arithmetic of a ring that two sides share: free-running 32-bit counters, of which the lower bits are the slot. The producer moves the tail,
/// the consumer the head; they wrap around, and only their difference counts.
/// </summary>
internal static class RingArithmetic
{
    /// <summary>How many entries wait for the consumer.</summary>
    public static uint Count(uint head, uint tail) => unchecked(tail - head);

    /// <summary>Whether the producer has room for one more.</summary>
    public static bool HasRoom(uint head, uint tail, uint capacity) => Count(head, tail) < capacity;

    /// <summary>Where the entry of a counter lies.</summary>
    public static uint Slot(uint counter, uint mask) => counter & mask;

    /// <summary>Bytes of the fixed part of a request, which has a place of its own in a ring's header; negative when the lengths contradict each other.</summary>
    public static int FixedPartBytes(uint messageBytes, int headerBytes, uint payloadBytes, int roomBytes)
    {
        long bytes = (long)messageBytes - headerBytes - payloadBytes;
        return bytes >= 0 && bytes <= roomBytes ? (int)bytes : -1;
    }
}
