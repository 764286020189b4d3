using System.Text;
using Drive.Core.History;
using Drive.Core.Rows;

namespace Drive.Vault.Log;

/// <summary>A state that has a name.</summary>
/// <param name="Name">Unique among the snapshots.</param>
/// <param name="Seq">The state after this commit.</param>
/// <param name="Time">What time it shows, in nanoseconds since 1970 UTC, by the clock of the device that named it.</param>
public sealed record VaultSnapshot(string Name, long Seq, long Time)
{
    /// <summary>The longest name in bytes of UTF-8: it must do as a file's name.</summary>
    public const int NameBytesMax = 255;

    /// <summary>Whether a name may be a snapshot's: 1 to 255 bytes, no slash, no control character, and neither "." nor "..".</summary>
    public static bool IsName(string name) =>
        !string.IsNullOrWhiteSpace(name) && name is not ("." or "..") && Encoding.UTF8.GetByteCount(name) <= NameBytesMax
        && !name.Any(static c => c == '/' || char.IsControl(c));
}

/// <summary>Why nothing is forgotten now.</summary>
/// <param name="Reason">For people.</param>
/// <param name="Seq">The commit that said so first.</param>
public sealed record RetentionFreeze(string Reason, long Seq);

/// <summary>A pack that no commit may name any more.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="Seq">The commit that condemned it.</param>
public sealed record CondemnedPack(PackId Pack, long Seq);

/// <summary>What the log has come to about history. Immutable, part of <see cref="VaultState"/>.</summary>
public sealed record VaultHistory
{
    /// <summary>Packs that may be on their way out at once: the state, which each commit saves, has them all. Some 8 GB. Arbitrary.</summary>
    public const int CondemnedMax = 1000;

    /// <summary>Kept states that one <see cref="Prune"/> may list. Arbitrary.</summary>
    public const int KeptMax = 10_000;

    /// <summary>Nothing was ever said about history.</summary>
    public static VaultHistory Empty { get; } = new();

    /// <summary>By name, in the order in which they were given.</summary>
    public IReadOnlyList<VaultSnapshot> Snapshots { get; init; } = [];

    /// <summary>Null: nobody has set one, and <see cref="RetentionRule.Default"/> holds.</summary>
    public RetentionRule? Retention { get; init; }

    /// <summary>Null: not frozen.</summary>
    public RetentionFreeze? Freeze { get; init; }

    /// <summary>Everything from here on is kept.</summary>
    public long PrunedBelow { get; init; }

    /// <summary>States below <see cref="PrunedBelow"/> that the last <see cref="Prune"/> kept, ascending; snapshots are kept besides.</summary>
    public IReadOnlyList<long> KeptSeqs { get; init; } = [];

    /// <summary>Packs on their way out, oldest condemnation first.</summary>
    public IReadOnlyList<CondemnedPack> Condemned { get; init; } = [];

    /// <summary>Which states history has.</summary>
    public KeptHistory Kept => new(PrunedBelow, KeptSeqs.Concat(Snapshots.Select(static snapshot => snapshot.Seq)));

    /// <summary>A snapshot by its name, or null.</summary>
    public VaultSnapshot? FindSnapshot(string name) => Snapshots.FirstOrDefault(snapshot => snapshot.Name == name);
}
