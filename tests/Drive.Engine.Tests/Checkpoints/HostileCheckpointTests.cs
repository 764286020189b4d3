using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Metadata;
using Drive.Testing.Model;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Engine.Tests.Checkpoints;

/// <summary>
/// A member that signs a checkpoint with the right rows and a false account of the log. Whoever starts there would take the liar's word on who may sign; the log from there on
/// leads to another state than the one that is proven, and then nothing of the checkpoint is used.
/// </summary>
public sealed class HostileCheckpointTests
{
    [Theory]
    [InlineData("key of another")]
    [InlineData("nobody writes")]
    [InlineData("counts less")]
    [InlineData("another head")]
    [InlineData("a stranger more")]
    public async Task A_checkpoint_with_a_false_account_of_the_log_is_not_started_from(string lie)
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await NameFalseCheckpointAsync(vault, await vault.EnrolAsync("liar"), lie);
        byte[] keys = await vault.EnrolAsync("second");
        CheckpointStore store = new(vault.Store);
        await using Volume second = await vault.OpenAsync("second", keys, store);
        await vault.ShowsExpectedAsync(second);
        Assert.Contains(VaultNames.Commit(1, 1).Value, store.Asked);
    }

    [Theory]
    [InlineData("key of another")]
    [InlineData("counts less")]
    public async Task A_sleeper_does_not_follow_a_floor_to_other_members_than_it_has_seen(string lie)
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        byte[] liar = await vault.EnrolAsync("liar");
        await NameFalseCheckpointAsync(vault, liar, lie);
        FloorRef floor = await vault.CutLogAsync(liar);
        await using Volume sleeper = await vault.Fixture.OpenAsync();
        Assert.Contains(VaultNames.Checkpoint(floor.Checkpoint.Id).Value, sleeper.GetStatus().ReadOnlyReason);
        Assert.Empty(vault.Expected.Differences(await TreeSnapshot.CaptureAsync(sleeper)));
    }

    [Fact]
    public async Task A_floor_that_a_revoked_device_signed_is_refused_by_name()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        byte[] revoked = await vault.EnrolAsync("revoked");
        using VaultKeys first = VaultKeys.Import(vault.Fixture.Keys);
        using VaultKeys thief = VaultKeys.Import(revoked);
        VaultLog log = new(vault.Store, first, SystemRandomSource.Instance);
        VaultState head = await vault.ReadHeadAsync();
        Attempt revoke = log.Prepare(head, new CommitDraft { Members = [new Revoke(thief.DeviceId)], Time = 1 });
        var known = Assert.IsType<AppendOutcome.Committed>(await log.SubmitAsync(head, revoke, CancellationToken.None)).Next;
        await using (Volume sees = await vault.Fixture.OpenAsync())
        {
            await vault.ShowsExpectedAsync(sees);
        }

        // It still has the vault's key: it writes a checkpoint in which it is a member, and a floor that leads there; the store cuts the log.
        VaultState claimed = known with { Seq = known.Seq + 5, Members = [.. known.Members.Select(static member => member with { Active = true })] };
        CheckpointRef checkpoint = await WriteAsync(vault, thief, claimed);
        FloorRef floor = new(1, claimed.Seq, checkpoint);
        await new VaultLog(vault.Store, thief, SystemRandomSource.Instance).PublishFloorAsync(claimed with { LastFloor = floor }, floor, CancellationToken.None);
        for (long seq = 1; seq <= known.Seq; seq++)
        {
            await vault.Store.DeleteAsync(VaultNames.Commit(1, seq), CancellationToken.None);
        }

        await using Volume sleeper = await vault.Fixture.OpenAsync();
        Assert.Contains(VaultNames.Floor(1).Value, sleeper.GetStatus().ReadOnlyReason);
        Assert.Empty(vault.Expected.Differences(await TreeSnapshot.CaptureAsync(sleeper)));
    }

    private static async Task NameFalseCheckpointAsync(CheckpointedVault vault, byte[] liarKeys, string lie)
    {
        using VaultKeys liar = VaultKeys.Import(liarKeys);
        VaultState head = await vault.ReadHeadAsync();
        CheckpointRef checkpoint = await WriteAsync(vault, liar, Lie(head, liar, lie));
        VaultLog log = new(vault.Store, liar, SystemRandomSource.Instance);
        Attempt attempt = log.Prepare(head, new CommitDraft { Checkpoint = checkpoint, Time = 1 });
        Assert.IsType<AppendOutcome.Committed>(await log.SubmitAsync(head, attempt, CancellationToken.None));
    }

    private static VaultState Lie(VaultState head, VaultKeys liar, string lie)
    {
        VaultMember self = head.FindMember(liar.DeviceId)!;
        VaultMember[] Changed(Func<VaultMember, VaultMember> change) =>
            [.. head.Members.Select(member => member.Kind == MemberKind.Device && member.Number == 1 ? change(member) : member)];
        return lie switch
        {
            "key of another" => head with { Members = Changed(member => member with { SigningPublicKey = self.SigningPublicKey }) },
            "counts less" => head with { Members = Changed(member => member with { LastOpSeq = member.LastOpSeq - 1 }) },
            "nobody writes" => head with { Writer = null },
            "another head" => head with { Head = head.StateHash },
            _ => head with { Members = [.. head.Members, self with { Id = new DeviceId(new string('a', 32)), Number = head.NextDeviceNumber }] },
        };
    }

    /// <summary>With the rows that the first device's closed database holds.</summary>
    private static async Task<CheckpointRef> WriteAsync(CheckpointedVault vault, VaultKeys signer, VaultState state)
    {
        string copy = $"rows {signer.DeviceNumber}";
        CheckpointedVault.CopyDirectory(vault.Fixture.Settings().StateDirectory, vault.Fixture.Settings(copy).StateDirectory);
        using VaultKeys first = VaultKeys.Import(vault.Fixture.Keys);
        using MetadataStore metadata = MetadataStore.Open(
            Path.Combine(vault.Fixture.Settings(copy).StateDirectory, "metadata.db"), first.DeriveLocalKey("metadata"), new MetadataOptions());
        using CheckpointWriter writer = new(vault.Store, signer, state, SystemRandomSource.Instance);
        foreach (HeldRows rows in metadata.ReadHeld(metadata.LastSeq, 100))
        {
            await writer.AddAsync(rows, [], CancellationToken.None);
        }

        foreach (IReadOnlyList<BlockRow> blocks in metadata.ReadAllBlocks(100))
        {
            await writer.AddAsync(new HeldRows(), blocks, CancellationToken.None);
        }

        return await writer.FinishAsync(CancellationToken.None);
    }
}
