using Drive.Core.History;
using Drive.Core.Rows;

namespace Drive.Vault.Log;

/// <summary>What a commit changes about history: what is kept of it, and which packs go. <see cref="HistoryRules"/> says when each is valid.</summary>
public abstract record HistoryChange;

/// <summary>Keeps a state under a name until the name is dropped.</summary>
/// <param name="Name">See <see cref="VaultSnapshot.IsName"/>; no other snapshot has it.</param>
/// <param name="Seq">The state after this commit, at most the one that says so; history still has it.</param>
/// <param name="Time">What time it shows, in nanoseconds since 1970 UTC. Information for people.</param>
public sealed record NameSnapshot(string Name, long Seq, long Time) : HistoryChange;

/// <summary>The name no longer keeps its state.</summary>
public sealed record DropSnapshot(string Name) : HistoryChange;

/// <summary>The vault's rule of what history keeps, for all devices.</summary>
public sealed record SetRetention(RetentionRule Rule) : HistoryChange;

/// <summary>From here on nothing is forgotten and no pack goes, until somebody thaws. The first reason stays.</summary>
/// <param name="Reason">For people.</param>
public sealed record FreezeRetention(string Reason) : HistoryChange
{
    /// <summary>The longest reason, in bytes of UTF-8.</summary>
    public const int ReasonBytesMax = HistoryRules.ReasonBytesMax;
}

/// <summary>Forgetting may go on.</summary>
public sealed record ThawRetention : HistoryChange;

/// <summary>Forgets the states below a seq, but for some and those that have a name.</summary>
/// <param name="Below">Everything from here on stays; at most the seq of the commit itself, never less than before.</param>
/// <param name="Kept">States below that stay, ascending; all of them are still kept before this.</param>
public sealed record Prune(long Below, IReadOnlyList<long> Kept) : HistoryChange;

/// <summary>
/// Packs without any block that a kept row needs: from here on no commit may name them, and the vault forgets where their blocks lay. The commit may say where blocks
/// of them lie now, and changes nothing else of the tree.
/// </summary>
public sealed record Condemn(IReadOnlyList<PackId> Packs) : HistoryChange;

/// <summary>Condemned packs that no device can need any more, since each has committed above their condemnation, or lapsed. After this commit they are deleted.</summary>
public sealed record Swept(IReadOnlyList<PackId> Packs) : HistoryChange;

/// <summary>A person's word that a device which was silent for long is not waited for. Its next commit ends that.</summary>
public sealed record Lapse(DeviceId Device) : HistoryChange;
