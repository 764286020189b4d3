using System.Security.Cryptography;
using System.Text;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Vault.Keys;

/// <summary>Draws a new vault's secrets, seals its first objects, and puts them. Used once.</summary>
internal sealed class VaultMaker : IDisposable
{
    private readonly IRandomSource _random;
    private readonly CreateVaultOptions _options;
    private readonly VaultHeader _header;
    private readonly VaultKeys _keys;
    private readonly SecretBytes _recoverySecret;
    private readonly JoinIdentity _recovery;
    private readonly JoinIdentity? _passphrase;
    private readonly Attempt _genesis;

    public VaultMaker(CreateVaultOptions options, TimeProvider time, IRandomSource random)
    {
        _options = options;
        _random = random;
        using SecretBytes vaultId = Draw(random);
        _header = new VaultHeader(new Bytes32(vaultId.Span));
        _recoverySecret = Draw(random);
        _recovery = JoinIdentity.ForRecovery(random);
        _passphrase = options.Passphrase is null ? null : JoinIdentity.ForPassphrase(random);
        _keys = new VaultKeys(
            _header, default, new() { [1] = Draw(random) }, 1, CheckName(options.DeviceName), SigningKey.Create(DrawDevice(random)), Draw(random), Draw(random));
        _genesis = MakeGenesis(Nanoseconds(time));
        _keys.GenesisHash = _genesis.Hash;
    }

    public static SecretBytes Draw(IRandomSource random)
    {
        var secret = new SecretBytes(Bytes32.Size);
        random.Fill(secret.Span);
        return secret;
    }

    public static DeviceId DrawDevice(IRandomSource random)
    {
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return new DeviceId(Convert.ToHexStringLower(id));
    }

    public static string CheckName(string deviceName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(deviceName);
        return Encoding.UTF8.GetByteCount(deviceName) <= VaultKeys.DeviceNameBytesMax
            ? deviceName
            : throw new ArgumentException($"A device's name has at most {VaultKeys.DeviceNameBytesMax} bytes.", nameof(deviceName));
    }

    public static long Nanoseconds(TimeProvider time) => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>In this order: <c>vault</c> decides who makes it, slots make it openable, the first commit makes it count. Then all is read back.</summary>
    public async Task<CreatedVault> PutAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        List<(ObjectName Name, byte[] Bytes)> objects = [(VaultNames.Vault, _header.Encode()), SealRecoverySlot()];
        if (_options.Passphrase is { } passphrase)
        {
            objects.Add(PassphraseSlot.Seal(
                _keys, _passphrase!, new LogPin(1, _genesis.Hash), 0, passphrase, _options.PassphraseAlone, _options.PassphraseIterations, _random));
        }

        objects.Add((_genesis.Name, _genesis.Bytes));
        foreach ((ObjectName name, byte[] bytes) in objects)
        {
            await PutExactlyAsync(store, name, bytes, cancellationToken);
        }

        foreach ((ObjectName name, byte[] bytes) in objects)
        {
            byte[]? found = await store.GetProvableAsync(name, SealedBody.ObjectBytesMax, cancellationToken);
            if (found is null || !found.AsSpan().SequenceEqual(bytes))
            {
                throw new VaultIntegrityException(name.Value, IntegrityKind.Missing, "is not what was just put: this store can't be trusted with a vault");
            }
        }

        var log = new VaultLog(store, _keys, _random);
        ReadResult first = await log.ReadNextAsync(VaultState.BeforeGenesis(_keys), rows => rows, cancellationToken);
        return first is ReadResult.Next next
            ? new CreatedVault(_keys, SecretText.Recovery.Format(_recoverySecret.Span), next.State, next.Commit)
            : throw new VaultIntegrityException(_genesis.Name.Value, IntegrityKind.Missing, "is not what was just put");
    }

    /// <summary>The making failed: the keys open nothing and go.</summary>
    public void Abandon() => _keys.Dispose();

    public void Dispose()
    {
        _recoverySecret.Dispose();
        _recovery.Dispose();
        _passphrase?.Dispose();
    }

    /// <summary>False for a name that is taken counts as done when it holds these very bytes: an earlier put whose answer was lost.</summary>
    internal static async Task PutExactlyAsync(IObjectStore store, ObjectName name, byte[] bytes, CancellationToken cancellationToken)
    {
        if (await store.PutIfAbsentAsync(name, bytes, cancellationToken))
        {
            return;
        }

        byte[]? found = await store.GetProvableAsync(name, SealedBody.ObjectBytesMax, cancellationToken);
        if (found is null || !found.AsSpan().SequenceEqual(bytes))
        {
            throw new VaultException(VaultErrorKind.AlreadyExists, $"The store already holds {name}. Choose an empty place, or open the vault that is there.");
        }
    }

    private Attempt MakeGenesis(long now)
    {
        var rows = new RowChanges();
        rows.Opened.Nodes.Add(new NodeRow
        {
            Node = NodeId.Root,
            Mode = FileMode.Directory | (_options.RootMode & FileMode.PermissionMask),
            LinkCount = 2,
            Uid = _options.RootUid,
            Gid = _options.RootGid,
            AccessTime = now,
            ModifyTime = now,
            ChangeTime = now,
            BirthTime = now,
        });
        var device = new VaultMember
        {
            Id = _keys.DeviceId,
            Kind = MemberKind.Device,
            Number = _keys.DeviceNumber,
            Name = _keys.DeviceName,
            SigningPublicKey = _keys.Signer.PublicKey,
        };
        return VaultLog.Prepare(VaultState.BeforeGenesis(_keys), new CommitDraft { Rows = rows, Members = [new Enrol(device), .. _recovery.Changes, .. _passphrase?.Changes ?? [], .. _options.SingleWriter ? [new Appoint(device.Id)] : Array.Empty<MemberChange>()], Time = now }, _keys, _keys.Signer, _random);
    }

    private (ObjectName Name, byte[] Bytes) SealRecoverySlot() =>
        (VaultJoin.SlotName(SlotKind.Recovery, _recoverySecret, _header),
        _recovery.Seal(_keys, SlotKind.Recovery, [], _recoverySecret.Span, 0, new LogPin(1, _genesis.Hash), 0, _random));
}
