#if DEBUG
using Drive.Cache.Tests.Dirty;
using Drive.Core;
using Drive.Engine.Tests;
using Drive.Engine.Tests.Checkpoints;
using Drive.Engine.Tests.History;
using Drive.Security.Tests;
using Drive.Simulation.Seeds;
using Drive.Simulation.Tests;
using Drive.Stores.Tests.Folder;
using Drive.Vault.Tests.Checkpoints;
using Drive.Vault.Tests.Keys;
using Drive.Vault.Tests.Log;
using Drive.Vault.Tests.Packs;

namespace Drive.Mistakes.Tests;

/// <summary>Which check notices which mistake; the table of <c>docs/testing.md</c>. Often several do: here is the one that comes first.</summary>
internal static class Checks
{
    private const string Simulation = "simulation";
    private const string Crashes = "crashes between calls";
    private const string Disk = "simulated disk";
    private const string Faults = "faults";
    private const string Model = "model";
    private const string Engine = "engine";
    private const string Stores = "store";
    private const string Vault = "vault";
    private const string Threats = "malicious store";

    public static Check Of(Mistake mistake) => mistake switch
    {
        Mistake.LogNotFlushed => Check.Test<DirtyLogCrashTests>(Disk, nameof(DirtyLogCrashTests.After_a_crash_all_that_was_synced_is_exact_and_the_rest_is_exact_or_an_error)),
        Mistake.LogNameNotFlushed => Check.Test<DirtyLogCrashTests>(Disk, nameof(DirtyLogCrashTests.After_a_crash_all_that_was_synced_is_exact_and_the_rest_is_exact_or_an_error)),
        Mistake.LogFlushRetried => Check.Test<DirtyLogFaultTests>(Faults, nameof(DirtyLogFaultTests.Whatever_change_of_the_disk_fails_no_sync_lies), false, false),
        Mistake.LogReleasedEarly => Check.Test<SpillTests>(Engine, nameof(SpillTests.Overwritten_bytes_stay_until_the_commit_that_replaces_them)),
        Mistake.LogNonceRepeated => Check.Test<DirtyLogTests>(Disk, nameof(DirtyLogTests.Equal_bytes_are_sealed_differently)),
        Mistake.LogSealIgnored => Check.Test<DirtyLogCrashTests>(Disk, nameof(DirtyLogCrashTests.Every_single_byte_of_a_segment_is_guarded)),
        Mistake.DatabaseNotFlushed => Check.Test<SqliteDiskTests>(Disk, nameof(SqliteDiskTests.A_change_survives_the_power_cut_that_follows_it)),
        Mistake.DatabaseLeftBehind => Check.Test<CrashPointTests>(Simulation, nameof(CrashPointTests.No_segment_of_the_log_goes_before_the_database_that_does_not_need_it_is_flushed)),
        Mistake.FsyncSavesNothing => Check.Test<SpillTests>(Engine, nameof(SpillTests.A_sync_after_it_keeps_every_byte)),
        Mistake.FullDiskIsSuccess => Check.Test<FaultTests>(Faults, nameof(FaultTests.A_disk_that_stays_full_is_said_and_nothing_synced_is_lost), 32 << 20),
        Mistake.StuckSaveDropped => Check.Test<FaultTests>(Faults, nameof(FaultTests.A_full_disk_is_said_at_every_place_it_can_happen_and_nothing_synced_is_lost), 32 << 20),
        Mistake.RemovedNameNotSaved => CrashTest(1),
        Mistake.RemovedXattrNotSaved => Seeds(),
        Mistake.HoleNotSaved => Seeds(),
        Mistake.OverwrittenRowKept => Seeds(),
        Mistake.NodeNumbersNotSaved => CrashTest(1),
        Mistake.DirtyNodeEvicted => Seeds(400),
        Mistake.DirtyRoomNotReserved => Check.Test<FaultTests>(Faults, nameof(FaultTests.A_full_cache_refuses_early_and_takes_again_after_an_upload)),
        Mistake.CutWithoutHole => Check.Test<ModelTests>(Model, nameof(ModelTests.The_engine_agrees_with_the_reference), 1),
        Mistake.PackNotSent => Check.Test<LifetimeTests>(Engine, nameof(LifetimeTests.A_machine_that_lost_everything_recovers_what_was_uploaded)),
        Mistake.CommitNotSent => Check.Test<LifetimeTests>(Engine, nameof(LifetimeTests.A_machine_that_lost_everything_recovers_what_was_uploaded)),
        Mistake.AttemptNotSaved => Seeds(),
        Mistake.AttemptRebuilt => Check.Test<FaultTests>(Faults, nameof(FaultTests.A_store_that_fails_a_third_of_its_calls_before_or_after_them_gets_everything_once), false),
        Mistake.TakenSlotIsOurs => Check.Test<UploadTests>(Engine, nameof(UploadTests.A_slot_that_another_device_took_is_merged_with_and_nothing_is_lost)),
        Mistake.LandedTooMuch => Check.Test<UploadTests>(Engine, nameof(UploadTests.Bytes_written_over_those_on_their_way_stay)),
        Mistake.WaitSaysDone => Check.Test<LifetimeTests>(Engine, nameof(LifetimeTests.A_machine_that_lost_everything_recovers_what_was_uploaded)),
        Mistake.UnreachableIsAbsent => Check.Test<FaultTests>(Faults, nameof(FaultTests.A_store_that_fails_a_third_of_its_calls_before_or_after_them_gets_everything_once), true),
        Mistake.PinNotChecked => Check.Test<RollbackTests>(Threats, nameof(RollbackTests.A_volume_whose_store_was_put_back_is_read_only_from_the_mount_on_and_names_the_commit)),
        Mistake.ObjectIdRepeated => Check.Test<PackTests>(Vault, nameof(PackTests.The_same_content_sealed_twice_shares_no_bytes)),
        Mistake.CommitmentIgnored => Check.Test<PackTests>(Vault, nameof(PackTests.Every_single_bit_flip_truncation_and_extension_of_a_pack_is_refused)),
        Mistake.SealIgnored => Check.Test<PackTests>(Vault, nameof(PackTests.Segments_swapped_inside_a_block_between_blocks_and_between_packs_are_refused)),
        Mistake.SegmentNotBound => Check.Test<PackTests>(Vault, nameof(PackTests.Segments_swapped_inside_a_block_between_blocks_and_between_packs_are_refused)),
        Mistake.SignatureIgnored => Check.Test<FlipTests>(Vault, nameof(FlipTests.Every_change_of_a_commit_is_refused)),
        Mistake.RevokedSignerAccepted => Check.Test<LogTests>(Vault, nameof(LogTests.A_revoked_device_can_neither_make_nor_pass_off_a_commit)),
        Mistake.GenesisNotPinned => Check.Test<LogTests>(Vault, nameof(LogTests.Another_first_commit_by_the_same_device_is_refused)),
        Mistake.ChainNotChecked => Check.Test<LogTests>(Vault, nameof(LogTests.A_fork_is_noticed_by_the_pin_and_by_the_chain)),
        Mistake.SeqNotChecked => Check.Test<LogTests>(Vault, nameof(LogTests.A_commit_in_another_slot_or_of_another_vault_is_refused)),
        Mistake.DeviceSequenceNotChecked => Check.Test<LogTests>(Vault, nameof(LogTests.A_device_that_counts_backwards_is_refused)),
        Mistake.KeyEpochNotChecked => Check.Test<LogTests>(Vault, nameof(LogTests.A_commit_under_an_older_key_epoch_is_refused)),
        Mistake.StateHashNotChecked => Check.Test<LogTests>(Vault, nameof(LogTests.A_reader_whose_tree_differs_stops_at_the_state_hash)),
        Mistake.FloorNotReadAtHead => Check.Test<CheckpointTests>(Vault, nameof(CheckpointTests.A_truncated_log_sends_a_reader_to_the_floors_checkpoint)),
        Mistake.FloorNotReadAfterAppend => Check.Test<CheckpointTests>(Vault, nameof(CheckpointTests.A_sleepers_commit_in_a_truncated_slot_is_not_committed)),
        Mistake.CheckpointSumIgnored => Check.Test<CheckpointTests>(Vault, nameof(CheckpointTests.Rows_that_are_not_the_states_make_no_checkpoint)),
        Mistake.CheckpointNotReadBack => Check.Test<CheckpointWriteTests>(Engine, nameof(CheckpointWriteTests.A_checkpoint_that_the_store_does_not_give_back_is_not_named)),
        Mistake.CheckpointNotProven => Check.Test<HostileCheckpointTests>(
            Engine, nameof(HostileCheckpointTests.A_checkpoint_with_a_false_account_of_the_log_is_not_started_from), "nobody writes"),
        Mistake.CheckpointPastLeftOut => Check.Test<CheckpointHistoryTests>(Engine, nameof(CheckpointHistoryTests.A_device_that_starts_at_a_checkpoint_shows_each_state_of_a_random_history), 0),
        Mistake.FloorEpochNotChecked => Check.Test<FormerMemberTests>(Vault, nameof(FormerMemberTests.A_floor_or_a_checkpoint_under_an_older_key_epoch_is_refused_whoever_signed_it)),
        Mistake.CondemnedPackNamed => Check.Test<HistoryTests>(Vault, nameof(HistoryTests.A_condemned_pack_is_named_by_no_commit_and_condemning_changes_no_tree)),
        Mistake.SweptBeforeAllKnow => Check.Test<HistoryTests>(Vault, nameof(HistoryTests.A_pack_is_swept_only_when_every_other_active_device_has_committed_above_its_condemnation)),
        Mistake.CutBeforeAllAreAbove => Check.Test<CutTests>(Engine, nameof(CutTests.A_device_that_slept_is_waited_for_and_merges_what_it_has)),
        Mistake.CutBeforeFloor => Check.Test<CutTests>(Engine, nameof(CutTests.The_log_is_cut_at_the_checkpoint_and_a_new_device_has_tree_and_past)),
        Mistake.NextFloorsCheckpointDropped => Check.Test<FloorTests>(Vault, nameof(FloorTests.What_a_floor_may_need_is_never_given_up_and_little_else_stays)),
        Mistake.CondemnedContentKept => Check.Test<GarbageTests>(Engine, nameof(GarbageTests.A_device_that_is_away_is_waited_for_and_what_it_has_shared_meanwhile_is_rescued)),
        Mistake.OwnContentNotCounted => Check.Test<GarbageTests>(Engine, nameof(GarbageTests.What_only_a_file_without_a_name_shows_that_is_open_here_is_not_condemned)),
        Mistake.DeletedBeforeSwept => Check.Test<GarbageTests>(Engine, nameof(GarbageTests.A_device_that_is_away_is_waited_for_and_what_it_has_shared_meanwhile_is_rescued)),
        Mistake.PastNotCounted => Check.Test<GarbageTests>(Engine, nameof(GarbageTests.What_a_snapshot_shows_stays_until_its_name_is_dropped)),
        Mistake.StrayOfAnotherDeleted => Check.Test<GarbageTests>(Engine, nameof(GarbageTests.Packs_that_no_commit_names_go_when_no_device_can_name_them)),
        Mistake.PassphraseCostNotChecked => Check.Test<SetupTests>(Vault, nameof(SetupTests.A_slot_with_a_lowered_cost_suite_or_kind_is_refused)),
        Mistake.StoreFileNotFlushed => Check.Test<FolderStoreTests>(Stores, nameof(FolderStoreTests.Whatever_change_of_the_disk_fails_an_object_is_whole_or_not_there_and_a_true_is_durable)),
        Mistake.StoreNameNotFlushed => Check.Test<FolderStoreTests>(Stores, nameof(FolderStoreTests.Whatever_change_of_the_disk_fails_an_object_is_whole_or_not_there_and_a_true_is_durable)),
        Mistake.StoreOverwrites => Check.Test<FolderStoreOnMemoryDiskTests>(Stores, nameof(FolderStoreOnMemoryDiskTests.A_name_that_is_taken_keeps_its_object)),
        Mistake.StoreGoneIsEmpty => Check.Test<FolderStoreTests>(Stores, nameof(FolderStoreTests.While_the_disk_is_unmounted_nothing_is_absent_and_nothing_is_written_below_it)),
        _ => throw new ArgumentOutOfRangeException(nameof(mistake), mistake, "Which check notices it?"),
    };

    private static Check CrashTest(int seed) => Check.Test<CrashTests>(Crashes, nameof(CrashTests.A_crash_leaves_the_state_after_a_prefix_of_the_calls), seed);

    /// <summary>Whole runs of the simulation, one after the other, until one of them notices.</summary>
    private static Check Seeds(int last = 80) => new(Simulation, "SeedRuns", () =>
    {
        for (int seed = 1; seed <= last; seed++)
        {
            SeedRuns.Replay(seed, [.. SimulationStep.Generate(seed, calls: 220)]);
        }

        return Task.CompletedTask;
    });
}
#endif
