using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>
/// In a vault with a single writer nobody else commits, so a device that has a pairing code asks to be let in: by an object under a name that follows from the code, sealed under it.
/// The writer, who made the code, answers with the commit that enrols it.
/// </summary>
public sealed class PairingRequest
{
    private const byte Version = 1;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly DeviceId _device;
    private readonly string _name;
    private readonly byte[] _signingKey;
    private readonly byte[] _wrappingKey;

    private PairingRequest(DeviceId device, string name, byte[] signingKey, byte[] wrappingKey)
    {
        _device = device;
        _name = name;
        _signingKey = signingKey;
        _wrappingKey = wrappingKey;
    }

    /// <summary>What a device asked with a code that was made here; null when none has yet.</summary>
    public static async Task<PairingRequest?> FindAsync(IObjectStore store, VaultKeys keys, string code, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(keys);
        VaultHeader header = new(keys.VaultId);
        using SecretBytes secret = SecretText.Pairing.Parse(code);
        ObjectName name = VaultJoin.SlotName(SlotKind.PairingRequest, secret, header);
        return await store.GetProvableAsync(name, Slot.BytesMax, cancellationToken) is { } slot
            ? Read(Slot.Open(slot, SlotKind.PairingRequest, header.VaultId, [], secret.Span, name.Value), name.Value)
            : null;
    }

    /// <summary>The changes that let the device in and end the code.</summary>
    public IReadOnlyList<MemberChange> Changes(VaultState state, DeviceId pairing)
    {
        ArgumentNullException.ThrowIfNull(state);
        VaultMember member = new() { Id = _device, Kind = MemberKind.Device, Number = state.NextDeviceNumber, Name = _name, SigningPublicKey = _signingKey };
        return [new Enrol(member), new Announce(_device, _wrappingKey), new Revoke(pairing)];
    }

    /// <summary>Asks, and waits for the commit that answers.</summary>
    /// <returns>The log's head, in which the device is a member.</returns>
    internal static async Task<VaultState> AskAsync(
        VaultLog log,
        IObjectStore store,
        VaultKeys keys,
        VaultState state,
        DeviceId pairing,
        string code,
        IReadOnlyList<LogPin> pins,
        TimeProvider time,
        IRandomSource random,
        CancellationToken cancellationToken)
    {
        using SecretBytes secret = SecretText.Pairing.Parse(code);
        VaultHeader header = new(keys.VaultId);
        using ByteWriter payload = new(512);
        payload.Byte(Version);
        payload.Device(keys.DeviceId);
        payload.Text(keys.DeviceName);
        payload.Raw(keys.Signer.PublicKey);
        payload.Raw(keys.Signer.Wrapping.PublicKey);
        bool isAsked = false;
        while (true)
        {
            state = await VaultJoin.FollowAsync(log, store, keys, state, pins, pairing, cancellationToken);
            if (state.FindMember(keys.DeviceId) is { Active: true } self)
            {
                keys.DeviceNumber = self.Number;
                return state;
            }

            if (state.FindMember(pairing) is not { Active: true })
            {
                throw VaultJoin.UsedCode();
            }

            if (!isAsked)
            {
                byte[] slot = Slot.Seal(SlotKind.PairingRequest, header, [], secret.Span, 0, payload.Written, random);
                isAsked = await store.PutIfAbsentAsync(VaultJoin.SlotName(SlotKind.PairingRequest, secret, header), slot, cancellationToken)
                    ? true
                    : throw VaultJoin.UsedCode();
            }

            await Task.Delay(LookAgain, time, cancellationToken);
        }
    }

    private static PairingRequest Read(byte[] payload, string objectName)
    {
        ByteReader reader = new(payload, objectName);
        if (reader.Byte() != Version)
        {
            throw reader.Malformed("a request of another version");
        }

        DeviceId device = reader.Device();
        string name = reader.Text(VaultKeys.DeviceNameBytesMax);
        PairingRequest request = new(device, name, reader.Raw(SigningKey.PublicKeyBytes).ToArray(), reader.Raw(WrappingKey.PublicKeyBytes).ToArray());
        reader.ExpectEnd();
        return request;
    }
}
