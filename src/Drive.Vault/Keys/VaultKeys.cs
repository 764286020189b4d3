using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>
/// All that this device needs to use its vault: who the vault is, the master key of each key epoch, and the device's own keys.
/// Secrets lie in pinned memory and are zeroed when disposed. Any number of threads may use it.
/// </summary>
public sealed partial class VaultKeys : IDisposable
{
    /// <summary>Dedup ids and the state hash outlive key rotation, so their keys come from the first epoch for good.</summary>
    private const int IdentityEpoch = 1;

    private volatile SortedList<int, SecretBytes> _masterKeys;
    private readonly ConcurrentDictionary<(int Epoch, string Label), SecretBytes> _subKeys = [];
    private readonly SecretBytes _deviceSecret;
    private readonly SecretBytes _accountSecret;

    internal VaultKeys(
        VaultHeader header, Bytes32 genesisHash, SortedList<int, SecretBytes> masterKeys, int deviceNumber, string deviceName, SigningKey signer, SecretBytes deviceSecret, SecretBytes accountSecret)
    {
        VaultId = header.VaultId;
        HeaderHash = header.Hash();
        GenesisHash = genesisHash;
        _masterKeys = masterKeys;
        DeviceNumber = deviceNumber;
        DeviceName = deviceName;
        Signer = signer;
        _deviceSecret = deviceSecret;
        _accountSecret = accountSecret;
    }

    public Bytes32 VaultId { get; }

    /// <summary>Hash of the object <c>vault</c>; part of every key's derivation.</summary>
    public Bytes32 HeaderHash { get; }

    /// <summary>Hash of the vault's first commit: with it, no other history can be passed off as this vault's.</summary>
    public Bytes32 GenesisHash { get; internal set; }

    public DeviceId DeviceId => Signer.Device;

    /// <summary>Unique in the vault, from 1; the upper part of the node ids that this device makes.</summary>
    public int DeviceNumber { get; internal set; }

    public string DeviceName { get; }

    /// <summary>The newest key epoch that this device has a key of.</summary>
    public int KeyEpoch => _masterKeys.Keys[^1];

    internal SigningKey Signer { get; }

    internal IEnumerable<int> EpochsNewestFirst => _masterKeys.Keys.Reverse();

    internal ReadOnlySpan<byte> AccountSecret => _accountSecret.Span;

    /// <summary>32 bytes from the device's own secret: keys for the local database, dirty log and cache. The caller zeroes them.</summary>
    public byte[] DeriveLocalKey(string label)
    {
        ArgumentException.ThrowIfNullOrEmpty(label);
        Span<byte> prk = stackalloc byte[Bytes32.Size];
        HKDF.Extract(HashAlgorithmName.SHA256, _deviceSecret.Span, VaultId.AsSpan(), prk);
        byte[] key = GC.AllocateArray<byte>(Bytes32.Size, pinned: true);
        HKDF.Expand(HashAlgorithmName.SHA256, prk, key, Encoding.UTF8.GetBytes(Labels.LocalKeyPrefix + label));
        CryptographicOperations.ZeroMemory(prk);
        return key;
    }

    /// <summary>The dedup id: HMAC-SHA256 of the plaintext under a key of the vault, so that nobody outside can test for known content.</summary>
    public BlockId IdentifyBlock(ReadOnlySpan<byte> plain)
    {
        Span<byte> id = stackalloc byte[Bytes32.Size];
        HMACSHA256.HashData(SubKey(IdentityEpoch, Labels.Dedup), plain, id);
        return new BlockId(new Bytes32(id));
    }

    public void Dispose()
    {
        foreach (SecretBytes key in _masterKeys.Values.Concat(_subKeys.Values))
        {
            key.Dispose();
        }

        Signer.Dispose();
        _deviceSecret.Dispose();
        _accountSecret.Dispose();
    }

    internal bool HasEpoch(int epoch) => _masterKeys.ContainsKey(epoch);

    internal ReadOnlySpan<byte> StateKey() => SubKey(IdentityEpoch, Labels.State);

    /// <summary>
    /// The key of one purpose under one epoch's master key:
    /// Expand(Extract(salt = vault id, master key), "drive/1/" ‖ label ‖ u32 epoch ‖ H(vault header)).
    /// </summary>
    internal ReadOnlySpan<byte> SubKey(int epoch, string label)
    {
        if (!_subKeys.TryGetValue((epoch, label), out SecretBytes? key))
        {
            SecretBytes derived = Derive(epoch, label);
            key = _subKeys.GetOrAdd((epoch, label), derived);
            if (!ReferenceEquals(key, derived))
            {
                derived.Dispose();
            }
        }

        return key.Span;
    }

    internal void WriteMasterKeys(ByteWriter writer)
    {
        writer.Count(_masterKeys.Count);
        foreach ((int epoch, SecretBytes key) in _masterKeys)
        {
            writer.Count(epoch);
            writer.Raw(key.Span);
        }
    }

    internal static SortedList<int, SecretBytes> ReadMasterKeys(ref ByteReader reader)
    {
        SortedList<int, SecretBytes> keys = [];
        int count = reader.Items(1 + Bytes32.Size);
        for (int i = 0; i < count; i++)
        {
            int epoch = reader.Count32(1, int.MaxValue);
            if (!keys.TryAdd(epoch, new SecretBytes(reader.Raw(Bytes32.Size))))
            {
                throw reader.Malformed("a key epoch stands twice");
            }
        }

        return keys.ContainsKey(IdentityEpoch) ? keys : throw reader.Malformed("the first key epoch is missing");
    }

    private SecretBytes Derive(int epoch, string label)
    {
        using var info = new ByteWriter();
        info.Raw(Encoding.ASCII.GetBytes(Labels.SubKeyPrefix + label));
        info.Fixed32((uint)epoch);
        info.Raw(HeaderHash);
        Span<byte> prk = stackalloc byte[Bytes32.Size];
        HKDF.Extract(HashAlgorithmName.SHA256, _masterKeys[epoch].Span, VaultId.AsSpan(), prk);
        var key = new SecretBytes(Bytes32.Size);
        HKDF.Expand(HashAlgorithmName.SHA256, prk, key.Span, info.Written);
        CryptographicOperations.ZeroMemory(prk);
        return key;
    }
}
