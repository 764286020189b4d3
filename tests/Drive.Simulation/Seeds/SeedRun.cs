using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Simulation.World;
using Drive.Testing.Disk;
using Drive.Testing.Model;

namespace Drive.Simulation.Seeds;

/// <summary>What a run did.</summary>
/// <param name="Hash">The same for the same seed and program, always.</param>
/// <param name="Steps">Calls and events.</param>
/// <param name="Deaths">Power cuts, kills and lost machines.</param>
/// <param name="Faults">Other faults: foul weather, late puts, a disk that is full or fails, a clock that was set.</param>
public sealed record SeedResult(ulong Hash, int Steps, int Deaths, int Faults);

/// <summary>
/// One seed: calls on a volume with everything that can go wrong around it, on one thread. The volume is held against the reference at each call; after each
/// death it must show the tree after some prefix of the calls with all in it that was synced; and on another machine all that was confirmed.
/// </summary>
internal sealed class SeedRun(int seed, IReadOnlyList<SimulationStep> steps)
{
    /// <summary>The promise: what was not synced is lost if it is younger than this, and no older.</summary>
    private static readonly TimeSpan LossMax = TimeSpan.FromSeconds(5);

    private readonly List<DateTimeOffset> _doneAt = [];
    private readonly SimulatedWorld _world = new(seed, VaultOrigin.NewStore());
    private Machine _machine = null!;
    private VolumeModel _model = null!;
    private int _confirmed;
    private int _deaths;
    private int _faults;

    /// <summary>The number of the step that runs, for the report.</summary>
    public int At { get; private set; }

    public Action<string>? TraceListener
    {
        set => _world.Trace.Listener = value;
    }

    public SeedResult Run()
    {
        _world.Run(RunAsync);
        return new SeedResult(_world.Trace.Hash, steps.Count, _deaths, _faults);
    }

    private async Task RunAsync()
    {
        _machine = new Machine(_world, VaultOrigin.Keys);
        await _machine.BootAsync();
        _model = new VolumeModel(_machine.Volume!, _world.Time) { Excuses = IsExcused };
        for (At = 0; At < steps.Count; At++)
        {
            _world.Trace.Add(steps[At].ToString(), At);
            await DoAsync(steps[At]);
            await Task.Yield();
            await ReviveAsync();
        }

        await SetWeatherAsync(Weather.Fair);
        _machine.Heal();
        _machine.DieAt(-1, default);
        await ReviveAsync();
        await _model.CompareAsync();
        await HoldSentByItselfAsync();
        await Oracle.HoldInStoreAsync(_world, _machine.Volume!);
        await _machine.BuryAsync();
    }

    /// <summary>In fair weather everything reaches the store without anybody asking, whatever the clock shows. (Late files take longer.)</summary>
    private async Task HoldSentByItselfAsync()
    {
        if (_world.Settings.LateFileBytes < 1 << 20)
        {
            return;
        }

        if (_world.DiskRandom.Next(2) == 0)
        {
            _world.Time.Jump(TimeSpan.FromDays(-400));
        }

        await Task.Delay(TimeSpan.FromMinutes(1), _world.Time);
        VolumeStatus status = _machine.Volume!.GetStatus();
        if (status.LocalOnly.Files + status.Uploading.Files > 0)
        {
            throw new SimulationException($"After a minute of fair weather not everything is in the store: {status}");
        }
    }

    private bool IsExcused(FsStatus status) => status switch
    {
        FsStatus.NoSpace when _world.IsTight => true,
        FsStatus.IoError or FsStatus.NoSpace or FsStatus.ReadOnly => _machine.IsDead || _machine.HasMetFault,
        FsStatus.Unreachable => _world.Weather != Weather.Fair,
        _ => false,
    };

    private async Task DoAsync(SimulationStep step)
    {
        Random random = new(step.Value);
        switch (step.Kind)
        {
            case StepKind.Call:
                await _model.StepAsync(step.Call!);
                NoteTime();
                break;
            case StepKind.Pause:
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(3) == 0 ? random.Next(40_000) : random.Next(3000)), _world.Time);
                break;
            case StepKind.Hurry:
                await _machine.Volume!.WaitUploadedAsync(null, new CancellationToken(canceled: true));
                break;
            case StepKind.Wait or StepKind.WaitAndCompare:
                await WaitAsync(step.Kind == StepKind.WaitAndCompare);
                break;
            case StepKind.Reopen:
                await ReopenAsync();
                break;
            case StepKind.LoseMachine:
                await LoseMachineAsync();
                break;
            case StepKind.FoulWeather:
                _faults++;
                await SetWeatherAsync(Weather.Foul(random));
                break;
            case StepKind.FairWeather:
                await SetWeatherAsync(Weather.Fair);
                break;
            case StepKind.SetClock:
                _faults++;
                _world.Time.Jump(Trouble.ClockStep(random));
                break;
            default:
                _faults += Trouble.Do(step.Kind, random, _machine, _world.Store);
                break;
        }
    }

    /// <summary>When each step of the model was done; steps that a death took back are gone from its list.</summary>
    private void NoteTime()
    {
        _doneAt.RemoveRange(Math.Min(_model.StepCount, _doneAt.Count), Math.Max(0, _doneAt.Count - _model.StepCount));
        while (_doneAt.Count < _model.StepCount)
        {
            _doneAt.Add(_world.Time.Elapsed);
        }
    }

    /// <summary>Steps that no death may take back.</summary>
    private int StepsThatLast()
    {
        bool isSavedInTime = _machine.IsDead && !_machine.HasMetFault && _world.Settings.SaveInterval <= TimeSpan.FromSeconds(1);
        int old = isSavedInTime ? _doneAt.Count(at => at < _machine.DiedAt - LossMax) : 0;
        return Math.Max(_model.SyncedStepCount, Math.Min(old, _model.StepCount));
    }

    private async Task SetWeatherAsync(Weather weather)
    {
        _world.Weather = weather;
        _machine.Weather = weather;
        await Task.Yield();
    }

    private async Task WaitAsync(bool compares)
    {
        Weather weather = _world.Weather;
        if (weather.IsAway || compares)
        {
            await SetWeatherAsync(Weather.Fair);
        }

        int done = _model.StepCount;
        UploadProgress progress = await _machine.Volume!.WaitUploadedAsync(null, _machine.Life);
        if (progress.Done)
        {
            _confirmed = _machine.IsDead ? _confirmed : done;
        }
        else if (!_machine.IsDead && !_machine.HasMetFault)
        {
            throw new SimulationException($"Somebody waited, and not everything is in the store: {progress}");
        }

        if (compares && progress.Done && !_machine.IsDead && !_machine.HasMetFault)
        {
            await _model.CompareAsync();
            await Oracle.HoldInStoreAsync(_world, _machine.Volume!);
        }

        await SetWeatherAsync(weather);
    }

    private async Task ReopenAsync()
    {
        _model.CloseSlots();
        bool isSaved = await _machine.Volume!.StopAsync();
        if (!isSaved && !_machine.IsDead && !_machine.HasMetFault)
        {
            throw new SimulationException($"A stop did not save everything: {_machine.Volume.GetStatus().LastError}");
        }

        int stepsMin = isSaved && !_machine.IsDead ? _model.StepCount : _model.SyncedStepCount;
        await ComeBackAsync(stepsMin);
    }

    /// <summary>After a death, or a fault of the disk that the volume does not take more changes after.</summary>
    private async Task ReviveAsync()
    {
        if (_machine.IsDead)
        {
            _deaths++;
        }
        else if (!_machine.HasMetFault || (_machine.Volume!.GetStatus() is { ReadOnlyReason: null, Store: not StoreCondition.Stopped }))
        {
            return;
        }

        await ComeBackAsync(StepsThatLast());
    }

    private async Task ComeBackAsync(int stepsMin)
    {
        Weather weather = _world.Weather;
        await SetWeatherAsync(Weather.Fair);
        _machine.Heal();
        await _machine.BuryAsync();
        _deaths += await Trouble.BootOfTwoAsync(_machine, _world.DiskRandom, _machine.BootAsync);
        await HoldAsync(Math.Max(stepsMin, _confirmed));
        await SetWeatherAsync(weather);
    }

    private async Task LoseMachineAsync()
    {
        if (_world.Settings.LateFileBytes < 1 << 20)
        {
            // What a commit leaves behind with a large file is not a prefix of the calls; all that was confirmed is.
            await WaitAsync(compares: false);
            if (_confirmed < _model.StepCount)
            {
                return;
            }
        }

        _deaths++;
        Weather weather = _world.Weather;
        await SetWeatherAsync(Weather.Fair);
        if (!_machine.IsDead)
        {
            _machine.Die(CrashKind.Process);
        }

        await _machine.BuryAsync();
        _world.Store.Deliver(_world.StoreRandom, all: false);
        _machine = Machine.Enrolled(_world, await Oracle.EnrolAsync(_world, isLogCut: _world.DiskRandom.Next(3) == 0));
        _deaths += await Trouble.BootOfTwoAsync(_machine, _world.DiskRandom, _machine.BootAsync);
        await HoldAsync(_confirmed);
        await SetWeatherAsync(weather);
    }

    private async Task HoldAsync(int stepsMin)
    {
        if (_machine.Volume!.GetStatus() is { ReadOnlyReason: { } reason })
        {
            throw new SimulationException($"The volume came back read-only: {reason}");
        }

        int steps = _model.StepCount;
        int found = await _model.CrashedAsync(_machine.Volume, Math.Min(stepsMin, steps));
        NoteTime();
        _world.Trace.Add("back", found, steps);
    }
}
