using Drive.Engine.Garbage;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <summary>How a round of <see cref="Volume.CollectGarbageAsync"/> goes.</summary>
public sealed record GarbageOptions
{
    /// <summary>Only count: nothing changes.</summary>
    public bool IsTrial { get; init; }
}

/// <summary>What a round of giving space back found and did. Sizes are of packs in the store, in bytes.</summary>
public sealed class GarbageReport
{
    /// <summary>The commit that the vault stood at in the end.</summary>
    public long Seq { get; set; }

    /// <summary>All packs that the log names and nobody has condemned, after what this round condemned.</summary>
    public long PackBytes { get; set; }

    /// <summary>What history and the tree need of them.</summary>
    public long NeededBytes { get; set; }

    /// <summary>What all packs in the store take, as the store lists them in the end.</summary>
    public long StoredBytes { get; set; }

    /// <summary>Packs that are needed and that the store does not have.</summary>
    public int MissingPacks { get; set; }

    /// <summary>Packs of which nothing is needed, condemned by this round or (in a trial) to be.</summary>
    public int UnneededPacks { get; set; }

    public long UnneededBytes { get; set; }

    /// <summary>Packs with so much waste that what is needed of them is moved.</summary>
    public int WastefulPacks { get; set; }

    public long WastefulBytes { get; set; }

    /// <summary>Packs from which everything was moved, and what that was.</summary>
    public int MovedPacks { get; set; }

    public long MovedBytes { get; set; }

    /// <summary>Rows of the past that the local database forgot.</summary>
    public long ForgottenRows { get; set; }

    public int SweptPacks { get; set; }

    public int DeletedPacks { get; set; }

    public long DeletedBytes { get; set; }

    /// <summary>Packs that are condemned and wait to be swept.</summary>
    public int CondemnedPacks { get; set; }

    /// <summary>The devices that are waited for before condemned packs are deleted.</summary>
    public IReadOnlyList<VaultMember> WaitsFor { get; set; } = [];

    /// <summary>The first commit that the log still has, but for the vault's very first.</summary>
    public long LogFrom { get; set; } = 1;

    /// <summary>Commits below a floor that were deleted.</summary>
    public long DeletedCommits { get; set; }

    /// <summary>In a trial: how many commits the next floor would let go.</summary>
    public long CommitsToCut { get; set; }

    public int DeletedCheckpoints { get; set; }

    /// <summary>Why the log was not cut though it should be: the store lacks a checkpoint, or a part of the log that a device which is away may still ask for.</summary>
    public string? LogProblem { get; set; }

    /// <summary>The devices that are waited for before the log is cut further.</summary>
    public IReadOnlyList<VaultMember> LogWaitsFor { get; set; } = [];

    /// <summary>Why nothing is forgotten and condemned; null: it is not frozen.</summary>
    public string? FrozenReason { get; set; }

    /// <summary>Whether this device does not know all of the past that the vault keeps, so that another one has to condemn.</summary>
    public bool IsPastUnknown { get; set; }

    /// <summary>What the store said when it refused to delete; null: it did not.</summary>
    public string? RefusedReason { get; set; }

    internal void Count(IReadOnlyList<PackShare> packs, IReadOnlyCollection<Core.Rows.PackId> wasteful)
    {
        List<PackShare> unneeded = [.. packs.Where(static pack => pack.NeededBytes == 0)];
        PackBytes = packs.Sum(static pack => pack.Length);
        NeededBytes = PackBytes - packs.Sum(static pack => pack.WasteBytes);
        UnneededPacks += unneeded.Count;
        UnneededBytes += unneeded.Sum(static pack => pack.Length);
        WastefulPacks = wasteful.Count;
        WastefulBytes = packs.Where(pack => wasteful.Contains(pack.Pack)).Sum(static pack => pack.WasteBytes);
    }
}
