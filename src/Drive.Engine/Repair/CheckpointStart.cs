using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging;

namespace Drive.Engine.Repair;

/// <summary>
/// A device without changes of its own leaves its database for one that starts at a checkpoint: a new device, or one that was away while the log was cut. The new database
/// takes the old one's place in one step, complete and durable; a crash before leaves the old one. Of what was local only, pins are in it; access times and history are not.
/// </summary>
/// <param name="proven">The state that this device has proven: its own, or the head at which it was enrolled.</param>
/// <param name="nodeCounter">The number that its next node gets; null when it keeps none.</param>
/// <param name="journalMark">Where its journal stands: numbers are never used twice.</param>
/// <param name="pins">What it keeps the content of.</param>
internal sealed class CheckpointStart(VaultState proven, long? nodeCounter, byte[]? journalMark, IReadOnlyList<NodeId> pins)
{
    private const long Epoch = 1;

    /// <summary>
    /// Builds the new database and puts it in place. <see cref="VaultIntegrityException"/> when neither checkpoint nor log proves itself, <see cref="StoreException"/>
    /// when the store is away; then everything is as it was.
    /// </summary>
    public async Task RunAsync(
        VolumeSettings settings, VaultKeys keys, IObjectStore store, IDisk disk, IRandomSource random, ILogger logger, CancellationToken cancellationToken)
    {
        StateFiles files = new(disk, settings.StateDirectory);
        using CommittedTree tree = new(settings, keys, store, new VaultLog(store, keys, random), files, logger);
        await tree.BuildAsync(withHistory: false, proven, long.MaxValue, static _ => true, static _ => { }, cancellationToken);
        if (tree.State.Seq < proven.Seq)
        {
            throw new VaultIntegrityException(
                VaultNames.Commit(tree.State.Gen, tree.State.Seq + 1).Value, IntegrityKind.RolledBack, "is gone, though this device has seen it");
        }

        MetadataBatch batch = new() { Epoch = Epoch };
        batch.PutSetting(Volume.StateSetting, tree.State.Encode());
        batch.PutSetting(Volume.CounterSetting, Numbers.Encode(tree.NodeCounterAbove(nodeCounter)));
        batch.PutSetting(Volume.EpochSetting, Numbers.Encode(Epoch));
        batch.PutSetting(Volume.JournalSetting, journalMark);
        tree.Metadata.Apply(batch);
        foreach (NodeId pinned in pins)
        {
            tree.Metadata.PutPin(pinned);
        }

        tree.Dispose();
        files.Replace();
    }
}
