using Drive.Core;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine.Tree;

/// <summary>
/// The rows of a commit of the log against a local database. A commit that a member signed may still make no sense: that is an error of its object, and nothing of it is taken over.
/// </summary>
internal static class CommitRows
{
    /// <summary>Rows that end, whole instead of keys only.</summary>
    public static RowChanges Resolve(MetadataStore metadata, RowChanges keysOnly, ObjectName commit)
    {
        RowChanges rows = metadata.ResolveClosed(keysOnly) ?? throw new VaultIntegrityException(commit.Value, IntegrityKind.Rule, "ends a row that the tree does not have");
        return FindMissingBlock(metadata, rows) is null ? rows : throw new VaultIntegrityException(commit.Value, IntegrityKind.Rule, "names a block that the vault does not have");
    }

    /// <summary>An extent that names a block of which neither the commit nor the vault says where it lies, or that lies in a condemned pack; null where there is none.</summary>
    public static ExtentRow? FindMissingBlock(MetadataStore metadata, RowChanges rows)
    {
        if (rows.Opened.Extents.Count == 0 || Mistakes.Has(Mistake.CondemnedPackNamed))
        {
            return null;
        }

        HashSet<BlockId> brought = [.. rows.Blocks.Select(static block => block.Block)];
        return rows.Opened.Extents.Find(extent => !brought.Contains(extent.Block) && metadata.FindBlock(extent.Block) is null);
    }

    /// <summary>Takes the commit over, with some settings in the same transaction.</summary>
    public static void Apply(MetadataStore metadata, ObjectName commit, CommitNote note, RowChanges rows, IEnumerable<(string Key, byte[]? Value)> settings)
    {
        try
        {
            metadata.ApplyCommit(note, rows, settings);
        }
        catch (Exception error) when (IsMisfit(error))
        {
            throw new VaultIntegrityException(commit.Value, IntegrityKind.Rule, "is signed, and does not fit the tree that it follows", error);
        }
    }

    /// <summary>What is kept of a commit besides its rows.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="self">This device.</param>
    public static CommitNote NoteOf(CommitContent commit, DeviceId self) => NoteOf(new MomentRow(commit.Seq, commit.Time, commit.Device), commit.Packs, commit.History, self);

    /// <summary>The same of a commit that this device makes.</summary>
    public static CommitNote NoteOf(Attempt attempt, CommitDraft draft, DeviceId self) => NoteOf(new MomentRow(attempt.Seq, draft.Time, self), draft.Packs, draft.History, self);

    private static CommitNote NoteOf(MomentRow moment, IReadOnlyList<PackRef> packs, IReadOnlyList<HistoryChange> history, DeviceId self) => new(moment)
    {
        Packs = [.. packs.Select(static pack => new PackRow(pack.Pack, pack.Length))],
        Condemned = [.. history.OfType<Condemn>().SelectMany(static condemn => condemn.Packs)],
        Swept = [.. history.OfType<Swept>().SelectMany(static swept => swept.Packs)],
        IsSweptHere = moment.Device == self,
    };

    /// <summary>Whether the database refused rows: one opened twice, or closed that is not there.</summary>
    public static bool IsMisfit(Exception error) => error is (InvalidOperationException or ArgumentException) and not ObjectDisposedException;

    /// <summary>The number of a device's next node, as far as rows tell which it gave: who lost its local state, or was put back to an older one, finds them in the log.</summary>
    public static ulong NextCounter(int deviceNumber, IEnumerable<NodeRow> rows, ulong known)
    {
        ulong first = NodeId.Compose(deviceNumber, 0).Value;
        ulong end = NodeId.Compose(deviceNumber + 1, 0).Value;
        foreach (NodeRow row in rows)
        {
            if (row.Node.Value >= first && row.Node.Value < end)
            {
                known = Math.Max(known, row.Node.Value - first + 1);
            }
        }

        return known;
    }
}
