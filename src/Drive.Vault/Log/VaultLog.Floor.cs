using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <summary>Floors: immutable marks that say below which seq the log may be gone.</summary>
public sealed partial class VaultLog
{
    private const int FloorBytesMax = 4096;

    /// <summary>
    /// Publishes the floor that the log has already decided on: <paramref name="state"/> is after the commit with it. Only then may slots up to
    /// its seq be deleted. May run again after any failure.
    /// </summary>
    public async Task PublishFloorAsync(VaultState state, FloorRef floor, CancellationToken cancellationToken)
    {
        if (floor.Number > state.Floor)
        {
            throw new ArgumentException("A floor is published after the commit that decides on it.", nameof(floor));
        }

        using var body = new ByteWriter();
        RefCodec.Write(body, floor);
        byte[] bytes = SignedObject.Seal(_keys, _keys.KeyEpoch, _signer, ObjectClass.Floor, _random, body.Written, out _);
        ObjectName name = VaultNames.Floor(floor.Number);
        if (!await _store.PutIfAbsentAsync(name, bytes, cancellationToken))
        {
            byte[] found = await _store.GetProvableAsync(name, FloorBytesMax, cancellationToken)
                ?? throw new StoreException(StoreErrorKind.Malformed, isTransient: true, $"The store says that {name} exists, and does not have it.");
            if (OpenFloor(state, floor.Number, found, name.Value) != floor)
            {
                throw new VaultIntegrityException(name.Value, IntegrityKind.Rule, "holds another floor than the log decided on");
            }
        }
    }

    /// <summary>The floor after the state's, or null.</summary>
    public async Task<FloorRef?> ReadFloorAsync(VaultState state, CancellationToken cancellationToken)
    {
        ObjectName name = VaultNames.Floor(state.Floor + 1);
        byte[]? bytes = await _store.GetProvableAsync(name, FloorBytesMax, cancellationToken);
        return bytes is null ? null : OpenFloor(state, state.Floor + 1, bytes, name.Value);
    }

    /// <summary>
    /// A signer that this state does not know may have been enrolled in the truncated part. The seal then shows a member's hand, and the
    /// checkpoint that the floor names must itself be signed by one of its members.
    /// </summary>
    private FloorRef OpenFloor(VaultState state, long number, byte[] bytes, string name)
    {
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
}
