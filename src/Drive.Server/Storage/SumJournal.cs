using System.Text;
using Drive.Core.Platform;

namespace Drive.Server.Storage;

/// <summary>
/// What a vault's objects were when they were put: a file of <see cref="SumRecord"/> lines beside them that only grows. A line about a new object is durable before its
/// put is answered and after the object is; a line about a removal is durable before the object goes. So a crash between the two leaves an object without a
/// line, which is no damage, and never a line without its object.
/// </summary>
/// <remarks>Threads: all calls may run at once; what waits at the same time is flushed together. Owns the file.</remarks>
internal sealed class SumJournal : IDisposable
{
    /// <summary>Beside the objects: no object's name has a part that starts with a dot.</summary>
    public const string FileName = ".sums";

    private const int ReadBytes = 64 << 10;

    private readonly IDiskFile _file;
    private readonly Lock _gate = new();

    // Guarded by _gate: the lines that the next flush takes.
    private Batch? _next;
    private bool _isFlushing;

    // Of the flusher alone.
    private long _end;
    private IOException? _lost;

    private SumJournal(IDiskFile file, long end)
    {
        _file = file;
        _end = end;
    }

    /// <summary>Opens a vault's journal for going on, and tells what it holds. What a crash left half at its end is written over.</summary>
    public static SumJournal Open(IDisk disk, string folder, Action<SumRecord> each)
    {
        string path = Path.Combine(folder, FileName);
        IDiskFile file = disk.Open(path, DiskOpenMode.OpenOrCreate)!;
        try
        {
            // The name must last as long as what is flushed into it.
            disk.SyncDirectory(folder);
            Reading reading = Read(file, 0, each);
            file.SetLength(reading.SoundEnd);
            return new SumJournal(file, reading.SoundEnd);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Tells the lines from an offset on. <c>Bad</c> counts damaged lines, <c>SoundEnd</c> is behind the last sound one (<paramref name="offset"/> when there was none).
    /// </summary>
    public static Reading Read(IDiskFile file, long offset, Action<SumRecord> each)
    {
        byte[] buffer = new byte[ReadBytes];
        StringBuilder line = new();
        Reading reading = new(offset, 0);
        int trailing = 0;
        for (int length = file.Read(offset, buffer); length > 0; length = file.Read(offset, buffer))
        {
            for (int index = 0; index < length; index++)
            {
                if (buffer[index] != '\n')
                {
                    line.Append((char)buffer[index]);
                    continue;
                }

                if (SumRecord.Parse(line.ToString()) is { } record)
                {
                    each(record);
                    reading = new Reading(offset + index + 1, reading.Bad + trailing);
                    trailing = 0;
                }
                else
                {
                    trailing++;
                }

                line.Clear();
            }

            offset += length;
        }

        return reading;
    }

    /// <summary>Adds a line; it is durable when this returns. <see cref="IOException"/>: it may or may not be there.</summary>
    public Task AppendAsync(SumRecord record)
    {
        lock (_gate)
        {
            _next ??= new Batch();
            _next.Lines.Append(record.Encode());
            if (!_isFlushing)
            {
                _isFlushing = true;
                _ = Task.Run(Flush);
            }

            return _next.Done.Task;
        }
    }

    public void Dispose() => _file.Dispose();

    private void Flush()
    {
        while (true)
        {
            Batch batch;
            lock (_gate)
            {
                if (_next is null)
                {
                    _isFlushing = false;
                    return;
                }

                (batch, _next) = (_next, null);
            }

            try
            {
                Write(Encoding.ASCII.GetBytes(batch.Lines.ToString()));
                batch.Done.SetResult();
            }
            catch (Exception exception)
            {
                // Whoever waits decides; nobody waits for ever.
                batch.Done.SetException(exception);
            }
        }
    }

    private void Write(byte[] lines)
    {
        if (_lost is not null)
        {
            throw new IOException("The record of sums failed to be flushed before: look at the disk and start the server again.", _lost);
        }

        // A write that failed (a full disk) is written over by the next.
        _file.Write(_end, lines);
        try
        {
            _file.Sync();
        }
        catch (IOException exception)
        {
            // Never repeated in the hope of a better answer.
            _lost = exception;
            throw;
        }

        _end += lines.Length;
    }

    /// <summary>What a reading came to.</summary>
    /// <param name="SoundEnd">Where the last sound line ends.</param>
    /// <param name="Bad">Damaged lines before that.</param>
    internal readonly record struct Reading(long SoundEnd, int Bad);

    private sealed class Batch
    {
        public StringBuilder Lines { get; } = new();

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
