using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Security;

/// <summary>
/// One seed: a store is changed in one to three ways, a client of the vault's own code does what a device does, and its answers are judged. Three kinds of client: a new
/// device with the recovery key, a device that has seen some commits, and one that also writes.
/// </summary>
public sealed class LightTrial
{
    /// <summary>Far more than any honest run needs.</summary>
    private const int CallsMax = 5_000;

    private readonly KnownVault _vault;
    private readonly Random _random;
    private readonly EvilStore _store;
    private readonly List<EvilMutation> _mutations = [];
    private readonly CancellationToken _token;

    private LightTrial(KnownVault vault, int seed, EvilStore store, CancellationToken token)
    {
        _vault = vault;
        _random = new Random(seed);
        _store = store;
        _token = token;
    }

    public IReadOnlyList<EvilMutation> Mutations => _mutations;

    /// <summary>Runs one; <see cref="InvalidOperationException"/> or another exception says what the client did wrong.</summary>
    public static async Task<(Outcome Outcome, LightTrial Trial)> RunAsync(KnownVault vault, int seed, CancellationToken cancellationToken)
    {
        EvilStore store = await vault.EvilStoreAsync();
        store.CallsMax = CallsMax + store.Puts;
        var trial = new LightTrial(vault, seed, store, cancellationToken);
        try
        {
            return (await trial.RunAsync(), trial);
        }
        catch (Exception error)
        {
            throw new TrialException($"[{string.Join("; ", trial._mutations)}] {error.Message}", error);
        }
    }

    private async Task<Outcome> RunAsync()
    {
        int seen = _random.Next(1, _vault.Versions.Count + 1);
        int kind = _random.Next(3);
        for (int i = _random.Next(1, 4); i > 0; i--)
        {
            EvilMutation mutation = EvilMutation.Draw(_random, _vault.Puts, _store.Moment);
            _mutations.Add(mutation);
            await mutation.ApplyAsync(_store);
        }

        try
        {
            return kind == 0 ? await JoinAsync(_random.Next(2) == 0 ? seen : 1) : await ReturnAsync(seen, writes: kind == 2);
        }
        catch (Exception error) when (error is not JudgedException)
        {
            return Verdict.Complain(error) is { } complaint ? throw new JudgedException(complaint, error) : Outcome.Refused;
        }
    }

    private async Task<Outcome> JoinAsync(int seen)
    {
        KnownVersion known = _vault.Versions[seen - 1];
        LogPin? atLeast = seen > 1 ? new LogPin(known.State.Seq, known.State.Head) : null;
        RecoveredVault recovered = await VaultSetup.RecoverAsync(_store, _vault.RecoveryKey, "new", atLeast, new ManualTime(), new SeededRandom(seen), _token);
        using VaultKeys keys = recovered.Keys;
        long before = recovered.Head.Seq - 1;
        Require(before >= seen, $"a device that knows of commit {seen} joined at {before}");
        Require(recovered.Head.StateHash == _vault.Versions[(int)before - 1].State.StateHash, "a device joined on a tree that nobody signed");
        using var client = new LightClient(_store, keys, VaultState.BeforeGenesis(keys), new RowTree());
        await client.CatchUpAsync(_token);
        if (client.State.Head != recovered.Head.Head)
        {
            // What it enrolled in is not what it is shown now; a device notices by not being a member there, or by the chain.
            Require(client.State.FindMember(keys.DeviceId) is null, "another head with this device in it");
            return Outcome.Refused;
        }

        return await JudgeFilesAsync(client, _vault.Versions[(int)before - 1]);
    }

    private async Task<Outcome> ReturnAsync(int seen, bool writes)
    {
        KnownVersion known = _vault.Versions[seen - 1];
        using VaultKeys keys = _vault.Keys();
        using var client = new LightClient(_store, keys, known.State, known.Tree.Clone());
        await client.CatchUpAsync(_token);
        Require(client.State.Seq >= seen && client.State.Seq <= _vault.Head.State.Seq, $"a device that saw commit {seen} is at {client.State.Seq}");
        KnownVersion shown = _vault.Versions[(int)client.State.Seq - 1];
        Require(client.State.Head == shown.State.Head && client.State.StateHash == shown.State.StateHash, "a head that nobody signed");
        Outcome outcome = await JudgeFilesAsync(client, shown);
        if (writes)
        {
            await AppendAsync(client);
        }

        return outcome;
    }

    private async Task<Outcome> JudgeFilesAsync(LightClient client, KnownVersion shown)
    {
        Require(client.Tree.Entries.Count == shown.Files.Count, $"{client.Tree.Entries.Count} names where {shown.Files.Count} were signed");
        int refused = 0;
        foreach ((string name, byte[] content) in shown.Files)
        {
            byte[] read;
            try
            {
                read = await client.ReadFileAsync(name, _token);
            }
            catch (Exception error) when (Verdict.Complain(error) is null)
            {
                refused++;
                continue;
            }

            Require(content.AsSpan().SequenceEqual(read), $"wrong bytes of '{name}'");
        }

        return refused == 0 ? Outcome.Exact : Outcome.PartlyRefused;
    }

    /// <summary>A commit on the malicious store, then the truth: the commit is in the log once, or the device knows that it isn't.</summary>
    private async Task AppendAsync(LightClient client)
    {
        var rows = new RowChanges();
        NodeId node = NodeId.Compose(1, 9000);
        rows.Opened.Nodes.Add(new NodeRow { Node = node, Mode = FileMode.Regular, LinkCount = 1 });
        rows.Opened.Entries.Add(new EntryRow(NodeId.Root, "new"u8.ToArray(), node, 0));
        Attempt attempt = client.Log.Prepare(client.State, new CommitDraft { Rows = rows, Time = 2 });
        bool isCommitted = await TrySubmitAsync(client, attempt);
        await _store.ReleaseLateAsync();
        _store.Heal();
        if (!isCommitted)
        {
            // As after a restart: the same bytes again. On the true log the slot may be another's.
            isCommitted = await TrySubmitAsync(client, Attempt.Decode(attempt.Encode()));
        }

        bool isThere = await _store.ShownAsync(attempt.Name) is { } found && found.AsSpan().SequenceEqual(attempt.Bytes);
        if (isCommitted && !isThere)
        {
            // Committed on a view of its own. The truth has another history now, and that must be said.
            await MustAlarmAsync(client, attempt.Next);
        }

        Require(isCommitted || !isThere || attempt.Seq <= _vault.Head.State.Seq, "a commit is in the log, and its device does not know");
    }

    private async Task<bool> TrySubmitAsync(LightClient client, Attempt attempt)
    {
        try
        {
            return await client.Log.SubmitAsync(client.State, attempt, _token) is AppendOutcome.Committed;
        }
        catch (Exception error) when (Verdict.Complain(error) is null)
        {
            return false;
        }
    }

    private async Task MustAlarmAsync(LightClient client, VaultState next)
    {
        try
        {
            await client.Log.VerifyPinAsync(next, _token);
        }
        catch (VaultIntegrityException error) when (Verdict.Complain(error) is null)
        {
            return;
        }

        throw new JudgedException("a lost commit went by in silence");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new JudgedException(what);
        }
    }

    private sealed class JudgedException(string message, Exception? cause = null) : Exception(message, cause);
}

/// <summary>What a client did wrong, with the acts it was under.</summary>
public sealed class TrialException(string message, Exception? cause = null) : Exception(message, cause);
