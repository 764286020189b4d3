using Drive.Core.Rows;
using Drive.Vault.Checkpoints;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Tests.Checkpoints;

/// <summary>What somebody can do who was revoked, together with the store: it has the master keys up to its revocation, and may draw any identity.</summary>
public sealed class FormerMemberTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_floor_or_a_checkpoint_under_an_older_key_epoch_is_refused_whoever_signed_it()
    {
        using TestVault vault = await TestVault.CreateAsync();
        RecoveredVault laptop = await Log.LogTests.Recover(vault);
        using VaultKeys thief = laptop.Keys;
        (vault.State, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        Revoke revoke = new(thief.DeviceId);
        await vault.CommitAsync(new CommitDraft { Members = [revoke, vault.Keys.MakeRotation(vault.State, [revoke], vault.Source)], Time = 1 });
        VaultState sleeper = vault.State;
        Assert.Equal((2, 1), (sleeper.KeyEpoch, thief.KeyEpoch));

        // Nobody knows this identity: it might have been enrolled in the part of the log that is gone.
        using SigningKey invented = SigningKey.Create(new DeviceId(new string('e', 32)));
        VaultMember member = sleeper.FindMember(vault.Keys.DeviceId)! with
        {
            Id = invented.Device,
            Number = sleeper.NextDeviceNumber,
            SigningPublicKey = invented.PublicKey,
            WrappingPublicKey = null,
        };
        VaultState claimed = sleeper with { Seq = sleeper.Seq + 5, Members = [.. sleeper.Members, member], StateHash = default };
        using ByteWriter manifest = new();
        new CheckpointManifest { State = claimed, Parts = [], KnownFrom = 1 }.Write(manifest);
        byte[] bytes = SignedObject.Seal(thief, 1, invented, ObjectClass.CheckpointManifest, vault.Source, manifest.Written, out Bytes32 id);
        await vault.Store.PutIfAbsentAsync(VaultNames.Checkpoint(id), bytes, None);
        FloorRef floor = new(1, claimed.Seq, new CheckpointRef(id, claimed.Seq, VaultLog.Hash(bytes), default));
        using ByteWriter body = new();
        RefCodec.Write(body, floor);
        await vault.Store.PutIfAbsentAsync(VaultNames.Floor(1), SignedObject.Seal(thief, 1, invented, ObjectClass.Floor, vault.Source, body.Written, out _), None);

        VaultIntegrityException refused = await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.Log.ReadNextAsync(sleeper, static rows => rows, None));
        Assert.Equal((VaultNames.Floor(1).Value, IntegrityKind.KeyEpoch), (refused.ObjectName, refused.Kind));
        refused = await Assert.ThrowsAsync<VaultIntegrityException>(() => CheckpointReader.OpenAsync(vault.Store, vault.Keys, floor, sleeper, None));
        Assert.Equal((VaultNames.Checkpoint(id).Value, IntegrityKind.KeyEpoch), (refused.ObjectName, refused.Kind));
    }
}
