using System.Security.Cryptography;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Backup.Tests;

/// <summary>What <see cref="IContentImport"/> says, over the reference volume: blocks in a dictionary, each batch's new ones are one pack. Slow and right.</summary>
internal sealed class ReferenceImport(ReferenceVolume volume) : IContentImport, IStoredReader
{
    private readonly Dictionary<BlockId, (byte[] Bytes, PackId Pack)> _blocks = [];
    private readonly Dictionary<NodeId, (long Size, IReadOnlyList<ContentPiece> Pieces)> _contents = [];
    private int _packs;

    public string? Freeze { get; private set; }

    public long AddedBytes { get; private set; }

    public List<ChangedName> ToldNames { get; } = [];

    /// <summary>Blocks that the store gives with other bytes, or not at all.</summary>
    public HashSet<BlockId> Damaged { get; } = [];

    public IEnumerable<BlockId> Blocks => _blocks.Keys;

    /// <summary>Forgets the blocks that are there once a file is about to show them: what a garbage collection elsewhere may do.</summary>
    public bool ForgetsOnce { get; set; }

    public ValueTask<IImportBatch> BeginImportAsync(CancellationToken cancellationToken) => ValueTask.FromResult<IImportBatch>(new Batch(this));

    public FsStatus SetContent(NodeId file, long size, IReadOnlyList<ContentPiece> pieces)
    {
        if (ForgetsOnce && pieces.Count > 0)
        {
            ForgetsOnce = false;
            foreach (ContentPiece piece in pieces)
            {
                _blocks.Remove(piece.Block);
            }
        }

        if (pieces.Any(piece => !_blocks.ContainsKey(piece.Block)))
        {
            return FsStatus.Stale;
        }

        if (_contents.TryGetValue(file, out var now) && now.Size == size && now.Pieces.SequenceEqual(pieces))
        {
            return FsStatus.Ok;
        }

        AttributeChange cut = new() { Fields = AttributeFields.Size, Size = 0 };
        Assert.Equal(FsStatus.Ok, volume.SetAttributes(file, HandleId.None, cut, out _));
        foreach (ContentPiece piece in pieces)
        {
            Assert.Equal(FsStatus.Ok, volume.Write(HandleId.Of(file), piece.Offset, _blocks[piece.Block].Bytes.AsSpan(0, piece.Length), WriteOptions.FromPageCache));
        }

        _contents[file] = (size, pieces);
        return volume.SetAttributes(file, HandleId.None, cut with { Size = size }, out _);
    }

    public Task<long> CommitTreeAsync(CancellationToken cancellationToken) => Task.FromResult(1L);

    public FsStatus ListStored(NodeId file, ICollection<StoredPiece> pieces)
    {
        foreach (ContentPiece piece in _contents.TryGetValue(file, out var content) ? content.Pieces : [])
        {
            pieces.Add(new StoredPiece(piece.Offset, piece.Length, piece.Block, 0, _blocks[piece.Block].Pack));
        }

        return FsStatus.Ok;
    }

    public IStoredReader OpenStored() => this;

    public ValueTask<IoResult> ReadAsync(BlockId block, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (Damaged.Contains(block))
        {
            return ValueTask.FromResult(IoResult.Failed(FsStatus.Corrupt));
        }

        _blocks[block].Bytes.CopyTo(destination);
        return ValueTask.FromResult(IoResult.Done(_blocks[block].Bytes.Length));
    }

    public Task FreezeHistoryAsync(string reason, CancellationToken cancellationToken)
    {
        Freeze ??= reason;
        return Task.CompletedTask;
    }

    public Task ThawHistoryAsync(CancellationToken cancellationToken)
    {
        Freeze = null;
        return Task.CompletedTask;
    }

    public void TellChanged(IReadOnlyCollection<ChangedName> names, IReadOnlyCollection<NodeId> nodes) => ToldNames.AddRange(names);

    /// <summary>Gives a file other bytes, of the same length, without a trace in its attributes.</summary>
    public void Replace(NodeId file, byte[] bytes)
    {
        BlockId id = new(new Bytes32(SHA256.HashData(bytes)));
        _blocks[id] = (bytes, default);
        _contents[file] = (bytes.Length, [new ContentPiece(0, bytes.Length, id)]);
        Assert.Equal(FsStatus.Ok, volume.Write(HandleId.Of(file), 0, bytes, WriteOptions.FromPageCache));
    }

    private sealed class Batch(ReferenceImport import) : IImportBatch
    {
        private readonly PackId _pack = new(new Bytes32(SHA256.HashData(BitConverter.GetBytes(import._packs++))));

        public long SentBytes { get; private set; }

        public ValueTask<BlockId> AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Assert.InRange(bytes.Length, 1, 1 << 20);
            BlockId id = new(new Bytes32(SHA256.HashData(bytes.Span)));
            if (import._blocks.TryAdd(id, (bytes.ToArray(), _pack)))
            {
                SentBytes += bytes.Length;
            }

            import.AddedBytes += bytes.Length;
            return ValueTask.FromResult(id);
        }

        public Task CommitAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
