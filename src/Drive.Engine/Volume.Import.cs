using System.Text;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Reading;
using Drive.Engine.Tree;
using Drive.Engine.Upload;
using Drive.Vault;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Engine;

/// <content>
/// Content that goes straight into packs. A commit that changes nothing of the tree brings its blocks into the log first; files come to show them after that, by sharing, like a copy. So a row of this
/// machine never names a block that the log does not have. <c>docs/decisions/0024-import.md</c> says why.
/// </content>
public sealed partial class Volume : IContentImport
{
    private const string ImportSetting = "imports";

    private readonly ImportedPacks _imports = new();
    private readonly Turn _findingImports = new();

    /// <inheritdoc/>
    public async ValueTask<IImportBatch> BeginImportAsync(CancellationToken cancellationToken)
    {
        RequireImport();
        await FindImportsAsync(cancellationToken);
        return new ImportBatch(this, new PackCheck(_store), isFar: !_store.Description.IsLocal);
    }

    /// <inheritdoc/>
    public FsStatus SetContent(NodeId file, long size, IReadOnlyList<ContentPiece> pieces)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        RequirePieces(size, pieces);
        lock (_gate)
        {
            if (FindNode(file) is not { IsRegular: true } node)
            {
                return FsStatus.NotFound;
            }

            if (RefusesChanges)
            {
                return FsStatus.ReadOnly;
            }

            if (Shows(node, size, pieces))
            {
                return FsStatus.Ok;
            }

            foreach (ContentPiece piece in pieces)
            {
                if (_metadata.FindBlock(piece.Block) is not { } row || row.PlainLength < piece.Length)
                {
                    return FsStatus.Stale;
                }
            }

            BeginChange();
            CutContent(node, 0, long.MaxValue);
            Overlay overlay = OverlayOf(node);
            long bytes = 0;
            foreach (ContentPiece piece in pieces)
            {
                Displace(overlay.Put(new OverlayItem(piece.Offset, piece.Length, null, piece.Block, 0)));
                bytes += piece.Length;
            }

            MarkContentChanged(node);
            node.Size = size;
            node.MaySparse = bytes < size;
            TouchContent(node, Now());
            return FsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public async Task<long> CommitTreeAsync(CancellationToken cancellationToken)
    {
        RequireImport();
        UploadProgress sent = await WaitUploadedAsync(null, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return sent.Done ? _state.Seq : throw new FsException(FsStatus.ReadOnly, $"Nothing is sent to the store now. {sent.LastError}");
    }

    /// <inheritdoc/>
    public FsStatus ListStored(NodeId file, ICollection<StoredPiece> pieces)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        for (long offset = 0; ;)
        {
            lock (_gate)
            {
                if (FindNode(file) is not { IsRegular: true } node)
                {
                    return FsStatus.NotFound;
                }

                if (offset >= node.Size)
                {
                    return FsStatus.Ok;
                }

                Source source = FindSource(node, offset, node.Size);
                if (source is { IsData: true, Chunk: null } && _metadata.FindBlockToRead(source.Block) is { } row)
                {
                    pieces.Add(new StoredPiece(offset, (int)(source.End - offset), source.Block, source.InnerOffset, row.Pack));
                }

                offset = source.End;
            }
        }
    }

    /// <inheritdoc/>
    public IStoredReader OpenStored() => new StoredBlocks(this);

    /// <inheritdoc/>
    public Task FreezeHistoryAsync(string reason, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        while (Encoding.UTF8.GetByteCount(reason) > FreezeRetention.ReasonBytesMax)
        {
            reason = reason[..(reason.Length - 1)];
        }

        return ChangeForImportAsync(state => state.History.Freeze is null ? [new FreezeRetention(reason)] : [], cancellationToken);
    }

    /// <inheritdoc/>
    public Task ThawHistoryAsync(CancellationToken cancellationToken) =>
        ChangeForImportAsync(static state => state.History.Freeze is null ? [] : [new ThawRetention()], cancellationToken);

    /// <inheritdoc/>
    public void TellChanged(IReadOnlyCollection<ChangedName> names, IReadOnlyCollection<NodeId> nodes)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(nodes);
        Tell(names.Select(static name => new NameKey(name.Parent, name.Name)), nodes.Select(static node => KeyValuePair.Create(node, true)));
    }

    internal BlockId IdentifyBlock(ReadOnlySpan<byte> plain) => _keys.IdentifyBlock(plain);

    internal PackWriter NewImportPack() => new(_keys, _random);

    internal void ClaimImported(BlockId block)
    {
        lock (_gate)
        {
            _imports.Claim(block);
        }
    }

    internal void ReleaseImported(IEnumerable<BlockId> blocks)
    {
        lock (_gate)
        {
            _imports.Release(blocks);
        }
    }

    /// <summary>Whether a block need not be sent: the vault has it, or an import has put it, or is putting it.</summary>
    internal async ValueTask<bool> HasForImportAsync(BlockId id, PackCheck check, CancellationToken cancellationToken)
    {
        if (_metadata.FindBlock(id) is { } known)
        {
            return !_blocks.HasFailed(known.Pack) && await ImportPatientlyAsync(token => check.HoldsAsync(known, token).AsTask(), cancellationToken);
        }

        lock (_gate)
        {
            return _imports.Find(id) is { Put.IsFaulted: false, Put.IsCanceled: false };
        }
    }

    /// <summary>Puts a pack. That it is on its way is saved first, so that a crash leaves no pack that is sent again.</summary>
    internal async Task PutImportAsync(PackId id, ReadOnlyMemory<byte> bytes, IReadOnlyList<BlockRow> blocks, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        TaskCompletionSource put = new(TaskCreationOptions.RunContinuationsAsynchronously);
        ImportedPack pack = new(new PackRef(id, bytes.Length), blocks, put.Task);
        lock (_gate)
        {
            _imports.Add(pack);
        }

        try
        {
            SaveImports();
            await ImportPatientlyAsync(
                async token =>
                {
                    await PutPackOnceAsync(id, bytes, token);
                    return true;
                },
                either.Token);
            put.SetResult();
        }
        catch (Exception error)
        {
            lock (_gate)
            {
                _imports.Remove(pack);
                _imports.Doubt(pack.Pack);
            }

            put.SetException(error);
            _ = put.Task.Exception;
            throw;
        }
    }

    /// <summary>Brings what imports have put into the log; with it all of <paramref name="blocks"/> that the vault did not have.</summary>
    internal async Task CommitImportsAsync(IReadOnlyCollection<BlockId> blocks, CancellationToken cancellationToken)
    {
        List<Task> puts;
        lock (_gate)
        {
            puts = [.. blocks.Select(_imports.Find).OfType<ImportedPack>().Distinct().Select(static pack => pack.Put)];
        }

        await Task.WhenAll(puts).WaitAsync(cancellationToken);
        if (puts.Count == 0)
        {
            return;
        }

        try
        {
            await RunInUploadLoopAsync(LandImportsAsync, cancellationToken);
        }
        catch (VaultException error)
        {
            throw new FsException(FsStatus.ReadOnly, error.Message, error);
        }
    }

    /// <summary>In the upload loop.</summary>
    private async Task LandImportsAsync(CancellationToken cancellationToken)
    {
        List<ImportedPack> arrived;
        lock (_gate)
        {
            arrived = _imports.Arrived();
        }

        CommitDraft draft;
        do
        {
            // What another device, or another pack of ours, has brought meanwhile stays where that put it.
            draft = new CommitDraft { Packs = [], Time = Now() };
            HashSet<BlockId> brought = [];
            draft.Rows.Blocks.AddRange(arrived.SelectMany(static pack => pack.Blocks).Where(block => _metadata.FindBlock(block.Block) is null && brought.Add(block.Block)));
            HashSet<PackId> named = [.. draft.Rows.Blocks.Select(static block => block.Pack)];
            draft = draft with { Packs = [.. arrived.Select(static pack => pack.Pack).Where(pack => named.Contains(pack.Pack))] };
        }
        while (draft.Rows.Blocks.Count > 0 && !await CommitAloneAsync(draft, cancellationToken));

        lock (_gate)
        {
            arrived.ForEach(_imports.Remove);
        }

        SaveImports();
    }

    /// <summary>
    /// In the upload loop, before this run's first commit. What the run before put and no commit names is named by that commit or never: once this run has committed, other devices may take it for garbage
    /// (<see cref="Garbage.Strays"/>).
    /// </summary>
    private async Task LandFoundImportsAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_imports.Doubtful.Count == 0 || _settings.ReadOnly || _stopReason is not null)
            {
                return;
            }
        }

        try
        {
            if (!IsFollower)
            {
                await FindImportsAsync(cancellationToken);
                await LandImportsAsync(cancellationToken);
                return;
            }
        }
        catch (Exception error) when (error is FsException or VaultException)
        {
            EngineLog.LogImportsNotFound(_logger, error);
        }

        lock (_gate)
        {
            _imports.ForgetFound();
        }

        SaveImports();
    }

    /// <summary>Packs that a run before put, or began to put: those that the store has need not be sent again.</summary>
    private async Task FindImportsAsync(CancellationToken cancellationToken)
    {
        await _findingImports.TakeAsync(cancellationToken);
        try
        {
            IReadOnlyList<PackRef> doubtful;
            lock (_gate)
            {
                doubtful = _imports.Doubtful;
            }

            foreach (PackRef pack in doubtful)
            {
                IReadOnlyList<BlockRow> blocks = _metadata.FindPack(pack.Pack) is null ? await ImportPatientlyAsync(token => FindImportAsync(pack, token), cancellationToken) : [];
                lock (_gate)
                {
                    _imports.Settle(pack.Pack);
                    if (blocks.Count > 0)
                    {
                        _imports.Add(new ImportedPack(pack, blocks, Task.CompletedTask, IsFound: true));
                    }
                }
            }

            if (doubtful.Count > 0)
            {
                SaveImports();
            }
        }
        finally
        {
            _findingImports.GiveBack();
        }
    }

    /// <summary>What a pack in the store holds; nothing when it is not there whole.</summary>
    private async Task<IReadOnlyList<BlockRow>> FindImportAsync(PackRef pack, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? whole = await _store.GetAsync(VaultNames.Pack(pack.Pack), PackReader.PackBytesMax, cancellationToken);
            using PackReader reader = new(_keys, packsMax: 1);
            return whole?.Length == pack.Length ? reader.ReadDirectory(pack.Pack, whole) : [];
        }
        catch (VaultIntegrityException)
        {
            return [];
        }
    }

    private void SaveImports()
    {
        byte[]? saved;
        lock (_gate)
        {
            saved = _imports.Encode();
        }

        // Without room on this disk a crash now costs a pack that is sent twice.
        TrySaveSettings((ImportSetting, saved));
    }

    /// <summary>A store that is away is waited for; one that refuses is not.</summary>
    private async Task<T> ImportPatientlyAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        for (TimeSpan patience = PatienceMin; ; patience = patience * 2 < PatienceMax ? patience * 2 : PatienceMax)
        {
            try
            {
                T result = await call(cancellationToken);
                NoteStoreReachable();
                return result;
            }
            catch (StoreException error) when (error.Kind is not (StoreErrorKind.Denied or StoreErrorKind.SignInRefused or StoreErrorKind.Full))
            {
                NoteStoreUnreachable(error, patience);
            }
            catch (StoreException error)
            {
                throw new FsException(error.Kind == StoreErrorKind.Full ? FsStatus.NoSpace : FsStatus.AccessDenied, error.Message, error);
            }

            await Task.Delay(patience, _time, cancellationToken);
        }
    }

    private async Task ChangeForImportAsync(Func<VaultState, IReadOnlyList<HistoryChange>> make, CancellationToken cancellationToken)
    {
        try
        {
            await ChangeHistoryAsync(make, cancellationToken);
        }
        catch (VaultException error)
        {
            throw new FsException(FsStatus.ReadOnly, error.Message, error);
        }
    }

    private void RequireImport()
    {
        try
        {
            RequireSending();
        }
        catch (VaultException error)
        {
            throw new FsException(FsStatus.ReadOnly, error.Message, error);
        }
    }

    private static void RequirePieces(long size, IReadOnlyList<ContentPiece> pieces)
    {
        long end = 0;
        foreach (ContentPiece piece in pieces)
        {
            if (piece.Offset < end || piece.Length < 1 || piece.Offset > size - piece.Length || piece.Offset / Overlay.BlockBytes != (piece.Offset + piece.Length - 1) / Overlay.BlockBytes)
            {
                throw new ArgumentException("Pieces lie in order within the file, and each within 1 MiB of it.", nameof(pieces));
            }

            end = piece.Offset + piece.Length;
        }
    }

    /// <summary>Whether the content of a file is just these pieces already.</summary>
    private bool Shows(Node node, long size, IReadOnlyList<ContentPiece> pieces)
    {
        if (node.Size != size)
        {
            return false;
        }

        long offset = 0;
        foreach (ContentPiece piece in pieces)
        {
            if (!IsHole(node, offset, piece.Offset) || FindSource(node, piece.Offset, piece.Offset + piece.Length) is not { IsData: true, Chunk: null, InnerOffset: 0 } source
                || source.Block != piece.Block || source.End != piece.Offset + piece.Length)
            {
                return false;
            }

            offset = piece.Offset + piece.Length;
        }

        return IsHole(node, offset, size);
    }

    private bool IsHole(Node node, long start, long end)
    {
        while (start < end)
        {
            Source source = FindSource(node, start, end);
            if (source.IsData)
            {
                return false;
            }

            start = source.End;
        }

        return true;
    }

    private sealed class StoredBlocks(Volume volume) : IStoredReader
    {
        private readonly StoredReader _reader = new(volume._blocks, volume._store);

        public async ValueTask<IoResult> ReadAsync(BlockId block, Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (volume._metadata.FindBlockToRead(block) is not { } row)
            {
                return IoResult.Failed(FsStatus.Stale);
            }

            try
            {
                Memory<byte> plain = destination[..row.PlainLength];
                await _reader.ReadAsync(row, plain, cancellationToken);
                return volume._keys.IdentifyBlock(plain.Span) == block ? IoResult.Done(row.PlainLength) : IoResult.Failed(FsStatus.Corrupt);
            }
            catch (Exception error) when (error is StoreException or VaultIntegrityException or FsException)
            {
                return IoResult.Failed(volume.Fail("a proof", error));
            }
        }
    }
}
