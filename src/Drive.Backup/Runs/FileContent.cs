using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Runs;

/// <summary>What was read of a file.</summary>
/// <param name="Path">On this machine.</param>
/// <param name="Source">The file as it was when that was read.</param>
/// <param name="Pieces">Its content; what no piece holds is a hole.</param>
/// <param name="IsSteady">Whether it stood still meanwhile.</param>
internal sealed record FileContent(byte[] Path, SourceNode Source, IReadOnlyList<ContentPiece> Pieces, bool IsSteady);

/// <summary>Reads files of this machine into the vault. For one thread.</summary>
internal sealed class FileReader
{
    /// <summary>A file that changes while it is read is read so often. Arbitrary.</summary>
    private const int TriesMax = 3;

    private const int PieceBytesMax = 1 << 20;

    // Arbitrary: about a word of progress a second over a common link.
    private const long StrideBytes = 4 << 20;

    private readonly byte[] _buffer = new byte[PieceBytesMax];
    private long _committedBytes;

    /// <summary>Bytes read so far.</summary>
    public long ReadBytes { get; private set; }

    /// <summary>Called with the path while a large file is read, each time that <see cref="StrideBytes"/> more were: a film takes hours over a slow link.</summary>
    public Action<byte[]>? Moving { get; set; }

    /// <summary>Called before a file is read once more, for tests.</summary>
    public Action<byte[]>? Reading { get; init; }

    /// <summary>Reads a file as it was at one moment; failing that, as it was last. <see cref="TreeException"/> when it can't be read.</summary>
    public async ValueTask<FileContent> ReadAsync(byte[] path, IImportBatch import, CancellationToken cancellationToken)
    {
        for (int tries = 1; ; tries++)
        {
            using SourceFile file = SourceFile.Open(path);
            SourceNode before = file.Look();
            if (!before.IsRegular)
            {
                throw TreeException.Gone(path);
            }

            List<ContentPiece> pieces = [];
            bool isWhole = await ReadPiecesAsync(path, file, before.Size, pieces, import, cancellationToken);
            Reading?.Invoke(path);
            bool isSteady = isWhole && file.Look().IsUnchanged(before);
            if (isSteady || tries == TriesMax)
            {
                return new FileContent(path, before, pieces, isSteady);
            }
        }
    }

    private async ValueTask<bool> ReadPiecesAsync(byte[] path, SourceFile file, long size, List<ContentPiece> pieces, IImportBatch import, CancellationToken cancellationToken)
    {
        for (long offset = 0; file.FindData(offset, size) is (long start, long end); offset = end)
        {
            while (start < end)
            {
                int length = (int)Math.Min(end - start, PieceBytesMax - (start % PieceBytesMax));
                int read = file.Read(start, _buffer.AsSpan(0, length));
                ReadBytes += read;
                if (read > 0)
                {
                    pieces.Add(new ContentPiece(start, read, await import.AddAsync(_buffer.AsMemory(0, read), cancellationToken)));
                    await CommitLargeAsync(import, cancellationToken);
                    if ((start + read) % StrideBytes == 0)
                    {
                        Moving?.Invoke(path);
                    }
                }

                if (read < length)
                {
                    return false;
                }

                start += length;
            }
        }

        return true;
    }

    /// <summary>A large file is brought into the log part by part, so that what was sent of it stays sent.</summary>
    private async ValueTask CommitLargeAsync(IImportBatch import, CancellationToken cancellationToken)
    {
        _committedBytes = Math.Min(_committedBytes, import.SentBytes);
        if (import.SentBytes - _committedBytes >= RunBatch.BytesMax)
        {
            await import.CommitAsync(cancellationToken);
            _committedBytes = import.SentBytes;
        }
    }
}
