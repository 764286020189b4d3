using Drive.Vault;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Fuzzing.Targets;

/// <summary>Floors: as objects of the store, and as bodies sealed and signed by a member.</summary>
internal sealed class FloorTarget : FuzzTarget
{
    private readonly SealedVault _vault = new();

    public FloorTarget()
    {
        using ByteWriter writer = new();
        RefCodec.Write(writer, new FloorRef(1, 1, new CheckpointRef(SealedVault.Id(9), 1, SealedVault.Id(8), SealedVault.Id(7))));
        byte[] body = writer.ToArray();
        Seeds = [[0, .. _vault.Sign(ObjectClass.Floor, body, out _)], [1, .. body]];
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

        byte[] floor = input[0] % 2 == 0 ? input[1..] : _vault.Sign(ObjectClass.Floor, input[1..], out _);
        SealedVault.Expect(async () =>
        {
            VaultLog log = new(SealedVault.StoreWith(VaultNames.Floor(1), floor), _vault.Keys, _vault.Random);
            await log.ReadNextAsync(_vault.State, static rows => rows, default);
        });
    }

    protected override void Close() => _vault.Dispose();
}
