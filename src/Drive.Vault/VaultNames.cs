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

    /// <summary>What the names of all commits begin with.</summary>
    public const string LogPrefix = "log/";

    public static ObjectName Vault { get; } = new("vault");

    /// <summary>Says that a store holds a part of a vault only: its packs, or all but those.</summary>
    public static ObjectName Split { get; } = new("split");

    public static ObjectName Commit(int gen, long seq) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{LogPrefix}{gen}/{seq:d20}"));

    public static ObjectName Floor(long number) => new(string.Create(CultureInfo.InvariantCulture, $"floor/{number:d20}"));

    /// <summary>How the master key of an epoch was made known, for who has the one before.</summary>
    public static ObjectName KeyLink(int epoch) => new(string.Create(CultureInfo.InvariantCulture, $"keys/{epoch:d10}"));

    public static ObjectName Checkpoint(Bytes32 id) => new($"{CheckpointPrefix}{id}");

    /// <summary>The shard is the id's first byte: folders of stores that are file systems stay small.</summary>
    public static ObjectName Pack(PackId pack)
    {
        var id = pack.Value.ToString();
        return new($"{PackPrefix}{id.AsSpan(0, 2)}/{id}");
    }

    /// <summary>The pack of that name; null where it is no pack's.</summary>
    public static PackId? FindPack(ObjectName name)
    {
        ReadOnlySpan<char> text = name.Value;
        const int IdStart = 9; // "packs/", the shard, a slash
        Span<byte> id = stackalloc byte[Bytes32.Size];
        return text.Length == IdStart + (2 * Bytes32.Size) && Convert.FromHexString(text[IdStart..], id, out _, out _) == System.Buffers.OperationStatus.Done
            && Pack(new PackId(new Bytes32(id))) == name
            ? new PackId(new Bytes32(id))
            : null;
    }

    /// <summary>Whether an object of this name may be a vault's.</summary>
    public static bool IsOne(ObjectName name) =>
        name == Vault || name == Split || Array.Exists([SlotPrefix, PackPrefix, CheckpointPrefix, LogPrefix, "floor/", "keys/", "probe/"], prefix => name.Value.StartsWith(prefix, StringComparison.Ordinal));

    internal static ObjectName Slot(ReadOnlySpan<byte> id) => new(SlotPrefix + Convert.ToHexStringLower(id));
}
