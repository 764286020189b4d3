namespace Drive.Vault.Packs;

/// <summary>
/// Buffers that packs were sealed in, for the next ones. They are large, so they are as long as was asked for and not rounded up to a power of two, and the collector may take those
/// that wait: an idle process keeps none.
/// </summary>
internal static class PackBuffers
{
    /// <summary>As many as an uploader has at once.</summary>
    private const int WaitingMax = 5;

    private static readonly Lock Gate = new();
    private static readonly WeakReference<byte[]>[] Waiting = [.. Enumerable.Range(0, WaitingMax).Select(static _ => new WeakReference<byte[]>(null!))];

    /// <summary>At least so long, with anything in it.</summary>
    public static byte[] Rent(int bytes)
    {
        lock (Gate)
        {
            foreach (WeakReference<byte[]> place in Waiting)
            {
                if (place.TryGetTarget(out byte[]? buffer) && buffer.Length >= bytes)
                {
                    place.SetTarget(null!);
                    return buffer;
                }
            }
        }

        return GC.AllocateUninitializedArray<byte>(bytes);
    }

    /// <summary>Once, by who rented it, who uses it no more.</summary>
    public static void Return(byte[] buffer)
    {
        lock (Gate)
        {
            foreach (WeakReference<byte[]> place in Waiting)
            {
                if (!place.TryGetTarget(out _))
                {
                    place.SetTarget(buffer);
                    return;
                }
            }
        }
    }
}
