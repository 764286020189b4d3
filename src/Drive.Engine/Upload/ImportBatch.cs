using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Vault.Packs;

namespace Drive.Engine.Upload;

/// <summary>
/// One batch of content on its way into packs: leaves out what the vault has or another batch has sent, seals the rest, and puts packs while the next is filled. For one thread at a time; what batches
/// share is the volume's.
/// </summary>
internal sealed class ImportBatch(Volume volume, PackCheck check, int putsMax) : IImportBatch
{
    private readonly HashSet<BlockId> _blocks = [];
    private readonly List<Task> _puts = [];
    private readonly CancellationTokenSource _ending = new();
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

        _pack ??= volume.NewImportPack();
        _rows.Add(_pack.Add(id, bytes.Span, tryCompress: true));
        if (_pack.IsFull)
        {
            await FinishPackAsync(cancellationToken);
        }

        return id;
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        await FinishPackAsync(cancellationToken);
        await Task.WhenAll(_puts).WaitAsync(cancellationToken);
        _puts.Clear();
        await volume.CommitImportsAsync(_blocks, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_puts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _pack?.Dispose();
        _pack = null;
        volume.ReleaseImported(_blocks);
        _blocks.Clear();
        _ending.Dispose();
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
}
