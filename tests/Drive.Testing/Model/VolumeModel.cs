using Drive.Core.Volumes;

namespace Drive.Testing.Model;

/// <summary>
/// A volume under test beside a <see cref="ReferenceVolume"/>, both on one clock: each operation runs on both and must give the same, and so must,
/// every so often, the whole trees. Hooks may reopen or crash the volume between steps; the times of all steps are kept, so the reference can
/// be made again as it was after any of them.
/// </summary>
public sealed class VolumeModel
{
    private readonly List<(VolumeOperation Operation, DateTimeOffset At)> _history = [];
    private readonly HashSet<int> _slotsClosedAfter = [];
    private readonly DateTimeOffset _start;
    private readonly NodeAttributes _root;
    private OperationRunner _runner;
    private ReferenceVolume _reference;
    private OperationRunner _referenceRunner;
    private ManualTime _referenceTime;

    public VolumeModel(IVolume volume, ManualTime time)
    {
        Volume = volume;
        Time = time;
        _start = time.GetUtcNow();
        volume.GetAttributes(NodeId.Root, out _root);
        _runner = new OperationRunner(volume);
        (_reference, _referenceTime) = NewReference();
        _referenceRunner = new OperationRunner(_reference);
    }

    /// <summary>The clock of the volume under test; the reference's follows it at each step.</summary>
    public ManualTime Time { get; }

    /// <summary>The volume under test.</summary>
    public IVolume Volume { get; private set; }

    /// <summary>Steps done, less those that a crash took back.</summary>
    public int StepCount => _history.Count;

    /// <summary>Steps that an fsync made last: no crash may take these back.</summary>
    public int SyncedStepCount { get; private set; }

    /// <summary>
    /// Statuses that the volume under test may answer where the reference would not, because its disk or store has a fault. Such a call must have changed nothing.
    /// </summary>
    public Func<FsStatus, bool>? Excuses { get; set; }

    /// <summary>Runs one operation on both sides.</summary>
    public async Task StepAsync(VolumeOperation operation)
    {
        Time.Advance(TimeSpan.FromMilliseconds(1));
        OperationResult actual = await _runner.RunAsync(operation);
        if (Excuses?.Invoke(actual.Status) == true)
        {
            if (operation.Kind is not (OperationKind.OpenSlot or OperationKind.CreateUnnamedSlot))
            {
                return;
            }

            // What was in the slot is closed all the same.
            operation = new VolumeOperation(OperationKind.CloseSlot, Slot: operation.Slot);
            actual = new OperationResult(FsStatus.Ok);
        }

        // A call that waited for the store did its work at the end.
        _referenceTime.JumpTo(Time.GetUtcNow());
        _history.Add((operation, Time.GetUtcNow()));
        OperationResult expected = await _referenceRunner.RunAsync(operation);
        bool isSeek = operation.Kind is OperationKind.SeekData or OperationKind.SeekHole;
        if (isSeek ? !await IsSoundSeekAsync(operation, expected, actual) : expected != actual)
        {
            throw new ModelException($"Step {StepCount}: {operation}\n    expected {expected}\n    actual   {actual}");
        }

        if (operation.Kind is OperationKind.Fsync or OperationKind.FsyncAll && actual.Status == FsStatus.Ok)
        {
            SyncedStepCount = StepCount;
        }
    }

    /// <summary>What the reference shows now.</summary>
    public Task<TreeSnapshot> CaptureReferenceAsync() => TreeSnapshot.CaptureAsync(_reference);

    /// <summary>Holds that both sides show the same tree.</summary>
    public async Task CompareAsync()
    {
        List<string> differences = (await TreeSnapshot.CaptureAsync(_reference)).Differences(await TreeSnapshot.CaptureAsync(Volume));
        if (differences.Count > 0)
        {
            throw new ModelException($"After step {StepCount} the trees differ:\n{string.Join('\n', differences)}");
        }
    }

    /// <summary>Call before the volume under test is closed in order to reopen it: open handles do not outlive it.</summary>
    public void CloseSlots()
    {
        _slotsClosedAfter.Add(StepCount);
        _runner.CloseSlots();
        _referenceRunner.CloseSlots();
    }

    /// <summary>Goes on with the volume as it came back after a clean close: it must show the same tree.</summary>
    public async Task ReopenedAsync(IVolume reopened)
    {
        _referenceRunner.CloseSlots();
        UseVolume(reopened);
        await CompareAsync();
    }

    /// <summary>
    /// Goes on with the volume as it came back after a crash: it must be in the state after some prefix of the steps that holds at least
    /// <paramref name="stepsMin"/> (usually <see cref="SyncedStepCount"/>). Steps after the prefix are taken back. Returns the length of the prefix.
    /// </summary>
    public async Task<int> CrashedAsync(IVolume recovered, int stepsMin)
    {
        TreeSnapshot actual = await TreeSnapshot.CaptureAsync(recovered);
        (ReferenceVolume candidate, ManualTime time) = NewReference();
        var runner = new OperationRunner(candidate);
        List<string>? nearest = null;
        int found = -1;
        for (int steps = 0; steps <= _history.Count; steps++)
        {
            if (steps > 0)
            {
                await ReplayAsync(runner, time, steps - 1);
            }

            if (steps >= stepsMin)
            {
                List<string> differences = (await TreeSnapshot.CaptureAsync(candidate)).Differences(actual);
                nearest = nearest is null || differences.Count <= nearest.Count ? differences : nearest;
                found = differences.Count == 0 ? steps : found;
            }
        }

        if (found < 0)
        {
            throw new ModelException(
                $"After a crash at step {StepCount} the volume is in no state after {stepsMin} or more steps. The nearest differs in:\n{string.Join('\n', nearest!)}");
        }

        await TakeBackToAsync(found);
        UseVolume(recovered);
        return found;
    }

    private async Task TakeBackToAsync(int steps)
    {
        _history.RemoveRange(steps, _history.Count - steps);
        _slotsClosedAfter.RemoveWhere(step => step > steps);
        SyncedStepCount = Math.Min(SyncedStepCount, steps);
        (_reference, _referenceTime) = NewReference();
        _referenceRunner = new OperationRunner(_reference);
        for (int step = 0; step < steps; step++)
        {
            await ReplayAsync(_referenceRunner, _referenceTime, step);
        }

        _referenceRunner.CloseSlots();
    }

    private async Task ReplayAsync(OperationRunner runner, ManualTime time, int step)
    {
        if (_slotsClosedAfter.Contains(step))
        {
            runner.CloseSlots();
        }

        time.JumpTo(_history[step].At);
        await runner.RunAsync(_history[step].Operation);
    }

    private void UseVolume(IVolume volume)
    {
        _slotsClosedAfter.Add(StepCount);
        Volume = volume;
        _runner = new OperationRunner(volume);
    }

    /// <summary>An empty reference whose root looks like that of the volume under test did at first.</summary>
    private (ReferenceVolume Volume, ManualTime Time) NewReference()
    {
        var time = new ManualTime();
        time.JumpTo(_start);
        var reference = new ReferenceVolume(time);
        AttributeChange change = new()
        {
            Fields = AttributeFields.Mode | AttributeFields.Uid | AttributeFields.Gid | AttributeFields.ModifyTime | AttributeFields.ChangeTime,
            Mode = _root.Mode,
            Uid = _root.Uid,
            Gid = _root.Gid,
            ModifyTime = _root.ModifyTime,
            ChangeTime = _root.ChangeTime,
        };
        reference.SetAttributes(NodeId.Root, HandleId.None, change, out _);
        return (reference, time);
    }

    /// <summary>
    /// Where holes lie is a volume's own choice, but data must not be skipped, and what is called a hole must read as zeros up to the next data.
    /// </summary>
    private async Task<bool> IsSoundSeekAsync(VolumeOperation operation, OperationResult expected, OperationResult actual)
    {
        if (actual.Status is not (FsStatus.Ok or FsStatus.NoSuchOffset))
        {
            return actual == expected;
        }

        OperationResult read = await _referenceRunner.RunAsync(operation with { Kind = OperationKind.Read, Length = 1 });
        if (read.Status != FsStatus.Ok || read.Told.StartsWith("0 ", StringComparison.Ordinal))
        {
            return actual == expected;
        }

        if (operation.Kind == OperationKind.SeekHole)
        {
            return actual.Status == FsStatus.Ok && actual.Found >= operation.Offset;
        }

        // From the offset up to the data that was found (or to the end) the reference must hold only zeros.
        long until = actual.Status == FsStatus.Ok ? actual.Found : long.MaxValue;
        return until >= operation.Offset && await IsZeroAsync(operation, until);
    }

    private async Task<bool> IsZeroAsync(VolumeOperation operation, long until)
    {
        const int Piece = 4096;
        for (long at = operation.Offset; at < until; at += Piece)
        {
            int length = (int)Math.Min(Piece, until - at);
            OperationResult read = await _referenceRunner.RunAsync(operation with { Kind = OperationKind.Read, Offset = at, Length = length });
            int count = int.Parse(read.Told.Split(' ')[0]);
            byte[] zeros = new byte[count];
            if (read.Told != $"{count} {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(zeros).AsSpan(0, 6))}")
            {
                return false;
            }

            if (count < length)
            {
                break;
            }
        }

        return true;
    }
}

/// <summary>The volume under test and the reference disagree.</summary>
public sealed class ModelException(string message) : Exception(message);
