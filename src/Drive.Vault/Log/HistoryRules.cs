using Drive.Core;
using Drive.Core.Rows;

namespace Drive.Vault.Log;

/// <summary>What is known of history after a commit, or why its changes may not stand. Pure, like <see cref="CommitRules"/>.</summary>
internal sealed class HistoryRules
{
    /// <summary>Arbitrary.</summary>
    public const int SnapshotsMax = 10_000;

    /// <summary>The longest reason for a freeze in bytes of UTF-8. Arbitrary.</summary>
    public const int ReasonBytesMax = 1024;

    private readonly VaultState _state;
    private readonly CommitContent _commit;
    private readonly string _objectName;
    private readonly HashSet<DeviceId> _lapsed = [];
    private VaultHistory _history;

    private HistoryRules(VaultState state, CommitContent commit, string objectName)
    {
        _state = state;
        _commit = commit;
        _objectName = objectName;
        _history = state.History;
    }

    /// <summary>The state with its history changed, and members that lapsed marked; everything else is the caller's.</summary>
    /// <param name="state">With the commit's changes of members, and without its author's new counters.</param>
    /// <param name="commit">The commit.</param>
    /// <param name="objectName">For errors.</param>
    public static VaultState Apply(VaultState state, CommitContent commit, string objectName)
    {
        HistoryRules rules = new(state, commit, objectName);
        foreach (HistoryChange change in commit.History)
        {
            rules.Apply(change);
        }

        rules.RequireNothingCondemned();
        return rules._lapsed.Count == 0
            ? state with { History = rules._history }
            : state with
            {
                History = rules._history,
                Members = [.. state.Members.Select(member => rules._lapsed.Contains(member.Id) ? member with { IsLapsed = true } : member)],
            };
    }

    private void Apply(HistoryChange change)
    {
        switch (change)
        {
            case NameSnapshot(var name, var seq, var time):
                Require(VaultSnapshot.IsName(name) && _history.FindSnapshot(name) is null, "names a snapshot as none may be named, or as another is");
                Require(seq >= 1 && seq <= _commit.Seq && _history.Kept.Keeps(seq), "names a state that history does not have");
                Require(_history.Snapshots.Count < SnapshotsMax, "names too many snapshots");
                _history = _history with { Snapshots = [.. _history.Snapshots, new VaultSnapshot(name, seq, time)] };
                break;
            case DropSnapshot(var name):
                Require(_history.FindSnapshot(name) is not null, "drops a snapshot that is not there");
                _history = _history with { Snapshots = [.. _history.Snapshots.Where(snapshot => snapshot.Name != name)] };
                break;
            case SetRetention(var rule):
                _history = _history with { Retention = rule };
                break;
            case FreezeRetention(var reason):
                _history = _history with { Freeze = _history.Freeze ?? new RetentionFreeze(reason, _commit.Seq) };
                break;
            case ThawRetention:
                Require(_history.Freeze is not null, "thaws what is not frozen");
                _history = _history with { Freeze = null };
                break;
            case Prune prune:
                Forget(prune);
                break;
            case Condemn(var packs):
                Condemn(packs);
                break;
            case Swept(var packs):
                Sweep(packs);
                break;
            case Lapse(var device):
                Require(device != _commit.Device && _state.FindMember(device) is { Active: true, IsLapsed: false, Kind: MemberKind.Device }, "lapses what is no other active device");
                _lapsed.Add(device);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change));
        }
    }

    private void Forget(Prune prune)
    {
        RequireThawed();
        Require(prune.Below >= Math.Max(1, _history.PrunedBelow) && prune.Below <= _commit.Seq, "forgets up to a seq out of turn");
        Require(prune.Kept.Count <= VaultHistory.KeptMax && prune.Kept.Zip(prune.Kept.Skip(1)).All(static pair => pair.First < pair.Second), "keeps too much, or in no order");
        Core.History.KeptHistory before = _history.Kept;
        Require(prune.Kept.All(seq => seq >= 1 && seq < prune.Below && before.Keeps(seq)), "keeps a state that history does not have");
        _history = _history with { PrunedBelow = prune.Below, KeptSeqs = [.. prune.Kept] };
    }

    private void Condemn(IReadOnlyList<PackId> packs)
    {
        RequireThawed();
        RowChanges rows = _commit.Rows;
        Require(rows.Opened.IsEmpty && rows.Closed.IsEmpty, "condemns packs while it changes the tree");
        Require(packs.Count > 0 && packs.Count <= VaultHistory.CondemnedMax - _history.Condemned.Count, "condemns nothing, or too much at once");
        HashSet<PackId> known = [.. _history.Condemned.Select(static condemned => condemned.Pack)];
        Require(packs.All(known.Add), "condemns a pack twice");
        _history = _history with { Condemned = [.. _history.Condemned, .. packs.Select(pack => new CondemnedPack(pack, _commit.Seq))] };
    }

    /// <summary>
    /// The author itself has followed the log to here, and so above every condemnation. Of the others only their commits say how far they have come: who committed above it needs nothing of the pack.
    /// </summary>
    private void Sweep(IReadOnlyList<PackId> packs)
    {
        RequireThawed();
        Require(packs.Count > 0, "sweeps nothing");
        Dictionary<PackId, long> condemned = _history.Condemned.ToDictionary(static condemned => condemned.Pack, static condemned => condemned.Seq);
        foreach (PackId pack in packs)
        {
            Require(condemned.Remove(pack, out long seq) && seq < _commit.Seq, "sweeps a pack that was not condemned before");
            Require(
                Mistakes.Has(Mistake.SweptBeforeAllKnow) || _state.WaitsFor(seq, except: _commit.Device).Count == 0,
                "sweeps a pack that a device may still need");
        }

        _history = _history with { Condemned = [.. _history.Condemned.Where(pack => condemned.ContainsKey(pack.Pack))] };
    }

    private void RequireNothingCondemned()
    {
        if ((_commit.Packs.Count == 0 && _commit.Rows.Blocks.Count == 0) || Mistakes.Has(Mistake.CondemnedPackNamed))
        {
            return;
        }

        HashSet<PackId> condemned = [.. _state.History.Condemned.Concat(_history.Condemned).Select(static condemned => condemned.Pack)];
        Require(
            !_commit.Packs.Any(pack => condemned.Contains(pack.Pack)) && !_commit.Rows.Blocks.Exists(block => condemned.Contains(block.Pack)),
            "names a condemned pack");
    }

    private void RequireThawed() => Require(_history.Freeze is null, "forgets or condemns while retention is frozen");

    private void Require(bool holds, string refusal)
    {
        if (!holds)
        {
            throw new VaultIntegrityException(_objectName, IntegrityKind.Rule, refusal);
        }
    }
}
