using Drive.Core.Platform;

namespace Drive.Cache.Dirty;

/// <summary>
/// One file of the dirty log. Its fields are guarded by the log's gate, except <see cref="Written"/>, which readers may look at without it:
/// what lies before it is in the file and never changes.
/// </summary>
internal sealed class Segment(long number, string path, IDiskFile file, SegmentCipher? cipher)
{
    private long _written;

    public long Number { get; } = number;

    public string Path { get; } = path;

    public IDiskFile File { get; } = file;

    /// <summary>Null when the segment's header is torn: then no record in it can be read, and none was ever durable.</summary>
    public SegmentCipher? Cipher { get; } = cipher;

    /// <summary>Bytes handed to the file.</summary>
    public long Written
    {
        get => Volatile.Read(ref _written);
        set => Volatile.Write(ref _written, value);
    }

    /// <summary>Bytes appended: those written, and those in <see cref="Buffer"/>.</summary>
    public long Length { get; set; }

    /// <summary>Bytes known to survive a power cut.</summary>
    public long DurableUpTo { get; set; }

    /// <summary>Where the zeros end that were written ahead; at most <see cref="Length"/> when there are none.</summary>
    public long ZerosEnd { get; set; }

    /// <summary>How many zeros were written the last time.</summary>
    public int LastZeros { get; set; }

    /// <summary>Flushes in a row that had little to write.</summary>
    public int SmallSyncs { get; set; }

    /// <summary>The room that its file takes, with what is still to be written.</summary>
    public long BytesOnDisk => Math.Max(Length, ZerosEnd);

    public bool IsNameDurable { get; set; }

    /// <summary>Found at the start: written by a process that may have died before its sync.</summary>
    public bool IsFromBefore { get; init; }

    public long LiveBytes { get; set; }

    /// <summary>Nothing is appended any more.</summary>
    public bool IsClosed { get; set; }

    /// <summary>What is not written yet, from <see cref="Written"/> on; null when all is.</summary>
    public byte[]? Buffer { get; set; }

    public int Buffered => (int)(Length - Written);

    /// <summary>Readers and syncs under way: the file stays open for them.</summary>
    public int Users { get; set; }

    public bool IsDeleted { get; set; }

    public void Close()
    {
        File.Dispose();
        Cipher?.Dispose();
    }
}
