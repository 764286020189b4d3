using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <content>
/// Floors: immutable marks that say below which seq the log may be gone. And what has to outlive the commits below one: how each master key was made known, for who still has only an earlier one.
/// </content>
public sealed partial class VaultLog
{
    private const int FloorBytesMax = 4096;
    private const int KeyLinkBytesMax = 4 * 1024 * 1024;

    /// <summary>
    /// Publishes the floor that the log has already decided on: <paramref name="state"/> is after the commit with it. Only then may slots up to
    /// its seq be deleted. May run again after any failure, by any member.
    /// </summary>
    public async Task PublishFloorAsync(VaultState state, FloorRef floor, CancellationToken cancellationToken)
    {
        if (floor.Number > state.Floor)
        {
            throw new ArgumentException("A floor is published after the commit that decides on it.", nameof(floor));
        }

        // Whoever jumps over a commit that began a key epoch needs them to open what lies behind it.
        foreach (KeyRotation rotation in state.Rotations)
        {
            await PublishKeyLinkAsync(rotation, cancellationToken);
        }

        using var body = new ByteWriter();
        RefCodec.Write(body, floor);
        byte[] bytes = SignedObject.Seal(_keys, _keys.KeyEpoch, _signer, ObjectClass.Floor, _random, body.Written, out _);
        ObjectName name = VaultNames.Floor(floor.Number);
        if (await PutOrFindAsync(name, bytes, FloorBytesMax, cancellationToken) is { } found && await OpenFloorAsync(state, floor.Number, found, name.Value, cancellationToken) != floor)
        {
            throw new VaultIntegrityException(name.Value, IntegrityKind.Rule, "holds another floor than the log decided on");
        }
    }

    /// <summary>
    /// The last floor after the state's, or null. Floors are numbered without a gap and stay, so it is found by doubling steps: a vault that was cut a thousand times costs twenty questions.
    /// </summary>
    public async Task<FloorRef?> ReadFloorAsync(VaultState state, CancellationToken cancellationToken)
    {
        long number = state.Floor;
        byte[]? bytes = null;
        bool isPassed = false;
        for (long step = 1; step > 0; step = isPassed ? step / 2 : step * 2)
        {
            if (await _store.GetProvableAsync(VaultNames.Floor(number + step), FloorBytesMax, cancellationToken) is { } found)
            {
                bytes = found;
                number += step;
            }
            else
            {
                isPassed = true;
            }
        }

        return bytes is null ? null : await OpenFloorAsync(state, number, bytes, VaultNames.Floor(number).Value, cancellationToken);
    }

    /// <summary>
    /// A signer that this state does not know may have been enrolled in the truncated part. The seal then shows a member's hand, and the
    /// checkpoint that the floor names must itself be signed by one of its members.
    /// </summary>
    private async Task<FloorRef> OpenFloorAsync(VaultState state, long number, byte[] bytes, string name, CancellationToken cancellationToken)
    {
        await LearnUpToAsync(ObjectHeader.Read(bytes, ObjectClass.Floor, _keys.VaultId, name).Epoch, cancellationToken);
        SignedObject opened = SignedObject.Open(_keys, ObjectClass.Floor, bytes, name);
        opened.RequireEpoch(state.KeyEpoch, name);
        if (state.FindMember(opened.Signer) is { } signer)
        {
            VerifySignature(opened, signer, bytes, name);
        }

        var reader = new ByteReader(opened.Unpack(name).Span, name);
        FloorRef floor = RefCodec.ReadFloor(ref reader);
        reader.ExpectEnd();
        return floor.Number == number ? floor : throw new VaultIntegrityException(name, IntegrityKind.Position, "holds another floor");
    }

    /// <summary>Takes over the master keys of later epochs, one out of the other. Where a link is missing, what was to be opened says so.</summary>
    private async Task LearnUpToAsync(int epoch, CancellationToken cancellationToken)
    {
        while (_keys.KeyEpoch < epoch)
        {
            ObjectName name = VaultNames.KeyLink(_keys.KeyEpoch + 1);
            if (await _store.GetProvableAsync(name, KeyLinkBytesMax, cancellationToken) is not { } bytes)
            {
                return;
            }

            if (!_keys.TryLearn(OpenKeyLink(bytes, _keys.KeyEpoch + 1, name.Value), _signer))
            {
                throw new VaultException(VaultErrorKind.NotMember, "This device, or the key that it joins with, was revoked or replaced: the vault has a newer master key, and it was not wrapped for it.");
            }
        }
    }

    private async Task PublishKeyLinkAsync(KeyRotation rotation, CancellationToken cancellationToken)
    {
        using var body = new ByteWriter();
        RefCodec.Write(body, rotation);
        byte[] bytes = SealedBody.Seal(_keys, rotation.Epoch - 1, ObjectClass.KeyLink, _random, [], body.Written, 0, out _);
        ObjectName name = VaultNames.KeyLink(rotation.Epoch);
        if (await PutOrFindAsync(name, bytes, KeyLinkBytesMax, cancellationToken) is { } found && OpenKeyLink(found, rotation.Epoch, name.Value).Check != rotation.Check)
        {
            throw new VaultIntegrityException(name.Value, IntegrityKind.Rule, "leads to another master key than the log");
        }
    }

    private KeyRotation OpenKeyLink(byte[] bytes, int epoch, string name)
    {
        ReadOnlyMemory<byte> body = SealedBody.Unpack(SealedBody.Open(_keys, ObjectClass.KeyLink, bytes, name, out ObjectHeader header), name);
        var reader = new ByteReader(body.Span, name);
        KeyRotation rotation = RefCodec.ReadRotation(ref reader);
        reader.ExpectEnd();
        return rotation.Epoch == epoch && header.Epoch == epoch - 1 ? rotation : throw new VaultIntegrityException(name, IntegrityKind.Position, "leads to another key epoch");
    }

    /// <summary>Null: made. Else what was there already; it is looked for first, since a store that does not keep names that are taken must not be asked to.</summary>
    private async Task<byte[]?> PutOrFindAsync(ObjectName name, byte[] bytes, int bytesMax, CancellationToken cancellationToken) =>
        await _store.GetProvableAsync(name, bytesMax, cancellationToken) is { } there ? there
            : await _store.PutIfAbsentAsync(name, bytes, cancellationToken) ? null
            : await _store.GetProvableAsync(name, bytesMax, cancellationToken)
                ?? throw new StoreException(StoreErrorKind.Malformed, isTransient: true, $"The store says that {name} exists, and does not have it.");
}
