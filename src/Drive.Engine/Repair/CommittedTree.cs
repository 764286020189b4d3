using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Engine.Tree;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging;

namespace Drive.Engine.Repair;

/// <summary>
/// Builds the committed tree in a new, unfinished database: from the last checkpoint that this device can prove, else from the vault's first commit; then commit by
/// commit, every one proven again. The database that is there is not touched.
/// </summary>
/// <remarks>
/// A checkpoint is named by a commit, and holds the members as its author says. So a start from one counts only when the log from there on leads to a state that this
/// device has proven itself before; it must be the same to the last byte. Where it does not, where the checkpoint is damaged or gone, or nothing was proven
/// before, the log is replayed from its beginning. Only where that has been cut, the floor's checkpoint is believed on its signature, as the format has it.
/// </remarks>
internal sealed class CommittedTree(
    VolumeSettings settings, VaultKeys keys, IObjectStore store, VaultLog log, StateFiles files, ILogger logger) : IDisposable
{
    /// <summary>More nodes than a device makes: see <see cref="NodeCounterAbove"/>.</summary>
    private const long UnseenNodes = 1L << 32;

    private MetadataStore? _metadata;
    private long _nodeCounter;
    private bool _hasUnseenNodes;
    private VaultState? _proven;
    private long _checkpointSeqMax;

    public MetadataStore Metadata => _metadata ?? throw new InvalidOperationException("Nothing was built yet.");

    /// <summary>The commit that the tree stands at.</summary>
    public VaultState State { get; private set; } = VaultState.BeforeGenesis(keys);

    /// <summary>The last commit of this device that was replayed and changed the tree.</summary>
    public long LastOwnSeq { get; private set; }

    /// <summary>Builds up to the head, or up to the first commit that is not to be taken.</summary>
    /// <param name="withHistory">Reads the log from its beginning even where a checkpoint would do.</param>
    /// <param name="proven">A state that this device has proven before; null for none.</param>
    /// <param name="checkpointSeqMax">No checkpoint above it is taken: changes of this device's own were made on what was there then.</param>
    /// <param name="isWanted">Whether a commit, which follows <see cref="State"/>, is to be taken.</param>
    /// <param name="check">Told each state that is come to: throws when this device has seen another.</param>
    /// <param name="cancellationToken">Leaves an unfinished database, which nobody reads.</param>
    public async Task BuildAsync(
        bool withHistory, VaultState? proven, long checkpointSeqMax, Func<CommitContent, bool> isWanted, Action<VaultState> check, CancellationToken cancellationToken)
    {
        _proven = proven;
        _checkpointSeqMax = checkpointSeqMax;
        if (!withHistory && proven?.LastCheckpoint is { } checkpoint && checkpoint.Seq <= checkpointSeqMax)
        {
            try
            {
                await LoadAsync(await CheckpointReader.OpenAsync(store, keys, proven, cancellationToken), withPast: true, cancellationToken);
                await ReplayAsync(isWanted, check, cancellationToken);
                if (State.Seq >= proven.Seq)
                {
                    return;
                }
            }
            catch (VaultIntegrityException error)
            {
                EngineLog.LogCheckpointRefused(logger, error.ObjectName, error);
            }
        }

        Renew(VaultState.BeforeGenesis(keys));
        await ReplayAsync(isWanted, check, cancellationToken);
    }

    /// <summary>
    /// The least number for this device's next node, given the one it kept, if it did. Nodes that were made and gone before a checkpoint are not in it; so that no number
    /// is ever used twice, more than a device makes are left out (of 2^44).
    /// </summary>
    public long NodeCounterAbove(long? kept) => kept is { } known
        ? Math.Max(known, _nodeCounter)
        : Math.Max(2, _nodeCounter + (_hasUnseenNodes ? UnseenNodes : 0));

    public void Dispose() => _metadata?.Dispose();

    private void Renew(VaultState state)
    {
        _metadata?.Dispose();
        files.DeleteUnfinished();
        _metadata = MetadataStore.Open(files.Unfinished, keys.DeriveLocalKey("metadata"), settings.Database);
        State = state;
        LastOwnSeq = 0;
        _nodeCounter = 0;
        _hasUnseenNodes = false;
    }

    private async Task LoadAsync(CheckpointReader checkpoint, bool withPast, CancellationToken cancellationToken)
    {
        Renew(checkpoint.State);
        try
        {
            await foreach ((HeldRows held, IReadOnlyList<BlockRow> blocks) in checkpoint.ReadAsync(cancellationToken))
            {
                RowSet rows = held.ToRows();
                Metadata.Load(withPast ? held : HeldRows.Since(rows, State.Seq), blocks);
                NoteOwnNodes(rows);
            }

            if (withPast)
            {
                await foreach (PastRows past in checkpoint.ReadPastAsync(cancellationToken))
                {
                    Metadata.LoadPast(past);
                    NoteOwnNodes(past.Ended.ToRows());
                }
            }

            Metadata.FinishLoad(State.Seq, withPast ? checkpoint.KnownFrom : State.Seq, [.. State.History.Condemned.Select(static condemned => (condemned.Pack, condemned.Seq))]);
        }
        catch (Exception error) when (CommitRows.IsMisfit(error))
        {
            throw new VaultIntegrityException(checkpoint.ObjectName, IntegrityKind.Rule, "is signed, and its rows make no tree", error);
        }

        _hasUnseenNodes = State.FindMember(keys.DeviceId) is { LastOpSeq: > 0 };
        EngineLog.LogCheckpointLoaded(logger, State.Seq);
    }

    /// <summary>Where the log is cut there is no other way to the present: it does not fail for what the past has lost.</summary>
    private async Task LoadFloorAsync(CheckpointReader checkpoint, CancellationToken cancellationToken)
    {
        try
        {
            await LoadAsync(checkpoint, withPast: true, cancellationToken);
        }
        catch (VaultIntegrityException error) when (checkpoint.PastPartCount > 0)
        {
            EngineLog.LogPastRefused(logger, error.ObjectName, error);
            await LoadAsync(checkpoint, withPast: false, cancellationToken);
        }
    }

    private async Task ReplayAsync(Func<CommitContent, bool> isWanted, Action<VaultState> check, CancellationToken cancellationToken)
    {
        while (true)
        {
            ObjectName name = VaultNames.Commit(State.Gen, State.Seq + 1);
            switch (await log.ReadNextAsync(State, rows => CommitRows.Resolve(Metadata, rows, name), cancellationToken))
            {
                case ReadResult.Next next when isWanted(next.Commit):
                    Apply(name, next);
                    State = next.State;
                    break;
                case ReadResult.FloorJump jump:
                    await JumpAsync(jump.Floor, cancellationToken);
                    break;
                default:
                    return;
            }

            if (_proven is not null && State.Seq == _proven.Seq && !State.IsSameAs(_proven) && !Mistakes.Has(Mistake.CheckpointNotProven))
            {
                throw new VaultIntegrityException(name.Value, IntegrityKind.Chain, "does not lead to the state of the log that this device has proven");
            }

            check(State);
        }
    }

    private void Apply(ObjectName name, ReadResult.Next next)
    {
        CommitRows.Apply(Metadata, name, CommitRows.NoteOf(next.Commit, keys.DeviceId), next.Commit.Rows, []);
        NoteOwnNodes(next.Commit.Rows.Opened);

        // A commit that changes nothing of the tree holds none of the changes that wait here.
        if (next.Commit.Device == keys.DeviceId && !(next.Commit.Rows.Opened.IsEmpty && next.Commit.Rows.Closed.IsEmpty))
        {
            LastOwnSeq = next.State.Seq;
        }
    }

    /// <summary>To the last floor that there is.</summary>
    private async Task JumpAsync(FloorRef floor, CancellationToken cancellationToken)
    {
        CheckpointReader reader = await CheckpointReader.OpenAsync(store, keys, floor, State, cancellationToken);
        if (reader.State.Seq > _checkpointSeqMax)
        {
            throw new LocalStateException("The vault's log was cut above what this device's own changes were made on. They are kept on this machine.");
        }

        if (_proven is not null && reader.State.Seq >= _proven.Seq && !reader.State.CanFollow(_proven))
        {
            throw new VaultIntegrityException(reader.ObjectName, IntegrityKind.Rule, "its members are not those that this device has seen");
        }

        await LoadFloorAsync(reader, cancellationToken);
    }

    private void NoteOwnNodes(RowSet rows) => _nodeCounter = (long)CommitRows.NextCounter(keys.DeviceNumber, rows.Nodes, (ulong)_nodeCounter);
}
