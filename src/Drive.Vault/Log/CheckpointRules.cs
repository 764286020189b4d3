using Drive.Core;

namespace Drive.Vault.Log;

/// <summary>
/// What a commit makes of checkpoints and floors: which checkpoint is the last, which older ones stay, and which nothing needs any more. Pure, like <see cref="CommitRules"/>. Only what a commit in the log
/// has given up may be deleted, and a floor is decided for one that stays; both are in one order, so no floor ever leads to a checkpoint that is gone.
/// </summary>
internal static class CheckpointRules
{
    /// <summary>So many that were given up are remembered, for who deletes them: each round of garbage collection and each new checkpoint tries. Arbitrary.</summary>
    private const int DroppedMax = 8;

    /// <summary>The state, which is after the commit in all else, with its checkpoints and floor.</summary>
    public static VaultState Apply(VaultState after, CommitContent commit, string objectName)
    {
        if (commit.Floor is null && commit.Checkpoint is null)
        {
            return after;
        }

        if (commit.Checkpoint?.Seq >= commit.Seq)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Rule, "a checkpoint of what is not yet");
        }

        FloorRef? floor = ApplyFloor(after, commit, objectName);
        HashSet<CheckpointRef> known = [.. after.OlderCheckpoints];
        foreach (CheckpointRef? other in (CheckpointRef?[])[after.LastCheckpoint, after.LastFloor?.Checkpoint, commit.Checkpoint])
        {
            if (other is not null)
            {
                known.Add(other);
            }
        }

        // The newest one that is named, in whatever order.
        CheckpointRef? last = commit.Checkpoint is { } named && named.Seq >= (after.LastCheckpoint?.Seq ?? 0) ? named : after.LastCheckpoint;
        CheckpointRef[] older = [.. known.Where(checkpoint => checkpoint != last && checkpoint.Seq > (floor?.Checkpoint.Seq ?? 0)).OrderBy(static checkpoint => checkpoint.Seq).ThenBy(static checkpoint => checkpoint.Id.ToString(), StringComparer.Ordinal)];
        CheckpointRef? nextFloor = Mistakes.Has(Mistake.NextFloorsCheckpointDropped) ? null : Array.FindLast(older, checkpoint => checkpoint.Seq <= after.FloorMax);
        CheckpointRef[] stay = [.. older.Where(checkpoint => checkpoint == nextFloor || checkpoint == older[^1])];
        IEnumerable<CheckpointRef> dropped = known.Where(checkpoint => checkpoint != last && checkpoint != floor?.Checkpoint && !stay.Contains(checkpoint))
            .OrderBy(static checkpoint => checkpoint.Seq).ThenBy(static checkpoint => checkpoint.Id.ToString(), StringComparer.Ordinal);
        return after with
        {
            LastFloor = floor,
            LastCheckpoint = last,
            OlderCheckpoints = stay,
            DroppedCheckpoints = [.. after.DroppedCheckpoints.Concat(dropped).TakeLast(DroppedMax)],
        };
    }

    /// <summary>A device that jumped to a floor meets the commit that decided on it only afterwards: that changes nothing.</summary>
    private static FloorRef? ApplyFloor(VaultState state, CommitContent commit, string objectName)
    {
        if (commit.Floor is not { } floor || (state.LastFloor is { } known && floor.Number <= known.Number))
        {
            return state.LastFloor;
        }

        bool isInTurn = floor.Number == state.Floor + 1 && floor.Checkpoint.Seq < commit.Seq
            && (state.LastFloor is not { } before || (floor.Seq > before.Seq && floor.Checkpoint.Seq > before.Checkpoint.Seq));
        return isInTurn ? floor : throw new VaultIntegrityException(objectName, IntegrityKind.Rule, "a floor out of turn");
    }
}
