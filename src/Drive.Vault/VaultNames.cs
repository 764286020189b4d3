using System.Globalization;
using Drive.Core.Rows;
using Drive.Core.Stores;

namespace Drive.Vault;

/// <summary>The names of a vault's objects. Flat, lower-case, the longest has 76 characters.</summary>
public static class VaultNames
{
    public const string SlotPrefix = "slots/";
    public const string PackPrefix = "packs/";
    public const string CheckpointPrefix = "checkpoints/";

    public static ObjectName Vault { get; } = new("vault");

    public static ObjectName Commit(int gen, long seq) =>
        new(string.Create(CultureInfo.InvariantCulture, $"log/{gen}/{seq:d20}"));

    public static ObjectName Floor(long number) => new(string.Create(CultureInfo.InvariantCulture, $"floor/{number:d20}"));

    public static ObjectName Checkpoint(Bytes32 id) => new($"{CheckpointPrefix}{id}");

    /// <summary>The shard is the id's first byte: folders of stores that are file systems stay small.</summary>
    public static ObjectName Pack(PackId pack)
    {
        var id = pack.Value.ToString();
        return new($"{PackPrefix}{id.AsSpan(0, 2)}/{id}");
    }

    internal static ObjectName Slot(ReadOnlySpan<byte> id) => new(SlotPrefix + Convert.ToHexStringLower(id));
}
