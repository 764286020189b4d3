using Drive.Vault;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Fuzzing.Targets;

/// <summary>Key slots: the object with its header, the payload sealed under the recovery key, and this device's exported keys.</summary>
internal sealed class SlotTarget : FuzzTarget
{
    private readonly SealedVault _vault = new();
    private readonly byte[] _key = new byte[32];

    public SlotTarget()
    {
        using ByteWriter payload = new();
        SlotPayload.Write(payload, _vault.Keys, new LogPin(1, SealedVault.Id(2)), 0, _vault.Keys.Signer);
        byte[] body = payload.ToArray();
        Seeds = [[0, .. Sealed(body)], [1, .. body], [2, .. _vault.Keys.Export()], [3, .. new VaultHeader(_vault.Keys.VaultId).Encode()]];
    }

    public override string Name => "slot";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override int LengthMax => 2048;

    public override IReadOnlyList<byte[]> Dictionary { get; } = ["DRVS"u8.ToArray(), "DRVVAULT"u8.ToArray(), [1], [0], new byte[32]];

    public override long AllocationMax(int inputBytes) => (256 << 10) + (256L * inputBytes);

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        byte[] rest = input[1..];
        switch (input[0] % 4)
        {
            case 0:
                Open(rest);
                break;
            case 1:
                Open(Sealed(rest));
                break;
            case 2:
                Expect(() => VaultKeys.Import(rest).Dispose());
                break;
            default:
                Expect(() => VaultHeader.Decode(rest));
                break;
        }
    }

    protected override void Close() => _vault.Dispose();

    private byte[] Sealed(byte[] payload) =>
        Slot.Seal(SlotKind.Recovery, new VaultHeader(_vault.Keys.VaultId), [], _key, 0, payload, _vault.Random);

    private void Open(byte[] slot) => Expect(() =>
    {
        byte[] payload = Slot.Open(slot, SlotKind.Recovery, _vault.Keys.VaultId, [], _key, "fuzzed");
        SlotPayload.Read(payload, "fuzzed").Dispose();
    });

    private static void Expect(Action parse)
    {
        try
        {
            parse();
        }
        catch (Exception error) when (error is VaultIntegrityException or VaultException)
        {
        }
    }
}
