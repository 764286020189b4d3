using System.Reflection;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault.Keys;
using Drive.Vault.Packs;
using Drive.Vault.Sealing;

namespace Drive.Vault.Tests.Sealing;

/// <summary>Fixed keys give fixed bytes: what is written here must open for ever. Signatures are random and stand outside.</summary>
public sealed class GoldenTests
{
    [Fact]
    public void The_vault_object_has_these_bytes()
    {
        Assert.Equal(
            "4452565641554c54" + "0001" + "01" + "00" + Repeat("11", 32) + "eae9a7acd01401ce205dee96b973d7f408c0ea6873a2eea4b4cc292dea0162f8",
            Convert.ToHexStringLower(new VaultHeader(Fill(0x11)).Encode()));
    }

    [Fact]
    public void Derived_keys_have_these_bytes()
    {
        using VaultKeys keys = FixedKeys();
        Assert.Equal("3491fec0bca1790fe779122c05614f1de52d6c187faa915edcbee3175f0db902", Convert.ToHexStringLower(keys.SubKey(1, Labels.Pack)));
        Assert.Equal("b7c5745504c3a4ff19aaedfb957aafcf0e63a65eef5c9de85ebeb1b56271c267", keys.IdentifyBlock("hello"u8).Value.ToString());
        Assert.Equal("6dd3158e97baeb42af61beec18daa6618e55731c84effe75eec2aebfffc0f32f", Convert.ToHexStringLower(keys.DeriveLocalKey("cache")));
    }

    [Fact]
    public void A_pack_has_these_bytes_and_they_open()
    {
        using VaultKeys keys = FixedKeys();
        using var writer = new PackWriter(keys, new Constant(0x55));
        BlockRow row = writer.Add(keys.IdentifyBlock("hello"u8), "hello"u8, Effort.Quick);
        byte[] pack = writer.Finish().ToArray();
        const string Header = "4452564f" + "01" + "02";
        Assert.Equal(
            Header + Repeat("11", 32) + "00000001" + Repeat("55", 32) + "f33bbd6f68e97b32f21b47e1e98aad3bea5fc6535eda08e90b30f4b087c17c2a7c60cc4422e6252ce954d54641da21b696d1687b34e2120cf076792f85fa7362283a3a1d141b841de3b8fd70382ecf512c0c7beddd67a9743da8f3304676a6c15a4c99eb7d2ff30000000100000032",
            Convert.ToHexStringLower(pack));
        using var reader = new PackReader(keys);
        Assert.Single(reader.VerifyPack(writer.Id, pack));
        Assert.Equal([(5 + 16) << 1], row.Segments);
    }

    [Fact]
    public void A_slot_has_these_bytes_and_they_open()
    {
        byte[] slot = Slot.Seal(SlotKind.Recovery, new VaultHeader(Fill(0x11)), [], Fill(0x66).AsSpan(), 0, "payload"u8, new Constant(0x77));
        Assert.Equal("44525653" + "01" + "02" + Repeat("11", 32) + "00000000" + Repeat("77", 32) + "5e66c0fe2773f39a7e850b2228ce092f626e393c62481c8a5b1ab939cbdd786bf2686bf62f0d9508baae90dd9740bdc182f73b961289a5", Convert.ToHexStringLower(slot));
        Assert.Equal("payload"u8.ToArray(), Slot.Open(slot, SlotKind.Recovery, Fill(0x11), [], Fill(0x66).AsSpan(), "slot"));
    }

    [Fact]
    public void A_recovery_key_is_written_like_this()
    {
        string text = SecretText.Recovery.Format(Fill(0x66).AsSpan());
        Assert.Equal("CSK6C-SK6CS-K6CSK-6CSK6-CSK6C-SK6CS-K6CSK-6CSK6-CSK6C-SK6CS-KBNGR", text);
        using SecretBytes parsed = SecretText.Recovery.Parse(text);
        Assert.Equal(Fill(0x66), new Bytes32(parsed.Span));
    }

    [Fact]
    public void The_state_hash_of_one_row_is_this()
    {
        using VaultKeys keys = FixedKeys();
        var changes = new RowChanges();
        changes.Opened.Entries.Add(new EntryRow(new(1), "hello"u8.ToArray(), new(2), 0));
        Assert.Equal("73af0558e6aacca09b9c4319985a5912525b808c15c5e3002b64bb5d8c9f1ba2", StateHash.Update(default, changes, keys).ToString());
    }

    [Fact]
    public void Every_label_has_one_purpose()
    {
        List<string> labels = [.. typeof(Labels).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!)];
        Assert.True(labels.Count > 12);
        Assert.Equal(labels.Count, labels.Distinct().Count());

        // Labels of sub keys stand behind the prefix: with it, none may be another's, nor begin like the keys of the local disk.
        string[] sub = [Labels.Pack, Labels.Commit, Labels.CheckpointPart, Labels.CheckpointManifest, Labels.Floor, Labels.Dedup, Labels.State];
        string[] full = [.. sub.Select(label => Labels.SubKeyPrefix + label), .. labels.Where(label => label.StartsWith(Labels.SubKeyPrefix, StringComparison.Ordinal) && label != Labels.SubKeyPrefix)];
        Assert.Equal(full.Length, full.Distinct().Count());
        Assert.DoesNotContain(full, label => label != Labels.LocalKeyPrefix && label.StartsWith(Labels.LocalKeyPrefix, StringComparison.Ordinal));
    }

    [Fact]
    public void Packs_of_an_older_key_epoch_stay_readable_and_those_of_an_unknown_one_are_refused()
    {
        using VaultKeys old = FixedKeys();
        using VaultKeys rotated = FixedKeys(secondEpoch: true);
        foreach ((VaultKeys by, bool readableByOld) in new[] { (old, true), (rotated, false) })
        {
            using var writer = new PackWriter(by, SystemRandomSource.Instance);
            BlockRow row = writer.Add(by.IdentifyBlock("hello"u8), "hello"u8, Effort.Quick);
            byte[] pack = writer.Finish().ToArray();
            byte[] stored = pack.AsSpan((int)row.PackOffset, BlockSegments.StoredLengthOf(row, 0)).ToArray();
            using var reader = new PackReader(rotated);
            for (int i = 0; i < 2; i++)
            {
                var plain = new byte[5];
                reader.OpenSegment(row, 0, stored, plain);
                Assert.Equal("hello"u8.ToArray(), plain);
                Assert.Single(reader.VerifyPack(writer.Id, pack));
            }

            if (!readableByOld)
            {
                using var oldReader = new PackReader(old);
                Assert.Equal(IntegrityKind.Seal, Assert.Throws<VaultIntegrityException>(() => oldReader.OpenSegment(row, 0, stored, new byte[5])).Kind);
                Assert.Equal(IntegrityKind.KeyEpoch, Assert.Throws<VaultIntegrityException>(() => oldReader.VerifyPack(writer.Id, pack)).Kind);
            }
        }
    }

    private static SortedList<int, SecretBytes> MasterKeys(bool secondEpoch)
    {
        SortedList<int, SecretBytes> keys = new() { [1] = new SecretBytes(Fill(0x22).AsSpan()) };
        if (secondEpoch)
        {
            keys.Add(2, new SecretBytes(Fill(0x23).AsSpan()));
        }

        return keys;
    }

    private static VaultKeys FixedKeys(bool secondEpoch = false) => new(
        new VaultHeader(Fill(0x11)), default, MasterKeys(secondEpoch), 1, "desk", SigningKey.Create(new DeviceId(new string('0', 32))),
        new SecretBytes(Fill(0x33).AsSpan()), new SecretBytes(Fill(0x44).AsSpan()));

    private static Bytes32 Fill(byte value) => new([.. Enumerable.Repeat(value, 32)]);

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    private sealed class Constant(byte value) : IRandomSource
    {
        public void Fill(Span<byte> destination) => destination.Fill(value);
    }
}
