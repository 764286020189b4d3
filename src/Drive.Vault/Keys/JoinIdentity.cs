using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>
/// An identity that is no device and may let devices in: its private key lies in a slot behind a secret. It is made first, enrolled by a commit
/// (<see cref="Changes"/>), and only then its slot is put, which pins that commit.
/// </summary>
public sealed class JoinIdentity : IDisposable
{
    /// <summary>Name of the members that stand for passphrases.</summary>
    public const string PassphraseName = "passphrase";

    /// <summary>Name of the members that stand for recovery keys.</summary>
    public const string RecoveryName = "recovery key";

    private readonly SigningKey _signer;
    private readonly SecretBytes? _code;
    private readonly MemberKind _kind;
    private readonly string _name;

    private JoinIdentity(MemberKind kind, string name, IRandomSource random, SecretBytes? code)
    {
        _kind = kind;
        _name = name;
        _code = code;
        _signer = SigningKey.Create(VaultMaker.DrawDevice(random));
    }

    /// <summary>As a member.</summary>
    public DeviceId Id => _signer.Device;

    /// <summary>What a commit needs to make it a member.</summary>
    public IReadOnlyList<MemberChange> Changes =>
    [
        new Enrol(new VaultMember { Id = Id, Kind = _kind, Number = 0, Name = _name, SigningPublicKey = _signer.PublicKey }),
        new Announce(Id, _signer.Wrapping.PublicKey),
    ];

    /// <summary>The pairing code to show, once; null for another kind.</summary>
    public string? PairingCode => _code is null ? null : SecretText.Pairing.Format(_code.Span);

    internal SigningKey Signer => _signer;

    /// <summary>One that lets one device in, behind a code that is drawn here.</summary>
    public static JoinIdentity ForPairing(IRandomSource random) => new(MemberKind.Pairing, "pairing code", random, VaultMaker.Draw(random));

    /// <summary>One that stays, behind a passphrase.</summary>
    public static JoinIdentity ForPassphrase(IRandomSource random) => new(MemberKind.Recovery, PassphraseName, random, null);

    internal static JoinIdentity ForRecovery(IRandomSource random) => new(MemberKind.Recovery, RecoveryName, random, null);

    /// <summary>Puts the slot that the pairing code opens. The state is after the commit with <see cref="Changes"/>.</summary>
    public async Task PutPairingSlotAsync(IObjectStore store, VaultKeys keys, VaultState state, IRandomSource random, CancellationToken cancellationToken)
    {
        SecretBytes code = _code ?? throw new InvalidOperationException("It has no code.");
        byte[] slot = Seal(keys, SlotKind.Pairing, [], code.Span, 0, new LogPin(state.Seq, state.Head), state.Floor, random);
        await VaultMaker.PutExactlyAsync(store, VaultJoin.SlotName(SlotKind.Pairing, code, new VaultHeader(keys.VaultId)), slot, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _signer.Dispose();
        _code?.Dispose();
    }

    internal byte[] Seal(
        VaultKeys keys, SlotKind kind, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> secret, int iterations, LogPin leastHead, long leastFloor, IRandomSource random)
    {
        using var payload = new ByteWriter(1024);
        SlotPayload.Write(payload, keys, leastHead, leastFloor, _signer);
        return Slot.Seal(kind, new VaultHeader(keys.VaultId), passphrase, secret, iterations, payload.Written, random);
    }
}
