using Drive.Core;
using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Vault.Log;

/// <summary>
/// The state after a commit, or why it may not follow: a pure function, the same for the author and every reader. Proofs of bytes
/// (seal, signature) and of rows (state hash) are elsewhere.
/// </summary>
internal static class CommitRules
{
    public static VaultState Apply(VaultState state, CommitContent commit, Bytes32 commitHash, string objectName)
    {
        CheckPlace(state, commit, objectName);
        // The first commit brings its own author in; the pinned genesis hash, not this rule, makes it the right one.
        VaultState before = state.Seq == 0 ? MemberRules.Apply(state, commit, objectName) : state;
        VaultMember author = before.Members.FirstOrDefault(member => member.Id == commit.Device && (member.Active || Mistakes.Has(Mistake.RevokedSignerAccepted)))
            ?? throw Fail(objectName, IntegrityKind.Signer, "its author is no active member");
        CheckAuthor(state, author, commit, objectName);
        VaultState after = state.Seq == 0 ? before : MemberRules.Apply(state, commit, objectName);
        after = HistoryRules.Apply(after, commit, objectName);
        return CheckpointRules.Apply(after with
        {
            Seq = commit.Seq,
            Head = commitHash,
            Members = [.. after.Members.Select(member => member.Id == commit.Device
                ? member with { Incarnation = commit.Incarnation, LastOpSeq = commit.DeviceOpSeq, LastTime = commit.Time, LastSeq = commit.Seq, IsLapsed = false }
                : member)],
            Writer = ApplyWriter(state, commit, objectName),
            StateHash = commit.StateHash,
        }, commit, objectName);
    }

    /// <summary>Whose signature the commit must bear.</summary>
    public static VaultMember? FindAuthor(VaultState state, CommitContent commit) => state.Seq > 0
        ? state.FindMember(commit.Device)
        : commit.Members.OfType<Enrol>().Select(enrol => enrol.Member).FirstOrDefault(member => member.Id == commit.Device);

    private static void CheckPlace(VaultState state, CommitContent commit, string objectName)
    {
        if (commit.VaultId != state.VaultId)
        {
            throw Fail(objectName, IntegrityKind.WrongVault, "a commit of another vault");
        }

        if ((commit.Gen != state.Gen || commit.Seq != state.Seq + 1) && !Mistakes.Has(Mistake.SeqNotChecked))
        {
            throw Fail(objectName, IntegrityKind.Position, $"holds commit {commit.Gen}/{commit.Seq}");
        }

        if (commit.PrevHash != state.Head && !Mistakes.Has(Mistake.ChainNotChecked))
        {
            throw Fail(objectName, IntegrityKind.Chain, "does not follow the commit that this device has seen");
        }

        if (commit.KeyEpoch != state.KeyEpoch && !Mistakes.Has(Mistake.KeyEpochNotChecked))
        {
            throw Fail(objectName, IntegrityKind.KeyEpoch, "is not of the key epoch that the log has come to");
        }

        if (commit.Rows.Closed.Nodes.Exists(static row => row.Node == NodeId.Root) && !commit.Rows.Opened.Nodes.Exists(static row => row.Node == NodeId.Root))
        {
            throw Fail(objectName, IntegrityKind.Rule, "removes the root");
        }
    }

    private static void CheckAuthor(VaultState state, VaultMember author, CommitContent commit, string objectName)
    {
        // Who is not the single writer may only become it, or make the device that it lets in the writer.
        if (state.SingleWriter is { } writer && writer != author.Id
            && !commit.Members.OfType<Appoint>().Any(appoint => appoint.Device == author.Id || author.Kind == MemberKind.Recovery))
        {
            throw Fail(objectName, IntegrityKind.Signer, "its author is not the vault's single writer");
        }

        if ((commit.Incarnation < author.Incarnation || commit.DeviceOpSeq != author.LastOpSeq + 1) && !Mistakes.Has(Mistake.DeviceSequenceNotChecked))
        {
            throw Fail(objectName, IntegrityKind.DeviceSequence, $"device {author.Number} counts {commit.Incarnation}/{commit.DeviceOpSeq} after {author.Incarnation}/{author.LastOpSeq}");
        }

        MemberRules.CheckRights(author, commit, objectName);
    }

    private static WriterState? ApplyWriter(VaultState state, CommitContent commit, string objectName) => commit.Writer switch
    {
        WriterChange.None when commit.Members.OfType<Appoint>().SingleOrDefault() is { } appoint => new WriterState(appoint.Device, commit.Seq, IsOpen: true, IsAlone: true),
        not WriterChange.None when state.SingleWriter is not null => throw Fail(objectName, IntegrityKind.Rule, "opens or closes a vault with a single writer"),
        WriterChange.None => state.Writer,
        WriterChange.Open => new WriterState(commit.Device, commit.Seq, IsOpen: true),
        WriterChange.Close when state.Writer is { IsOpen: true } writer && writer.Device == commit.Device => writer with { IsOpen = false },
        _ => throw Fail(objectName, IntegrityKind.Rule, "closes a writer that is not its own"),
    };

    private static VaultIntegrityException Fail(string objectName, IntegrityKind kind, string what) => new(objectName, kind, what);
}
