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
/// What is to be sealed is copied to a tray, and a full tray is sealed while the next one is filled: compressing costs as much as reading and identifying. The pack and its rows belong to the sealing that
/// is under way; there is one at a time.
/// </remarks>
internal sealed class ImportBatch(Volume volume, PackCheck check, int putsMax) : IImportBatch
{
    /// <summary>A tray is handed over when it holds so much, and has room for one block more. Arbitrary: worth a change of threads, and two of them are little memory.</summary>
    private const int TrayBytes = 1 << 20;

    private readonly HashSet<BlockId> _blocks = [];
    private readonly List<Task> _puts = [];
    private readonly CancellationTokenSource _ending = new();
    private Tray _filling = new();
    private Tray? _spare = new();
    private Task _sealing = Task.CompletedTask;
    private PackWriter? _pack;
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

        // Claimed before it is looked for: what is found now is not to be condemned here in between.
        volume.ClaimImported(id);
        if (await volume.HasForImportAsync(id, check, cancellationToken))
        {
            return id;
        }

        _filling.Add(id, bytes.Span);
        if (_filling.Length >= TrayBytes)
        {
            await HandOverAsync(cancellationToken);
        }

        return id;
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        await HandOverAsync(cancellationToken);
        await _sealing.WaitAsync(cancellationToken);
        await FinishPackAsync(cancellationToken);
        await Task.WhenAll(_puts).WaitAsync(cancellationToken);
        _puts.Clear();
        await volume.CommitImportsAsync(_blocks, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _sealing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_puts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _pack?.Dispose();
        _pack = null;
        volume.ReleaseImported(_blocks);
        _blocks.Clear();
        _ending.Dispose();
    }

    /// <summary>Has the tray sealed, when the one before it is.</summary>
    private async ValueTask HandOverAsync(CancellationToken cancellationToken)
    {
        await _sealing.WaitAsync(cancellationToken);
        Tray full = _filling;
        (_filling, _spare) = (_spare ?? new Tray(), null);
        _sealing = Task.Run(() => SealAsync(full), CancellationToken.None);
    }

    private async Task SealAsync(Tray tray)
    {
        foreach ((BlockId id, int start, int length) in tray.Blocks)
        {
            _ending.Token.ThrowIfCancellationRequested();
            _pack ??= volume.NewImportPack();
            _rows.Add(_pack.Add(id, tray.Bytes.AsSpan(start, length), tryCompress: true));
            if (_pack.IsFull)
            {
                await FinishPackAsync(_ending.Token);
            }
        }

        tray.Clear();
        _spare = tray;
    }

    private async Task FinishPackAsync(CancellationToken cancellationToken)
    {
        while (_pack is not null && _puts.Count >= putsMax)
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

    /// <summary>Blocks that are to be sealed, one behind the other.</summary>
    private sealed class Tray
    {
        public byte[] Bytes { get; } = new byte[TrayBytes + BlockSegments.BlockBytesMax];

        public List<(BlockId Id, int Start, int Length)> Blocks { get; } = [];

        public int Length { get; private set; }

        public void Add(BlockId id, ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(Bytes.AsSpan(Length));
            Blocks.Add((id, Length, bytes.Length));
            Length += bytes.Length;
        }

        public void Clear()
        {
            Blocks.Clear();
            Length = 0;
        }
    }
}
