using Drive.Backup.Runs;
using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Proofs;

/// <summary>Reads some of what a run has in the vault back from the store, and compares it with the files on this machine, where these still are what was backed up.</summary>
internal sealed class SampleProof(IContentImport import, RunSample sample)
{
    private const int BlockBytesMax = 1 << 20;

    private readonly IStoredReader _store = import.OpenStored();
    private readonly byte[] _stored = new byte[BlockBytesMax];
    private readonly byte[] _source = new byte[BlockBytesMax];

    /// <summary>Bytes that were the same on both sides.</summary>
    public long ComparedBytes { get; private set; }

    /// <summary>Null: all that was looked at is there; else what is not, for people. <see cref="FsException"/> when the store can't be asked.</summary>
    public async Task<string?> RunAsync(long bytesMax, CancellationToken cancellationToken)
    {
        IReadOnlyList<SampleFile> files = sample.Files;
        foreach (SampleFile file in files)
        {
            if (ComparedBytes >= bytesMax)
            {
                break;
            }

            // Of each file its share, from a place in it that nobody could foresee.
            if (await ProveAsync(file, Math.Max(1, bytesMax / files.Count), cancellationToken) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    private async Task<string?> ProveAsync(SampleFile file, long bytesMax, CancellationToken cancellationToken)
    {
        List<StoredPiece> pieces = [];
        if (import.ListStored(file.Node, pieces) != FsStatus.Ok || pieces.Count == 0)
        {
            return null;
        }

        try
        {
            using SourceFile source = SourceFile.Open(file.Path);
            int first = (int)(sample.Next() % (ulong)pieces.Count);
            long bytes = 0;
            for (int i = first; i < pieces.Count && (bytes < bytesMax || i == first); i++)
            {
                StoredPiece piece = pieces[i];
                IoResult read = await _store.ReadAsync(piece.Block, _stored, cancellationToken);
                if (read.Status == FsStatus.Stale)
                {
                    return null;
                }

                if (read.Status != FsStatus.Ok && read.Status != FsStatus.Corrupt)
                {
                    throw new FsException(read.Status, "The store could not be asked for a proof: the next run asks again.");
                }

                int length = source.Read(piece.Offset, _source.AsSpan(0, piece.Length));
                bool isSame = read.Status == FsStatus.Ok && length == piece.Length
                    && _source.AsSpan(0, length).SequenceEqual(_stored.AsSpan(piece.BlockOffset, piece.Length));
                if (!isSame && (read.Status == FsStatus.Corrupt || source.Look().IsUnchanged(file.Source)))
                {
                    return $"'{SourcePath.Show(file.Path)}' did not come back from the store as it was backed up: run 'drive check --read-data'.";
                }

                bytes += piece.Length;
                ComparedBytes += isSame ? piece.Length : 0;
            }

            return null;
        }
        catch (TreeException)
        {
            // It changed or went: nothing to compare with.
            return null;
        }
    }
}
