using System.Buffers;
using System.Security.Cryptography;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Vault;
using Drive.Vault.Packs;

namespace Drive.Engine.Upload;

/// <summary>
/// One batch of content on its way into packs: leaves out what the vault has or another batch has sent, seals the rest, and puts packs while the next is filled. For one thread at a time; what batches
/// share is the volume's.
/// </summary>
/// <remarks>
/// What is to be sealed is copied to a tray. Full trays are compressed beside each other, on as many processors as there are, while the next one is filled; they are sealed one after the other in the order
/// in which they were filled. The pack and its rows belong to the sealing that is under way.
/// </remarks>
internal sealed class ImportBatch(Volume volume, PackCheck check, bool isFar) : IImportBatch
{
    /// <summary>A tray is handed over when it holds so much. Arbitrary: worth a change of threads, and little memory.</summary>
    private const int TrayBytes = BlockSegments.BlockBytesMax / 2;

    /// <summary>Trays that are compressed at once: who backs up has other things to do with a large machine, and each takes two mebibytes.</summary>
    private static readonly int CompressingMax = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>
    /// Packs on their way at once. A folder takes one sooner than the next is filled; each costs a buffer of nine mebibytes, and while one batch is applied the next one has buffers, too.
    /// </summary>
    private readonly int _putsMax = isFar ? ContentUpload.PutsMaxFar : 1;

    private readonly HashSet<BlockId> _blocks = [];
    private readonly List<Task> _puts = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly Queue<Task<Tray>> _underWay = new();
    private readonly List<Tray> _trays = [];
    private Tray? _filling;
    private Task _sealing = Task.CompletedTask;
    private PackWriter? _pack;

    /// <summary>Set when a full pack had to wait for a far store: then the processors have time to make the next ones smaller. One on this machine may be slow because they have none.</summary>
    private volatile bool _isStoreSlower;
    private List<BlockRow> _rows = [];
    private long _sent;

    public long SentBytes => Interlocked.Read(ref _sent);

    public async ValueTask<BlockId> AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        BlockId id = volume.IdentifyBlock(bytes.Span);
        if (!_blocks.Add(id))
        {
            return id;
        }

        // Claimed before it is looked for: what is found then is not to be condemned here in between.
        volume.ClaimImported(id);
        if (_filling is null || !_filling.HasRoom(bytes.Length))
        {
            await HandOverAsync(cancellationToken);
        }

        _filling!.Add(id, bytes.Span);
        if (_filling.Length >= TrayBytes)
        {
            await HandOverAsync(cancellationToken);
        }

        return id;
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        if (_filling is { Length: > 0 })
        {
            await HandOverAsync(cancellationToken);
        }

        await _sealing.WaitAsync(cancellationToken);
        ReturnTrays();
        await FinishPackAsync(cancellationToken);
        await Task.WhenAll(_puts).WaitAsync(cancellationToken);
        _puts.Clear();
        await volume.CommitImportsAsync(_blocks, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _sealing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_underWay.Select(static Task (sealing) => sealing)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_puts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _pack?.Dispose();
        _pack = null;
        ReturnTrays();
        volume.ReleaseImported(_blocks);
        _blocks.Clear();
        _ending.Dispose();
    }

    /// <summary>Has what was filled compressed and sealed, and takes another tray: a new one, or the one that is the first to be done.</summary>
    private async ValueTask HandOverAsync(CancellationToken cancellationToken)
    {
        Tray next;
        if (_underWay.Count > 0 && (_trays.Count > CompressingMax || _underWay.Peek().IsCompleted))
        {
            next = await _underWay.Peek().WaitAsync(cancellationToken);
            _ = _underWay.Dequeue();
        }
        else
        {
            next = new Tray();
            _trays.Add(next);
        }

        if (_filling is { } full)
        {
            Effort effort = _isStoreSlower ? Effort.Thorough : Effort.Moderate;
            Task<Tray> sealing = SealAsync(full, Task.Run(() => CompressAsync(full, effort), CancellationToken.None), _sealing);
            _sealing = sealing;
            _underWay.Enqueue(sealing);
        }

        _filling = next;
    }

    /// <summary>When nothing is under way: a batch that only waits to be applied holds none.</summary>
    private void ReturnTrays()
    {
        _underWay.Clear();
        _filling = null;
        _trays.ForEach(static tray => tray.Dispose());
        _trays.Clear();
    }

    /// <summary>Compresses what the vault does not have. Looked for here and not by who adds: the database is busy with the batch before, and to wait for it is no reason to read no further.</summary>
    private async Task CompressAsync(Tray tray, Effort effort)
    {
        foreach (TrayBlock block in tray.Blocks)
        {
            _ending.Token.ThrowIfCancellationRequested();
            block.IsKnown = await volume.HasForImportAsync(block.Id, check, _ending.Token);
            if (!block.IsKnown)
            {
                tray.Compress(block, effort);
            }
        }
    }

    private async Task<Tray> SealAsync(Tray tray, Task compressing, Task before)
    {
        // Both, also when one fails: the tray is nobody else's before.
        await Task.WhenAll(compressing, before);
        foreach (TrayBlock block in tray.Blocks.Where(static block => !block.IsKnown))
        {
            _ending.Token.ThrowIfCancellationRequested();
            _pack ??= volume.NewImportPack();
            _rows.Add(_pack.Add(block.Id, tray.PlainOf(block), tray.PackedOf(block), block.Lengths));
            if (_pack.IsFull)
            {
                await FinishPackAsync(_ending.Token);
            }
        }

        tray.Clear();
        return tray;
    }

    private async Task FinishPackAsync(CancellationToken cancellationToken)
    {
        _puts.RemoveAll(static put => put.IsCompletedSuccessfully);
        _isStoreSlower = isFar && _puts.Count >= _putsMax;
        while (_pack is not null && _puts.Count >= _putsMax)
        {
            Task done = await Task.WhenAny(_puts).WaitAsync(cancellationToken);
            _puts.Remove(done);
            await done;
        }

        if (_pack is { } pack)
        {
            List<BlockRow> rows = _rows;
            (_pack, _rows) = (null, []);
            _puts.Add(PutAsync(pack, rows, _ending.Token));
        }
    }

    private async Task PutAsync(PackWriter pack, List<BlockRow> rows, CancellationToken cancellationToken)
    {
        using (pack)
        {
            await Task.Yield();
            ReadOnlyMemory<byte> bytes = pack.Finish();
            await volume.PutImportAsync(pack.Id, bytes, rows, cancellationToken);
            Interlocked.Add(ref _sent, bytes.Length);
        }
    }

    /// <summary>A block in a tray.</summary>
    private sealed record TrayBlock(BlockId Id, int Start, int Length)
    {
        /// <summary>Whether the vault has it already.</summary>
        public bool IsKnown { get; set; }

        /// <summary>Where its compressed segments start.</summary>
        public int PackedStart { get; set; }

        /// <summary>As <see cref="BlockCompressor"/> gives them.</summary>
        public int[] Lengths { get; } = new int[BlockSegments.CountOf(Length)];
    }

    /// <summary>Blocks that are to be sealed, one behind the other, as they are and compressed. For one thread at a time.</summary>
    private sealed class Tray : IDisposable
    {
        private readonly byte[] _plain = ArrayPool<byte>.Shared.Rent(BlockSegments.BlockBytesMax);
        private readonly byte[] _packed = ArrayPool<byte>.Shared.Rent(BlockSegments.BlockBytesMax);
        private int _filled;

        public List<TrayBlock> Blocks { get; } = [];

        public int Length { get; private set; }

        public bool HasRoom(int bytes) => bytes <= BlockSegments.BlockBytesMax - Length;

        public void Add(BlockId id, ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_plain.AsSpan(Length));
            Blocks.Add(new TrayBlock(id, Length, bytes.Length));
            Length += bytes.Length;
        }

        public void Compress(TrayBlock block, Effort effort)
        {
            block.PackedStart = _filled;
            _filled += BlockCompressor.Compress(PlainOf(block), effort, _packed.AsSpan(_filled), block.Lengths);
        }

        public ReadOnlySpan<byte> PlainOf(TrayBlock block) => _plain.AsSpan(block.Start, block.Length);

        public ReadOnlySpan<byte> PackedOf(TrayBlock block) => _packed.AsSpan(block.PackedStart);

        public void Clear()
        {
            Blocks.Clear();
            (Length, _filled) = (0, 0);
        }

        public void Dispose()
        {
            CryptographicOperations.ZeroMemory(_plain);
            CryptographicOperations.ZeroMemory(_packed);
            ArrayPool<byte>.Shared.Return(_plain);
            ArrayPool<byte>.Shared.Return(_packed);
        }
    }
}
