using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Engine.Repair;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging;

namespace Drive.Engine;

/// <content>Starting at a checkpoint: a device that has read nothing yet, and one that was away while the log was cut.</content>
public sealed partial class Volume
{
    private const string ProvenHeadSetting = "proven-head";

    private bool _mayStartAtCheckpoint;
    private bool _isLeftBehind;
    private string? _startFailure;

    /// <summary>
    /// Keeps the head that enrolling this device has proven, before its volume is opened for the first time: with it the volume starts at the last checkpoint. Without
    /// it (it is only a help) the log is read from its beginning. The state directory holds nothing yet.
    /// </summary>
    public static void KeepProvenHead(VolumeSettings settings, VaultKeys keys, IDisk disk, VaultState head)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(head);
        DurableDirectory.Create(disk, settings.StateDirectory);
        using MetadataStore metadata = MetadataStore.Open(new StateFiles(disk, settings.StateDirectory).Database, keys.DeriveLocalKey("metadata"), settings.Database);
        MetadataBatch batch = new() { Epoch = 0 };
        batch.PutSetting(ProvenHeadSetting, head.Encode());
        metadata.Apply(batch);
    }

    /// <summary>What a state's settings say was proven last: for a rebuild.</summary>
    internal static VaultState? FindProven(Func<string, byte[]?> readSetting) =>
        (readSetting(StateSetting) ?? readSetting(ProvenHeadSetting)) is { } saved ? VaultState.Decode(saved) : null;

    /// <summary>Opens once more at a checkpoint, where that is the way; see <see cref="OpenAsync"/>.</summary>
    private static async Task<Volume> OpenHereAsync(Func<Volume> open, Func<CheckpointStart, Task> start, Func<ValueTask> abandon, ILogger logger, CancellationToken cancellationToken)
    {
        (Volume? volume, CheckpointStart? wanted, bool isNew) = await TryOpenAsync(open(), mayStartAtCheckpoint: true, null, cancellationToken);
        if (wanted is null)
        {
            return volume!;
        }

        string? failure = null;
        try
        {
            await start(wanted);
        }
        catch (Exception error) when (!isNew && error is StoreException or VaultIntegrityException or IOException)
        {
            // It has a state of its own, which is as it was: that is shown.
            EngineLog.LogStopped(logger, "The checkpoint could not be taken over.", error);
            failure = error.Message;
        }
        catch (Exception error) when (!IsDamage(error))
        {
            await abandon();
            throw;
        }

        return (await TryOpenAsync(open(), mayStartAtCheckpoint: false, failure, cancellationToken)).Volume!;
    }

    private static async Task<(Volume? Volume, CheckpointStart? Start, bool IsNew)> TryOpenAsync(
        Volume volume, bool mayStartAtCheckpoint, string? startFailure, CancellationToken cancellationToken)
    {
        try
        {
            volume._mayStartAtCheckpoint = mayStartAtCheckpoint;
            volume._startFailure = startFailure;
            volume.Restore();
            bool isNew = volume._state.Seq == 0;
            CheckpointStart? start = volume.FindFirstStart();
            if (start is null)
            {
                await volume.CatchUpAtStartAsync(cancellationToken);
                start = volume.FindLaterStart();
            }

            if (start is not null)
            {
                // Store and keys go on to the next.
                volume.CloseLocalState();
                return (null, start, isNew);
            }

            volume.Start();
            return (volume, null, isNew);
        }
        catch (Exception error) when (IsDamage(error))
        {
            // Store and keys are needed for the rebuild, and nothing may be saved over what is damaged.
            volume.CloseLocalState();
            throw;
        }
        catch
        {
            await volume.DisposeAsync();
            throw;
        }
    }

    /// <summary>A device that has read nothing yet, and knows from its enrolment what the log's head was.</summary>
    private CheckpointStart? FindFirstStart() =>
        _mayStartAtCheckpoint && _state.Seq == 0 && FindProven(_metadata.ReadSetting) is { LastCheckpoint: not null } proven
            ? new CheckpointStart(proven, null, _metadata.ReadSetting(JournalSetting), _metadata.ReadPins())
            : null;

    /// <summary>A device that has come to a floor above what it has seen, and has nothing of its own to lose.</summary>
    private CheckpointStart? FindLaterStart() => CanLeaveState()
        ? new CheckpointStart(_state, _state.Seq == 0 ? null : (long)_nextNodeCounter, _metadata.ReadSetting(JournalSetting), _metadata.ReadPins())
        : null;

    private bool CanLeaveState() => _mayStartAtCheckpoint && _isLeftBehind && !_started && _unsent.Count == 0 && _interrupted is null;

    private void StopForFloor()
    {
        _isLeftBehind = true;
        const string What = "The vault's log was cut above what this device has seen";
        _readOnlyReason = _unsent.Count > 0 || _interrupted is not null
            ? $"{What}, and it has changes of its own. They are kept on this machine; the drive is read-only here until both can be merged."
            : _startFailure is not null
            ? $"{What}, and starting from the checkpoint failed: {_startFailure} The last good state is shown, read-only."
            : $"{What}: the drive is read-only here until it is mounted again.";
        if (!CanLeaveState())
        {
            Stop(_readOnlyReason, null);
        }
        else
        {
            _stopReason = _readOnlyReason;
        }
    }
}
