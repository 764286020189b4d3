using System.Buffers.Binary;
using Drive.Stores.Memory;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Sealing;
using Drive.Vault;

namespace Drive.Fuzzing.Targets;

/// <summary>Floors: as objects of the store, and as bodies sealed and signed by a member.</summary>
internal sealed class FloorTarget : FuzzTarget
{
    private readonly SealedVault _vault = new();
    private readonly byte[] _later;

    public FloorTarget()
    {
        using ByteWriter writer = new();
        RefCodec.Write(writer, new FloorRef(1, 1, new CheckpointRef(SealedVault.Id(9), 1, SealedVault.Id(8), SealedVault.Id(7))));
        byte[] body = writer.ToArray();
        using ByteWriter link = new();
        RefCodec.Write(link, new KeyRotation(2, new byte[WrappingKey.PublicKeyBytes], SealedVault.Id(6), [new WrappedKey(_vault.Keys.DeviceId, new byte[WrappingKey.WrappedBytes])]));

        // Nobody can open it; but its header says which key a reader has to learn first.
        _later = _vault.Sign(ObjectClass.Floor, body, out _);
        BinaryPrimitives.WriteUInt32BigEndian(_later.AsSpan(38), 2);
        Seeds = [[0, .. _vault.Sign(ObjectClass.Floor, body, out _)], [1, .. body], [2, .. link.ToArray()]];
    }

    public override string Name => "floor";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override int LengthMax => 1024;

    public override IReadOnlyList<byte[]> Dictionary { get; } = [[1], [0], new byte[32], "DRVO"u8.ToArray()];

    public override long AllocationMax(int inputBytes) => (256 << 10) + (256L * inputBytes);

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        bool isLink = input[0] % 3 == 2;
        byte[] floor = isLink ? _later : input[0] % 3 == 0 ? input[1..] : _vault.Sign(ObjectClass.Floor, input[1..], out _);
        SealedVault.Expect(async () =>
        {
            MemoryStore store = SealedVault.StoreWith(VaultNames.Floor(1), floor);
            if (isLink)
            {
                await store.PutIfAbsentAsync(VaultNames.KeyLink(2), SealedBody.Seal(_vault.Keys, 1, ObjectClass.KeyLink, _vault.Random, [], input.AsSpan(1), 0, out _), default);
            }

            try
            {
                VaultLog log = new(store, _vault.Keys, _vault.Random);
                await log.ReadNextAsync(_vault.State, static rows => rows, default);
            }
            catch (VaultException error) when (error.Kind == VaultErrorKind.NotMember && isLink)
            {
                // A rotation that leaves this device out says that it was revoked.
            }
        });
    }

    protected override void Close() => _vault.Dispose();
}
