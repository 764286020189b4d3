using System.Security.Cryptography;
using System.Text;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>Key epochs: a new master key when a member has gone, wrapped for those that stay, and learned from the log.</summary>
public sealed partial class VaultKeys
{
    private readonly Lock _learning = new();

    /// <summary>
    /// Takes over the master keys that the log has brought up to a state. What is not wrapped for this device is left out: it is no member any more. An
    /// <see cref="IntegrityKind.KeyEpoch"/> error where a wrapped key is not what it says.
    /// </summary>
    public void Learn(VaultState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Learn(state, Signer);
    }

    /// <summary>A new master key for the members that are active after some changes. It is not used before the commit with it is in the log.</summary>
    /// <exception cref="VaultException">A member has not said yet which key to wrap for.</exception>
    public Rotate MakeRotation(VaultState state, IReadOnlyCollection<MemberChange> changes, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(state);
        HashSet<DeviceId> leaving = [.. changes.OfType<Revoke>().Select(static change => change.Device)];
        var announced = changes.OfType<Announce>().ToDictionary(static change => change.Device, static change => change.PublicKey);
        int epoch = state.KeyEpoch + 1;
        using var masterKey = new SecretBytes(Bytes32.Size);
        random.Fill(masterKey.Span);
        using WrappingKey ephemeral = WrappingKey.Draw(random);
        List<WrappedKey> wrapped = [];
        IEnumerable<VaultMember> members = [.. state.Members.Where(static member => member.Active), .. changes.OfType<Enrol>().Select(static change => change.Member)];
        foreach (VaultMember member in members.Where(member => !leaving.Contains(member.Id)))
        {
            byte[] owner = member.WrappingPublicKey ?? announced.GetValueOrDefault(member.Id) ?? (member.Id == DeviceId ? Signer.Wrapping.PublicKey : null) ?? throw new VaultException(VaultErrorKind.NotReady, member.Kind == MemberKind.Device
                ? $"The device '{member.Name}' can't be told a new key before it was mounted once with this version of Drive: mount it there, or revoke it first."
                : "The recovery key of this vault is of an older version of Drive: run 'drive recover' with it once on any machine, then try again.");
            wrapped.Add(new WrappedKey(member.Id, ephemeral.Wrap(owner, Context(epoch, member.Id), masterKey.Span)));
        }

        return new Rotate(new KeyRotation(epoch, ephemeral.PublicKey, Check(epoch, masterKey.Span), wrapped));
    }

    /// <summary>For an identity that is not this device: a recovery key that opens the vault.</summary>
    internal void Learn(VaultState state, SigningKey signer)
    {
        if (state.KeyEpoch <= KeyEpoch)
        {
            return;
        }

        lock (_learning)
        {
            foreach (KeyRotation rotation in state.Rotations)
            {
                if (!TryLearnHere(rotation, signer))
                {
                    return;
                }
            }
        }
    }

    /// <summary>Takes over one master key. False: it was not wrapped for the signer, or the one before it is not known.</summary>
    internal bool TryLearn(KeyRotation rotation, SigningKey signer)
    {
        lock (_learning)
        {
            return TryLearnHere(rotation, signer);
        }
    }

    private bool TryLearnHere(KeyRotation rotation, SigningKey signer)
    {
        if (HasEpoch(rotation.Epoch))
        {
            return true;
        }

        if (rotation.Wrapped.FirstOrDefault(wrapped => wrapped.Member == signer.Device) is not { } mine || !HasEpoch(rotation.Epoch - 1))
        {
            return false;
        }

        SecretBytes? masterKey = signer.Wrapping.Unwrap(rotation.Ephemeral, Context(rotation.Epoch, signer.Device), mine.Bytes);
        if (masterKey is null || Check(rotation.Epoch, masterKey.Span) != rotation.Check)
        {
            masterKey?.Dispose();
            throw new VaultIntegrityException($"key epoch {rotation.Epoch}", IntegrityKind.KeyEpoch, "its key was not wrapped for this device as the log says");
        }

        // Readers never wait: they see the list before or the list after.
        _masterKeys = new SortedList<int, SecretBytes>(_masterKeys) { [rotation.Epoch] = masterKey };
        return true;
    }

    private WrapContext Context(int epoch, DeviceId member) => new()
    {
        VaultId = VaultId,
        HeaderHash = HeaderHash,
        Epoch = epoch,
        Member = member,
        OldKey = SubKey(epoch - 1, Labels.Rotate),
    };

    /// <summary>Expand(Extract(salt = vault id, master key), "drive/1/epoch-check" ‖ u32 epoch ‖ VH).</summary>
    private Bytes32 Check(int epoch, ReadOnlySpan<byte> masterKey)
    {
        using var info = new ByteWriter();
        info.Raw(Encoding.ASCII.GetBytes(Labels.EpochCheck));
        info.Fixed32((uint)epoch);
        info.Raw(HeaderHash);
        Span<byte> check = stackalloc byte[Bytes32.Size];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, masterKey, check, VaultId.AsSpan(), info.Written);
        return new Bytes32(check);
    }
}
