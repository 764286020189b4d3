using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Security;

/// <summary>
/// One seed with whole volumes, as a mount would use them: a device that is new, that comes back, or whose store turns malicious while it is mounted. It reads every file, writes one,
/// and waits for it to be in the store. Then the store is honest again, and what was said is held against what is there.
/// </summary>
internal sealed class VolumeTrial
{
    private const string Added = "added under attack";
    private readonly VolumeTrials _vault;
    private readonly Random _random;
    private readonly ManualTime _time = new();
    private readonly CancellationToken _token;
    private readonly List<EvilMutation> _mutations = [];
    private readonly byte[] _added;
    private EvilStore _store = null!;

    public VolumeTrial(VolumeTrials vault, int seed, CancellationToken token)
    {
        _vault = vault;
        _random = new Random(seed);
        _added = KnownVault.Noise(seed, 70_000);
        _token = token;
    }

    public async Task<string> RunAsync()
    {
        _store = await _vault.EvilStoreAsync();
        _store.CallsMax = 20_000;
        if (_random.Next(2) == 0)
        {
            _store.Description = new StoreDescription("far away", IsLocal: false);
        }

        try
        {
            int kind = _random.Next(3);
            return kind == 0 ? await JoinAsync() : await ReturnAsync(isMountedBefore: kind == 1);
        }
        catch (Exception error)
        {
            throw new TrialException($"[{string.Join("; ", _mutations)}] {(error is TrialException ? error.Message : error.ToString())}", error);
        }
    }

    private async Task<string> JoinAsync()
    {
        string state = _vault.TakeDevice();
        try
        {
            await TurnAsync();
            using var opening = CancellationTokenSource.CreateLinkedTokenSource(_token);
            RecoveredVault recovered = await VaultSetup.RecoverAsync(_store, _vault.RecoveryKey, "new", null, _time, SystemRandomSource.Instance, opening.Token);
            _vault.Home.KeepHead(state, recovered);
            await using Volume volume = await _vault.Home.OpenAsync(state, recovered.Keys, _store, _time, _token);
            VolumeStatus status = volume.GetStatus();

            // Its own enrolment is a commit without rows, at the place where it joined.
            long written = status.Seq < recovered.Head.Seq ? status.Seq : status.Seq - 1;
            Require(written >= 1 && written <= _vault.Files.Count, $"a new device is at commit {status.Seq}");
            string how = "";
            if (volume.IsReadOnly)
            {
                // It is shown less than it joined, or something else, and says so; what it shows was signed all the same.
                Require(Verdict.NamesAnObject(status.ReadOnlyReason), $"a new device says: {status.ReadOnlyReason}");
                how = ", alarmed";
            }
            else if (status.Store == StoreCondition.Unreachable)
            {
                how = ", store away";
            }
            else
            {
                Require(status.Seq == recovered.Head.Seq, $"a new device joined at commit {recovered.Head.Seq} and is at {status.Seq}");
            }

            return $"volume, new device{how}: " + await JudgeAsync(volume, _vault.Files[(int)written - 1]);
        }
        catch (Exception error) when (error is FsException || (error is not TrialException && Verdict.Complain(error) is null))
        {
            return "volume, new device: refused";
        }
        finally
        {
            _vault.Home.Remove(state);
        }
    }

    private async Task<string> ReturnAsync(bool isMountedBefore)
    {
        long seen = isMountedBefore ? _vault.Files.Count : _random.Next(2, _vault.Files.Count + 1);
        string state = _vault.TakeDevice(seen);
        try
        {
            string said = await UseAsync(state, seen, isMountedBefore);
            return (isMountedBefore ? "volume, mounted: " : "volume, back: ") + said;
        }
        finally
        {
            _vault.Home.Remove(state);
        }
    }

    private async Task<string> UseAsync(string state, long seen, bool isMountedBefore)
    {
        if (!isMountedBefore)
        {
            await TurnAsync();
        }

        string said;
        bool isWritten = false;
        bool isDone = false;
        await using (Volume volume = await _vault.Home.OpenAsync(state, _vault.Keys(), _store, _time, _token))
        {
            if (isMountedBefore)
            {
                await TurnAsync();
            }

            VolumeStatus status = volume.GetStatus();
            Require(status.Seq >= seen, $"a device that saw commit {seen} is at {status.Seq}");
            said = await JudgeAsync(volume, _vault.Files[(int)status.Seq - 1]);
            await RequireNoSilenceAsync(volume, seen, isMountedBefore);
            if (!volume.IsReadOnly)
            {
                isWritten = volume.Write(Added, _added) == FsStatus.Ok;
                Require(isWritten, "a volume that is not read-only refused a write");
                Require(await volume.FsyncAsync(HandleId.None, false, _token) == FsStatus.Ok, "an fsync failed for what the store did");
                isDone = await volume.UploadAsync(_time, _token);
                Require(isDone || volume.GetStatus().LastError is not null, "nothing was sent, and no reason is given");
            }
        }

        await _store.ReleaseLateAsync();
        _store.Heal();
        if (isWritten)
        {
            await JudgeAfterwardsAsync(state, isDone);
        }

        return said + (isDone ? ", sent" : isWritten ? ", not sent" : ", read-only");
    }

    /// <summary>One to three acts, drawn as for every other trial.</summary>
    private async Task TurnAsync()
    {
        for (int i = _random.Next(1, 4); i > 0; i--)
        {
            EvilMutation mutation = EvilMutation.Draw(_random, _vault.Puts, _store.Moment);
            _mutations.Add(mutation);
            await mutation.ApplyAsync(_store);
        }
    }

    private async Task<string> JudgeAsync(Volume volume, IReadOnlyDictionary<string, byte[]> files)
    {
        Require(volume.Names().Order(StringComparer.Ordinal).SequenceEqual(files.Keys.Order(StringComparer.Ordinal)), "other names than were signed");
        int refused = 0;
        foreach ((string name, byte[] content) in files)
        {
            (FsStatus status, byte[] read) = await volume.ReadAsync(name, _token);
            Require(content.AsSpan(0, Math.Min(read.Length, content.Length)).SequenceEqual(read), $"wrong bytes of '{name}'");
            if (status == FsStatus.Ok)
            {
                Require(read.Length == content.Length, $"'{name}' has {read.Length} bytes in place of {content.Length}");
                continue;
            }

            Require(Verdict.IsRefusal(status), $"'{name}' answers {status}");
            Require(Verdict.NamesAnObject(volume.GetStatus().LastError), $"'{name}' answers {status}, and the status says: {volume.GetStatus().LastError}");
            refused++;
        }

        return refused == 0 ? "exact" : "partly refused";
    }

    /// <summary>A store that no longer shows the commit that this device saw last must be called what it is, at a mount.</summary>
    private async Task RequireNoSilenceAsync(Volume volume, long seen, bool isMountedBefore)
    {
        ObjectName pin = Vault.VaultNames.Commit(1, seen);
        byte[] expected = _vault.Puts.First(put => put.Key == pin.Value).Value;
        bool isShown = await _store.ShownAsync(pin) is { } shown && shown.AsSpan().SequenceEqual(expected);
        if (isShown || isMountedBefore)
        {
            return;
        }

        VolumeStatus status = volume.GetStatus();
        Require(status.Store != StoreCondition.Reachable, "a rollback went by in silence");
        Require(status.Store == StoreCondition.Unreachable || Verdict.NamesAnObject(status.ReadOnlyReason), $"a rollback is called: {status.ReadOnlyReason}");
    }

    /// <summary>On the true store: what was called sent is there for another device, or this device says why not; what was not sent is still here.</summary>
    private async Task JudgeAfterwardsAsync(string state, bool wasDone)
    {
        await using (Volume again = await _vault.Home.OpenAsync(state, _vault.Keys(), _store, _time, _token))
        {
            (FsStatus status, byte[] read) = await again.ReadAsync(Added, _token);
            VolumeStatus said = again.GetStatus();
            bool isAlarmed = again.IsReadOnly && said.ReadOnlyReason is not null;
            Require(status == FsStatus.Ok ? read.AsSpan().SequenceEqual(_added) : isAlarmed && wasDone, $"afterwards: {status}, {said.ReadOnlyReason ?? said.LastError}");
            if (isAlarmed)
            {
                return;
            }

            Require(await again.UploadAsync(_time, _token), $"an honest store gets nothing: {again.GetStatus().LastError}");
        }

        string witness = _vault.TakeDevice();
        try
        {
            RecoveredVault recovered = await VaultSetup.RecoverAsync(_store, _vault.RecoveryKey, "witness", null, _time, SystemRandomSource.Instance, _token);
            await using Volume other = await _vault.Home.OpenAsync(witness, recovered.Keys, _store, _time, _token);
            (FsStatus status, byte[] read) = await other.ReadAsync(Added, _token);
            Require(status == FsStatus.Ok && read.AsSpan().SequenceEqual(_added), $"what was called sent is not there for another device: {status}, {other.GetStatus().LastError}");
        }
        finally
        {
            _vault.Home.Remove(witness);
        }
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new TrialException(what);
        }
    }
}
