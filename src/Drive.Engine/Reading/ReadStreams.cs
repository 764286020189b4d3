namespace Drive.Engine.Reading;

/// <summary>
/// The readers of one file, told apart by where they read: who opened it nobody says. A read that goes on where none was begins a stream, in place of the one that
/// was used least lately, first of those that went nowhere. Not for several threads.
/// </summary>
internal sealed class ReadStreams
{
    /// <summary>More readers of one file at a time get in each other's way; arbitrary.</summary>
    public const int StreamsMax = 4;

    /// <summary>The last used first.</summary>
    private readonly List<ReadStream> _streams = new(1);

    /// <summary>The stream to which a read at an offset belongs.</summary>
    public ReadStream At(long offset)
    {
        int index = _streams.FindIndex(stream => stream.GoesOnAt(offset));
        ReadStream stream = index < 0 ? new ReadStream() : _streams[index];
        if (index < 0 && _streams.Count == StreamsMax)
        {
            int jumping = _streams.FindLastIndex(static other => !other.IsProven);
            index = jumping >= 0 ? jumping : StreamsMax - 1;
        }

        if (index >= 0)
        {
            _streams.RemoveAt(index);
        }

        _streams.Insert(0, stream);
        return stream;
    }
}
