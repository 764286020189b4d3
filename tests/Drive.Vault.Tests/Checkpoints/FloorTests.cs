using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Vault.Tests.Checkpoints;

/// <summary>Floors, which checkpoints stay for them, and the way to the master keys of a part of the log that is gone.</summary>
public sealed class FloorTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(100)]
    public async Task The_last_of_many_floors_is_found_with_few_questions(int count)
    {
        using TestVault vault = await TestVault.CreateAsync();
        FloorRef? last = null;
        for (int number = 1; number <= count; number++)
        {
            last = new FloorRef(number, number, Ref(number));
            await vault.Log.PublishFloorAsync(vault.State with { LastFloor = last }, last, None);
        }

        int asked = 0;
        vault.Store.Replace = (_, stored) =>
        {
            asked++;
            return stored;
        };
        Assert.Equal(last, await vault.Log.ReadFloorAsync(vault.State, None));
        Assert.InRange(asked, 1, 1 + (2 * (int)Math.Ceiling(Math.Log2(count + 1))));
        Assert.Null(await vault.Log.ReadFloorAsync(vault.State with { LastFloor = last ?? new FloorRef(1, 1, Ref(1)) }, None));
    }

    [Fact]
    public async Task A_floor_is_decided_in_turn_and_above_the_last()
    {
        using TestVault vault = await TestVault.CreateAsync();
        for (int i = 0; i < 12; i++)
        {
            await vault.CommitAsync();
        }

        await vault.CommitAsync(Deciding(new FloorRef(1, 5, Ref(5))));
        foreach (FloorRef wrong in (FloorRef[])[new(3, 8, Ref(8)), new(2, 5, Ref(8)), new(2, 4, Ref(8)), new(2, 5, Ref(5)), new(2, 8, Ref(vault.State.Seq + 1))])
        {
            VaultIntegrityException refused = Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, Deciding(wrong)));
            Assert.Equal(IntegrityKind.Rule, refused.Kind);
        }

        await vault.CommitAsync(Deciding(new FloorRef(2, 8, Ref(8))));
        Assert.Equal(new FloorRef(2, 8, Ref(8)), vault.State.LastFloor);
        Assert.Equal(vault.State.Encode(), VaultState.Decode(vault.State.Encode()).Encode());
    }

    /// <summary>Checkpoints are named and floors decided at random, while devices say now and then how far they are.</summary>
    [Fact]
    public void What_a_floor_may_need_is_never_given_up_and_little_else_stays()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            Random random = new(seed);
            int devices = random.Next(1, 4);
            VaultState state = new() { VaultId = default, Head = default, Members = [.. Enumerable.Range(0, devices).Select(Member)] };
            HashSet<CheckpointRef> dropped = [];
            List<CheckpointRef> named = [];
            for (long seq = 1; seq <= 200; seq++)
            {
                int author = random.Next(10) == 0 ? random.Next(devices) : 0;
                CheckpointRef? checkpoint = seq > 3 && random.Next(6) == 0 ? Ref(seq - random.Next(1, 4)) : null;
                FloorRef? floor = null;
                if (random.Next(12) == 0 && state.OlderCheckpoints.Append(state.LastCheckpoint).LastOrDefault(known => known?.Seq <= state.FloorMax) is { } chosen
                    && chosen.Seq > (state.LastFloor?.Seq ?? 0))
                {
                    Assert.DoesNotContain(chosen, dropped);
                    floor = new FloorRef(state.Floor + 1, chosen.Seq, chosen);
                }

                VaultState before = state;
                state = CheckpointRules.Apply(
                    state with { Seq = seq, Members = [.. state.Members.Select((member, i) => i == author ? member with { LastSeq = seq } : member)] },
                    Commit(seq, checkpoint, floor),
                    "commit");
                if (checkpoint is not null)
                {
                    named.Add(checkpoint);
                }

                foreach (CheckpointRef gone in state.DroppedCheckpoints.Except(before.DroppedCheckpoints))
                {
                    // A checkpoint that is named a second time is what it was.
                    Assert.True(dropped.Add(gone) || named.Count(other => other == gone) > 1, $"seed {seed}: {gone.Seq} was given up twice");
                }

                // What stays: the last, the one before it, the floor's, and the newest that all devices are above; nothing else but what was given up.
                Assert.True(state.OlderCheckpoints.Count <= 2, $"seed {seed}");
                Assert.All(named, known => Assert.True(
                    known == state.LastCheckpoint || known == state.LastFloor?.Checkpoint || state.OlderCheckpoints.Contains(known) || dropped.Contains(known), $"seed {seed}: {known.Seq} was lost track of"));
                CheckpointRef? best = before.OlderCheckpoints.Append(before.LastCheckpoint).Append(checkpoint).Where(known => known?.Seq <= state.FloorMax && known.Seq > (state.LastFloor?.Seq ?? 0)).MaxBy(static known => known!.Seq);
                Assert.True(best is null || best == state.LastCheckpoint || state.OlderCheckpoints.Contains(best), $"seed {seed}: nothing stayed for the next floor");
            }
        }
    }

    [Fact]
    public void A_device_that_jumped_gives_up_nothing_that_others_may_still_choose()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            Random random = new(seed);
            VaultState state = new() { VaultId = default, Head = default, Members = [Member(0), Member(1)] };
            VaultState? jumped = null;
            for (long seq = 1; seq <= 120; seq++)
            {
                CheckpointRef? checkpoint = seq > 3 && random.Next(5) == 0 ? Ref(seq - random.Next(1, 4)) : null;
                FloorRef? floor = random.Next(9) == 0 && state.OlderCheckpoints.Append(state.LastCheckpoint).LastOrDefault(known => known?.Seq <= state.FloorMax) is { } chosen
                    && chosen.Seq > (state.LastFloor?.Seq ?? 0) ? new FloorRef(state.Floor + 1, chosen.Seq, chosen) : null;
                int author = random.Next(4) == 0 ? 1 : 0;
                VaultState Next(VaultState of) => CheckpointRules.Apply(
                    of with { Seq = seq, Members = [.. of.Members.Select((member, i) => i == author ? member with { LastSeq = seq } : member)] }, Commit(seq, checkpoint, floor), "commit");
                state = Next(state);
                jumped = jumped is null ? null : Next(jumped);
                if (floor is not null && jumped is null && random.Next(2) == 0)
                {
                    // It reads everything above the checkpoint, but knows of the floor already.
                    jumped = state with { LastCheckpoint = floor.Checkpoint, OlderCheckpoints = [], DroppedCheckpoints = [] };
                    foreach (CheckpointRef between in state.OlderCheckpoints.Append(state.LastCheckpoint!).Where(other => other.Seq > floor.Seq))
                    {
                        jumped = CheckpointRules.Apply(jumped, Commit(seq, between, null), "commit");
                    }
                }

                Assert.True(jumped is null || !jumped.DroppedCheckpoints.Any(gone => state.OlderCheckpoints.Contains(gone) || gone == state.LastCheckpoint || gone == state.LastFloor?.Checkpoint), $"seed {seed}");
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Who_joins_behind_cut_rotations_learns_the_keys(int rotations)
    {
        using TestVault vault = await TestVault.CreateAsync();
        for (int i = 0; i < rotations; i++)
        {
            await vault.CommitAsync(new CommitDraft { Members = [vault.Keys.MakeRotation(vault.State, [], vault.Source)], Time = 1 });
            await vault.CommitAsync();
        }

        await CutAsync(vault);
        RecoveredVault recovered = await Log.LogTests.Recover(vault);
        using VaultKeys keys = recovered.Keys;
        Assert.Equal(rotations + 1, keys.KeyEpoch);
        Assert.Equal(vault.State.StateHash, recovered.Head.StateHash);
        Assert.Equal(vault.State.LastFloor, recovered.Head.LastFloor);
    }

    [Fact]
    public async Task A_revoked_device_that_slept_over_the_cut_is_told_so()
    {
        using TestVault vault = await TestVault.CreateAsync();
        RecoveredVault laptop = await Log.LogTests.Recover(vault);
        using VaultKeys revoked = laptop.Keys;
        (vault.State, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        Revoke revoke = new(revoked.DeviceId);
        await vault.CommitAsync(new CommitDraft { Members = [revoke, vault.Keys.MakeRotation(vault.State, [revoke], vault.Source)], Time = 1 });
        await CutAsync(vault);
        VaultLog log = new(vault.Store, revoked, vault.Source);
        VaultException refused = await Assert.ThrowsAsync<VaultException>(() => log.ReadNextAsync(laptop.Head, static rows => rows, None));
        Assert.Equal(VaultErrorKind.NotMember, refused.Kind);
    }

    [Fact]
    public async Task Every_bit_flip_and_the_loss_of_a_key_link_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState before = vault.State;
        VaultKeys old = VaultKeys.Import(vault.Keys.Export());
        await vault.CommitAsync(new CommitDraft { Members = [vault.Keys.MakeRotation(vault.State, [], vault.Source)], Time = 1 });
        await CutAsync(vault);
        ObjectName name = VaultNames.KeyLink(2);
        byte[] link = await vault.Store.BytesAsync(name);
        byte[]? changed = null;
        vault.Store.Replace = (asked, stored) => asked == name ? changed : stored;
        VaultLog log = new(vault.Store, old, vault.Source);
        for (int bit = -1; bit < link.Length * 8; bit += 3)
        {
            if (bit >= 0)
            {
                changed = [.. link];
                changed[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            await Assert.ThrowsAsync<VaultIntegrityException>(() => log.ReadNextAsync(before, static rows => rows, None));
            Assert.Equal(1, old.KeyEpoch);
        }

        changed = link;
        Assert.IsType<ReadResult.FloorJump>(await log.ReadNextAsync(before, static rows => rows, None));
        Assert.Equal(2, old.KeyEpoch);
        old.Dispose();
    }

    private static async Task CutAsync(TestVault vault)
    {
        for (int i = 0; i < 4; i++)
        {
            await vault.CommitAsync();
        }

        using var writer = new Vault.Checkpoints.CheckpointWriter(vault.Store, vault.Keys, vault.State, vault.Source);
        await writer.AddAsync(HeldRows.Since(vault.Tree.Rows(), 1), [], None);
        CheckpointRef checkpoint = await writer.FinishAsync(None);
        await vault.CommitAsync(vault.Draft() with { Checkpoint = checkpoint });
        FloorRef floor = new(vault.State.Floor + 1, checkpoint.Seq, checkpoint);
        await vault.CommitAsync(Deciding(floor));
        await vault.Log.PublishFloorAsync(vault.State, floor, None);
        for (long seq = 2; seq <= floor.Seq; seq++)
        {
            await vault.Store.DeleteAsync(VaultNames.Commit(1, seq), None);
        }
    }

    private static CommitDraft Deciding(FloorRef floor) => new() { Floor = floor, Time = 1 };

    private static CommitContent Commit(long seq, CheckpointRef? checkpoint, FloorRef? floor) => new()
    {
        VaultId = default,
        Gen = 1,
        Seq = seq,
        PrevHash = default,
        Device = default,
        Incarnation = 1,
        DeviceOpSeq = 1,
        KeyEpoch = 1,
        Time = 1,
        Rows = new(),
        Packs = [],
        Members = [],
        Writer = WriterChange.None,
        StateHash = default,
        Checkpoint = checkpoint,
        Floor = floor,
    };

    private static VaultMember Member(int number) => new()
    {
        Id = new DeviceId($"{number:d32}"),
        Kind = MemberKind.Device,
        Number = number + 1,
        Name = $"device {number}",
        SigningPublicKey = new byte[64],
    };

    private static CheckpointRef Ref(long seq)
    {
        byte[] id = new byte[Bytes32.Size];
        BitConverter.TryWriteBytes(id, seq);
        return new CheckpointRef(new Bytes32(id), seq, default, default);
    }
}
