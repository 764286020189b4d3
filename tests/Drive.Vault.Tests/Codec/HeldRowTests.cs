using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Vault.Checkpoints;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Vault.Tests.Codec;

/// <summary>Rows of checkpoints with their spans, and the manifest that names them.</summary>
public sealed class HeldRowTests
{
    private static readonly NodeRow Folder = new() { Node = NodeId.Root, Mode = FileMode.Directory | 0x1ED, LinkCount = 17 };
    private static readonly EntryRow Hello = new(NodeId.Root, "hello"u8.ToArray(), new NodeId(0x85), 0);
    private static readonly ExtentRow Extent = new(new NodeId(2), 1_048_576, 300, new BlockId(Fill(0xAA)), 7);
    private static readonly XattrRow Xattr = new(new NodeId(2), "user.a"u8.ToArray(), "xyz"u8.ToArray());

    [Fact]
    public void They_have_these_bytes_for_ever()
    {
        const string FolderHex = "01" + "ed8301" + "000000" + "00" + "0000000000000000" + "00000000";
        const string ExtentHex = "02" + "808040" + "ac02" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + "07";
        Assert.Equal("21" + "ac02" + FolderHex, Encode(w => HeldRowStream.Write(w, new Held<NodeRow>(Folder, 300))));
        Assert.Equal("31" + "ac02" + "05" + FolderHex + "11", Encode(w => HeldRowStream.Write(w, new Held<NodeRow>(Folder, 300, 305))));
        Assert.Equal("22" + "01" + "010568656c6c6f8501", Encode(w => HeldRowStream.Write(w, new Held<EntryRow>(Hello, 1))));
        Assert.Equal("32" + "01" + "01" + "010568656c6c6f8501", Encode(w => HeldRowStream.Write(w, new Held<EntryRow>(Hello, 1, 2))));
        Assert.Equal("23" + "02" + ExtentHex, Encode(w => HeldRowStream.Write(w, new Held<ExtentRow>(Extent, 2))));
        Assert.Equal("33" + "02" + "8001" + ExtentHex, Encode(w => HeldRowStream.Write(w, new Held<ExtentRow>(Extent, 2, 130))));
        Assert.Equal("24" + "03" + "0206757365722e610378797a", Encode(w => HeldRowStream.Write(w, new Held<XattrRow>(Xattr, 3))));
        Assert.Equal("34" + "03" + "04" + "0206757365722e610378797a", Encode(w => HeldRowStream.Write(w, new Held<XattrRow>(Xattr, 3, 7))));
        Assert.Equal("36" + new string('c', 64) + "e807", Encode(w => HeldRowStream.Write(w, new PackRow(new PackId(Fill(0xCC)), 1000))));
        Assert.Equal("37" + "05" + "1765432112345678" + new string('d', 32), Encode(w => HeldRowStream.Write(w, new MomentRow(5, 0x1765432112345678, new DeviceId(new string('d', 32))))));
    }

    [Fact]
    public void They_come_back_as_they_were()
    {
        using ByteWriter present = new();
        HeldRowStream.Write(present, new Held<NodeRow>(Folder with { LinkCount = 2 }, 4));
        HeldRowStream.Write(present, new Held<XattrRow>(Xattr, 9));
        var reader = new ByteReader(present.Written, "test");
        (HeldRows rows, _) = HeldRowStream.ReadPresent(ref reader, 9);
        Assert.Equal(new Held<NodeRow>(Folder with { LinkCount = 2 }, 4), Assert.Single(rows.Nodes));
        Assert.Equal((9, Epochs.Open), (Assert.Single(rows.Xattrs).From, rows.Xattrs[0].To));

        using ByteWriter ended = new();
        HeldRowStream.Write(ended, new Held<NodeRow>(Folder, 4, 9));
        HeldRowStream.Write(ended, new MomentRow(9, -5, new DeviceId(new string('d', 32))));
        reader = new ByteReader(ended.Written, "test");
        PastRows past = HeldRowStream.ReadPast(ref reader, 9);
        Assert.Equal(new Held<NodeRow>(Folder, 4, 9), Assert.Single(past.Ended.Nodes));
        Assert.Equal(-5, Assert.Single(past.Moments).Time);
    }

    /// <summary>At commit 9: rows that began later, ended later or before they began, and those of the other kind of part.</summary>
    [Theory]
    [InlineData("2200010568656c6c6f8501", true)]
    [InlineData("220a010568656c6c6f8501", true)]
    [InlineData("320101010568656c6c6f8501", true)]
    [InlineData("02010568656c6c6f8501", true)]
    [InlineData("320100010568656c6c6f8501", false)]
    [InlineData("320901010568656c6c6f8501", false)]
    [InlineData("3201ffffffffffffffff7f010568656c6c6f8501", false)]
    [InlineData("2201010568656c6c6f8501", false)]
    [InlineData("370a0000000000000000dddddddddddddddddddddddddddddddd", false)]
    [InlineData("35", false)]
    public void Spans_that_cannot_be_are_refused(string hex, bool isPresent) => Assert.Equal(IntegrityKind.Malformed, Assert.Throws<VaultIntegrityException>(() =>
    {
        var reader = new ByteReader(Convert.FromHexString(hex), "test");
        if (isPresent)
        {
            HeldRowStream.ReadPresent(ref reader, 9);
        }
        else
        {
            HeldRowStream.ReadPast(ref reader, 9);
        }
    }).Kind);

    [Fact]
    public async Task A_manifest_has_these_bytes_for_ever_and_one_of_version_1_is_read()
    {
        using TestVault vault = await TestVault.CreateAsync();
        string state = Convert.ToHexStringLower(vault.State.Encode());
        string sized = Encode(w => w.Sized(vault.State.Encode()));
        const string Part = "1111111111111111111111111111111111111111111111111111111111111111" + "2222222222222222222222222222222222222222222222222222222222222222" + "e807";
        CheckpointPart part = new(Fill(0x11), Fill(0x22), 1000);
        CheckpointManifest manifest = new() { State = vault.State, Parts = [part], KnownFrom = 1, PastParts = [part, part] };
        string hex = Encode(manifest.Write);
        Assert.Equal("02" + sized + "01" + Part + "01" + "02" + Part + Part, hex);
        CheckpointManifest read = CheckpointManifest.Read(Convert.FromHexString(hex), "test");
        Assert.Equal((true, 1, 2), (read.HasSpans, read.KnownFrom, read.PastParts.Count));
        Assert.Equal(state, Convert.ToHexStringLower(read.State.Encode()));

        CheckpointManifest old = CheckpointManifest.Read(Convert.FromHexString("01" + sized + "01" + Part), "test");
        Assert.Equal((false, vault.State.Seq, 0), (old.HasSpans, old.KnownFrom, old.PastParts.Count));
        Assert.Equal(part, Assert.Single(old.Parts));
        foreach (string other in new[] { "03" + hex[2..], "01" + hex[2..], hex + "00", hex[..^2], "02" + sized + "01" + Part + "00" + "00", "02" + sized + "01" + Part + "02" + "00" })
        {
            Assert.Throws<VaultIntegrityException>(() => CheckpointManifest.Read(Convert.FromHexString(other), "test"));
        }
    }

    private static Bytes32 Fill(byte value) => new(Enumerable.Repeat(value, 32).ToArray());

    private static string Encode(Action<ByteWriter> write)
    {
        using ByteWriter writer = new();
        write(writer);
        return Convert.ToHexStringLower(writer.Written);
    }
}
