using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Testing;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Tests.Log;

/// <summary>What a commit may say about history, and what a state makes of it.</summary>
public sealed class HistoryTests
{
    private static readonly RetentionRule Rule = new(24, 30, 12, 12, 3);

    [Fact]
    public async Task Snapshots_and_rules_are_the_same_for_every_reader()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await vault.CommitAsync();
        await SayAsync(vault, new NameSnapshot("before the move", 2, 77), new SetRetention(Rule));
        await SayAsync(vault, new NameSnapshot("now", vault.State.Seq + 1, 78), new FreezeRetention("half of the files vanished"), new FreezeRetention("again"));
        await SayAsync(vault, new DropSnapshot("before the move"), new ThawRetention(), new Lapse(await OtherAsync(vault)));
        (VaultState read, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        Assert.Equal(vault.State.Encode(), read.Encode());
        Assert.Equal(vault.State.Encode(), VaultState.Decode(read.Encode()).Encode());
        Assert.Equal([new VaultSnapshot("now", 4, 78)], read.History.Snapshots);
        Assert.Equal(Rule, read.History.Retention);
        Assert.Null(read.History.Freeze);
        Assert.Single(read.Members, static member => member.IsLapsed);
    }

    [Fact]
    public async Task The_first_reason_of_a_freeze_stays_and_nothing_is_forgotten_until_it_ends()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await SayAsync(vault, new Condemn([Pack(1)]));
        await SayAsync(vault, new FreezeRetention("first"));
        await SayAsync(vault, new FreezeRetention("second"));
        Assert.Equal(new RetentionFreeze("first", 3), vault.State.History.Freeze);
        Refused(vault, new Prune(1, []));
        Refused(vault, new Condemn([Pack(2)]));
        Refused(vault, new Swept([Pack(1)]));
        await SayAsync(vault, new ThawRetention(), new Swept([Pack(1)]), new Prune(2, [1]));
        Refused(vault, new ThawRetention());
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\nb")]
    [InlineData("taken")]
    public async Task A_snapshot_has_a_name_that_a_folder_can_have_and_no_other_snapshot_has(string name)
    {
        using TestVault vault = await TestVault.CreateAsync();
        await SayAsync(vault, new NameSnapshot("taken", 1, 0));
        Refused(vault, new NameSnapshot(name, 1, 0));
    }

    [Fact]
    public async Task A_snapshot_is_of_a_state_that_history_has()
    {
        using TestVault vault = await TestVault.CreateAsync();
        for (int i = 0; i < 9; i++)
        {
            await vault.CommitAsync();
        }

        Refused(vault, new NameSnapshot("a", 0, 0));
        Refused(vault, new NameSnapshot("a", 12, 0));
        Refused(vault, new DropSnapshot("a"));
        await SayAsync(vault, new NameSnapshot("three", 3, 0), new NameSnapshot("this", 11, 0), new Prune(9, [5]));
        foreach (long gone in new long[] { 1, 2, 4, 6, 7, 8 })
        {
            Refused(vault, new NameSnapshot("gone", gone, 0));
        }

        await SayAsync(vault, new NameSnapshot("five", 5, 0), new NameSnapshot("three again", 3, 0), new NameSnapshot("nine", 9, 0));
        await SayAsync(vault, new DropSnapshot("three"));
        Assert.True(vault.State.History.Kept.Keeps(3));
        await SayAsync(vault, new DropSnapshot("three again"));
        Assert.False(vault.State.History.Kept.Keeps(3));
    }

    [Fact]
    public async Task What_was_forgotten_does_not_come_back_and_the_mark_only_rises()
    {
        using TestVault vault = await TestVault.CreateAsync();
        for (int i = 0; i < 9; i++)
        {
            await vault.CommitAsync();
        }

        Refused(vault, new Prune(0, []));
        Refused(vault, new Prune(12, []));
        var twice = Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, new CommitDraft { History = [new Prune(8, [3, 3])], Time = 1 }));
        Assert.Equal(IntegrityKind.Malformed, twice.Kind);
        Refused(vault, new Prune(8, [8]));
        await SayAsync(vault, new Prune(8, [2, 5]));
        Refused(vault, new Prune(7, [2]));
        Refused(vault, new Prune(8, [4]));
        await SayAsync(vault, new Prune(10, [5, 9]));
        KeptHistory kept = vault.State.History.Kept;
        Assert.Equal([5, 9, 10, 11, 12], Enumerable.Range(1, 12).Select(static seq => (long)seq).Where(kept.Keeps));
    }

    [Fact]
    public async Task A_condemned_pack_is_named_by_no_commit_and_condemning_changes_no_tree()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Refused(vault, new Condemn([]));
        Refused(vault, new Condemn([Pack(1), Pack(1)]));
        Refused(vault, new Condemn([.. Enumerable.Range(0, 1001).Select(Pack)]));
        CommitDraft rows = vault.Draft() with { History = [new Condemn([Pack(1)])] };
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, rows));

        // Where a block of it lies from now on it may say, and not that it lies in it.
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, Moving(1, Pack(1)) with { History = [new Condemn([Pack(1)])] }));
        CommitDraft moving = Moving(1, Pack(2)) with { History = [new Condemn([Pack(1)])] };
        await vault.CommitAsync(moving);
        Refused(vault, new Condemn([Pack(1)]));
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, Moving(5, Pack(1))));
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, new CommitDraft { Packs = [new PackRef(Pack(1), 10)], Time = 1 }));
        await vault.CommitAsync(Moving(5, Pack(2)));
    }

    [Fact]
    public async Task A_pack_is_swept_only_when_every_other_active_device_has_committed_above_its_condemnation()
    {
        using TestVault vault = await TestVault.CreateAsync();
        RecoveredVault other = await LogTests.Recover(vault);
        using VaultKeys keys = other.Keys;
        (vault.State, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        Refused(vault, new Swept([Pack(1)]));
        Refused(vault, new Condemn([Pack(1)]), new Swept([Pack(1)]));
        await SayAsync(vault, new Condemn([Pack(1)]));
        long condemned = vault.State.Seq;
        Assert.Equal(keys.DeviceId, Assert.Single(vault.State.WaitsFor(condemned, vault.Keys.DeviceId)).Id);
        Refused(vault, new Swept([Pack(1)]));
        await vault.CommitAsync();
        Refused(vault, new Swept([Pack(1)]));

        // It says nothing but that it is there.
        var otherLog = new VaultLog(vault.Store, keys, new SeededRandom(5));
        Attempt word = otherLog.Prepare(vault.State, new CommitDraft { Time = 1 });
        Assert.IsType<AppendOutcome.Committed>(await otherLog.SubmitAsync(vault.State, word, CancellationToken.None));
        vault.State = word.Next;
        await SayAsync(vault, new Condemn([Pack(2)]));
        Refused(vault, new Swept([Pack(1), Pack(2)]));
        await SayAsync(vault, new Swept([Pack(1)]));
        Assert.Equal([Pack(2)], vault.State.History.Condemned.Select(static condemned => condemned.Pack));
        Refused(vault, new Swept([Pack(1)]));

        // A device that lapsed is not waited for, and its next commit ends that.
        Refused(vault, new Lapse(vault.Keys.DeviceId));
        await SayAsync(vault, new Lapse(keys.DeviceId));
        Refused(vault, new Lapse(keys.DeviceId));
        Attempt back = otherLog.Prepare(vault.State, new CommitDraft { Time = 1 });
        Assert.False(back.Next.FindMember(keys.DeviceId)!.IsLapsed);
        await SayAsync(vault, new Swept([Pack(2)]));
        Assert.Empty(vault.State.History.Condemned);
    }

    [Fact]
    public async Task An_identity_that_is_no_device_changes_nothing_of_history()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultMember device = vault.State.FindMember(vault.Keys.DeviceId)!;
        VaultState pretended = vault.State with { Members = [.. vault.State.Members.Select(member => member.Id == device.Id ? member with { Kind = MemberKind.Recovery } : member)] };
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(pretended, new CommitDraft { History = [new NameSnapshot("a", 1, 0)], Time = 1 }));
    }

    [Fact]
    public async Task A_commit_without_them_is_written_as_before_and_one_with_them_has_these_bytes()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Assert.Equal(1, Body(vault, vault.Log.Prepare(vault.State, vault.Draft()))[0]);
        Assert.Equal(2, Body(vault, vault.Log.Prepare(vault.State, new CommitDraft { History = [new SetRetention(Rule)], Time = 1 }))[0]);
        HistoryChange[] changes =
        [
            new NameSnapshot("hi", 5, 1), new DropSnapshot("hi"), new SetRetention(Rule), new FreezeRetention("x"), new ThawRetention(), new Prune(300, [1, 200]),
            new Condemn([Pack(0xAA)]), new Swept([Pack(0xBB)]), new Lapse(new DeviceId("000102030405060708090a0b0c0d0e0f")),
        ];
        using var writer = new ByteWriter();
        HistoryCodec.Write(writer, changes);
        string pack = Convert.ToHexStringLower(Pack(0xAA).Value.AsSpan());
        string swept = Convert.ToHexStringLower(Pack(0xBB).Value.AsSpan());
        Assert.Equal(
            "09" + "0102686905" + "0000000000000001" + "02026869" + "03181e0c0c03" + "040178" + "05" + "06ac020201c701" + "0701" + pack + "0801" + swept + "09000102030405060708090a0b0c0d0e0f",
            Convert.ToHexStringLower(writer.Written));
        var reader = new ByteReader(writer.Written, "golden");
        using var again = new ByteWriter();
        HistoryCodec.Write(again, HistoryCodec.ReadChanges(ref reader));
        Assert.Equal(writer.ToArray(), again.ToArray());
    }

    [Fact]
    public async Task A_state_of_version_2_has_an_empty_history_and_goes_for_the_same_as_one_that_knows_more()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await vault.CommitAsync();
        byte[] bytes = vault.State.Encode();
        VaultState old = VaultState.Decode(OldState(vault.State));
        Assert.Equal(VaultHistory.Empty.Kept.Below, old.History.Kept.Below);
        Assert.All(old.Members, static member => Assert.Equal(0, member.LastSeq));
        Assert.True(old.IsSameAs(vault.State) && vault.State.IsSameAs(old));
        Assert.True(vault.State.CanFollow(old));
        Assert.False(vault.State.IsSameAs(vault.State with { Members = [.. vault.State.Members.Select(static member => member with { LastSeq = member.LastSeq + 1 })] }));
        Assert.Equal(4, bytes[0]);

        // Whoever goes on from it waits for everybody whose commits it does not know.
        Assert.Contains(old.WaitsFor(1, default), member => member.Id == vault.Keys.DeviceId);
    }

    /// <summary>A program that does not know zstd refuses a commit whose packs may have it, instead of taking them for damaged.</summary>
    [Theory]
    [InlineData(false, false, 1)]
    [InlineData(true, false, 2)]
    [InlineData(false, true, 3)]
    [InlineData(true, true, 3)]
    public async Task A_commits_version_says_what_it_takes_to_read_it(bool hasHistory, bool hasPacks, byte version)
    {
        using TestVault vault = await TestVault.CreateAsync();
        await vault.CommitAsync();
        CommitDraft draft = hasPacks ? Moving(1, Pack(1)) with { Packs = [new PackRef(Pack(1), 1000)] } : new CommitDraft { Time = 1 };
        Attempt attempt = vault.Log.Prepare(vault.State, draft with { History = hasHistory ? [new FreezeRetention("told")] : [] });
        byte[] body = Body(vault, attempt);
        Assert.Equal(version, body[0]);
        CommitContent read = CommitCodec.Read(body, "commit");
        Assert.Equal(hasHistory ? 1 : 0, read.History.Count);
        Assert.Equal(hasPacks ? 1 : 0, read.Packs.Count);

        // A version that promises what is not there has not been written by anybody.
        body[0] = (byte)(version == 3 ? 1 : 3);
        Assert.Throws<VaultIntegrityException>(() => CommitCodec.Read(body, "commit"));
    }

    /// <summary>As version 2 has it, byte by byte.</summary>
    private static byte[] OldState(VaultState state)
    {
        using var writer = new ByteWriter();
        writer.Byte(2);
        writer.Raw(state.VaultId);
        writer.Count(state.Gen);
        writer.Count(state.Seq);
        writer.Raw(state.Head);
        writer.Count(state.Floor);
        writer.Count(state.KeyEpoch);
        writer.Count(state.Members.Count);
        foreach (VaultMember member in state.Members)
        {
            RefCodec.Write(writer, member);
            writer.Bool(member.Active);
            writer.Count(member.Incarnation);
            writer.Count(member.LastOpSeq);
            writer.Fixed64(member.LastTime);
            writer.Sized(member.WrappingPublicKey);
        }

        writer.Count(0);
        writer.Bool(false);
        writer.Raw(state.StateHash);
        writer.Bool(false);
        return writer.ToArray();
    }

    private static byte[] Body(TestVault vault, Attempt attempt) =>
        SignedObject.Open(vault.Keys, ObjectClass.Commit, attempt.Bytes, "commit").Unpack("commit").ToArray();

    private static CommitDraft Moving(int block, PackId to)
    {
        CommitDraft draft = new() { Time = 1 };
        draft.Rows.Blocks.Add(new BlockRow(new BlockId(Fill(block)), to, 106, 0, 5, [(5 + 16) * 2]));
        return draft;
    }

    private static async Task<DeviceId> OtherAsync(TestVault vault)
    {
        RecoveredVault other = await LogTests.Recover(vault);
        other.Keys.Dispose();
        (vault.State, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        return other.Head.Members.Single(static member => member.Name == "laptop").Id;
    }

    private static Task SayAsync(TestVault vault, params HistoryChange[] changes) => vault.CommitAsync(new CommitDraft { History = changes, Time = 1 });

    private static void Refused(TestVault vault, params HistoryChange[] changes) => Assert.Equal(
        IntegrityKind.Rule, Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, new CommitDraft { History = changes, Time = 1 })).Kind);

    private static PackId Pack(int number) => new(Fill(number));

    private static Bytes32 Fill(int number)
    {
        byte[] bytes = new byte[Bytes32.Size];
        BitConverter.TryWriteBytes(bytes, number);
        return new Bytes32(bytes);
    }
}
