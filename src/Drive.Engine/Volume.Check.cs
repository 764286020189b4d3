using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Checks;
using Drive.Vault;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Engine;

/// <content>The check of what the store has, and sending again what it lost and this machine still has: the same blocks in new packs, which a commit says.</content>
public sealed partial class Volume
{
    /// <summary>
    /// Looks whether the store has what the tree needs, and, where that is asked for, sends again what it lost and this machine's cache, or another pack, has. Nothing in the store is removed or written over.
    /// </summary>
    /// <exception cref="StoreException">The store is away, or refuses.</exception>
    /// <exception cref="VaultException">Something is to be sent, and this volume sends nothing.</exception>
    public async Task<CheckReport> CheckAsync(CheckRequest request, Action<string> say, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await CatchUpForCheckAsync(cancellationToken);
        VaultState state = _state;
        VaultCheck check = new(_metadata, _store, _keys, _random, say);
        CheckReport report = await check.RunAsync(state, request.ReadShare, cancellationToken);
        if (request.Repairs && check.LostBlocks.Count > 0)
        {
            await RestoreAsync(ReadToMoveAsync(check.LostBlocks, static _ => { }, cancellationToken), check, cancellationToken);
        }

        if (request.Repairs && request.SearchesPacks && FindLost(check) is { Count: > 0 } wanted)
        {
            await RestoreAsync(new PackSearch(_store, _keys, say).FindAsync(wanted, cancellationToken), check, cancellationToken);
        }

        if (request.Repairs && report.BadLog.Count > 0)
        {
            await ReplaceLogAsync(cancellationToken);
        }

        HashSet<BlockId> lost = FindLost(check);
        (IReadOnlyList<BadFile> files, long count) = check.FindFiles(_state, lost);
        ILookup<string, BlockRow> restored = check.LostBlocks.Where(block => _metadata.FindBlock(block.Block) is { } now && now.Pack != block.Pack).ToLookup(static block => VaultNames.Pack(block.Pack).Value);
        return report with
        {
            UnknownBlocks = check.UnknownBlocks.Count(lost.Contains),
            BadFiles = files,
            BadFileCount = count,
            BadPacks = [.. report.BadPacks.Select(bad => bad with { Restored = restored[bad.Name].LongCount() })],
        };
    }

    /// <summary>Of the blocks that a check found to be lost, those that still are.</summary>
    private HashSet<BlockId> FindLost(VaultCheck check) =>
    [
        .. check.LostBlocks.Where(block => _metadata.FindBlock(block.Block) is { } now && now.Pack == block.Pack).Select(static block => block.Block),
        .. check.UnknownBlocks.Where(block => _metadata.FindBlock(block) is null),
    ];

    /// <summary>What another device has cut meanwhile is not missing. A volume that follows no more is held against what it knows.</summary>
    private async Task CatchUpForCheckAsync(CancellationToken cancellationToken)
    {
        // A store that is away is said at once: the upload loop would wait for it.
        await _store.GetLengthAsync(VaultNames.Vault, cancellationToken);
        try
        {
            await RunInUploadLoopAsync(FollowAsync, cancellationToken);
        }
        catch (VaultException)
        {
            // It stopped, and its status says why.
        }
    }

    /// <summary>What can be had is put into new packs, and a commit says so.</summary>
    private async Task RestoreAsync(IAsyncEnumerable<(BlockId Block, ReadOnlyMemory<byte> Plain)> found, VaultCheck check, CancellationToken cancellationToken)
    {
        RequireSending();
        HashSet<PackId> from = [.. check.LostBlocks.Select(static block => block.Pack)];
        List<BlockRow> restored = [];
        List<PackRef> packs = [];
        try
        {
            await SealAnewAsync(found, restored, packs, cancellationToken);
            await RunInUploadLoopAsync(
                async token =>
                {
                    do
                    {
                        KeepUnmoved(restored, from, check.UnknownBlocks);
                    }
                    while (restored.Count > 0 && !await CommitAloneAsync(DraftOfMoved(restored, packs, []), token));
                },
                cancellationToken);
        }
        finally
        {
            ReleaseNewPacks(packs);
        }
    }
}
