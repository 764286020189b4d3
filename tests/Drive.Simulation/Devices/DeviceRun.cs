using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Simulation.Seeds;
using Drive.Simulation.World;
using Drive.Testing.Disk;
using Drive.Testing.Model;

namespace Drive.Simulation.Devices;

/// <summary>What a run of several devices did.</summary>
/// <param name="Hash">The same for the same seed and program, always.</param>
/// <param name="Devices">How many.</param>
/// <param name="Calls">Calls that changed a volume.</param>
/// <param name="Deaths">Power cuts, kills and lost machines.</param>
/// <param name="Faults">Other faults and spells.</param>
/// <param name="Merges">Commits of others that were taken over.</param>
/// <param name="Copies">Conflict names that were given.</param>
public sealed record DeviceResult(ulong Hash, int Devices, int Calls, int Deaths, int Faults, int Merges, int Copies);

/// <summary>
/// One seed with two to five devices of one vault, each with a disk, a clock, a network and a process of its own, on one store and one thread. In the end all faults stop, all settle, and must show one
/// tree in which everything is that nobody who saw it did away with (<see cref="Ledger"/>).
/// </summary>
internal sealed partial class DeviceRun
{
    /// <summary>A device more for each machine that is lost.</summary>
    private const int LossesMax = 4;

    /// <summary>Rounds in fair weather until all must have settled. Two devices take two.</summary>
    private const int RoundsMax = 12;

    private readonly IReadOnlyList<DeviceStep> _steps;
    private readonly SimulatedWorld _world;
    private readonly Ledger _ledger;
    private readonly Device[] _devices;
    private readonly List<Device> _lost = [];
    private readonly bool _isTame;
    private readonly int _seed;
    private readonly int _numbersMax;
    private int _deaths;
    private int _faults;
    private int _losses;

    public DeviceRun(int seed, IReadOnlyList<DeviceStep> steps)
    {
        _seed = seed;
        _steps = steps;
        (int count, _isTame) = Shape(seed);
        _devices = new Device[count];
        _numbersMax = count + LossesMax + 1;
        _world = new SimulatedWorld(seed, VaultOrigin.NewStoreOfSeveral());
        Random random = new(seed ^ 0x0DE71CE5);
        _world.Settings = _world.Settings with
        {
            LookInterval = TimeSpan.FromSeconds(random.Next(1, 5)),
            LateFileBytes = random.Next(4) == 0 ? 20_000 : 64L << 20,
            Checkpoints = _world.Settings.Checkpoints with { CommitsMax = random.Next(4, 40), CommitsMin = random.Next(2, 10) },
        };
        _ledger = new Ledger(_numbersMax, isOrdered: _world.Settings.LateFileBytes > 1 << 20);
        for (int index = 0; index < count; index++)
        {
            _devices[index] = NewDevice(index + 1, index == 0 ? "first" : Names[index - 1], index == 0 ? VaultOrigin.Keys : VaultOrigin.OtherDevices[index - 1].Keys,
                index == 0 ? null : VaultOrigin.OtherDevices[index - 1].Head);
        }
    }

    /// <summary>The number of the step that runs, for the report.</summary>
    public int At { get; private set; }

    public Action<string>? TraceListener
    {
        set => _world.Trace.Listener = value;
    }

    private static IReadOnlyList<string> Names => VaultOrigin.OtherNames;

    /// <summary>How many devices a seed has, and whether they take turns.</summary>
    public static (int Devices, bool IsTame) Shape(int seed)
    {
        Random random = new(seed ^ 0x5A4E0000);
        return (random.Next(3) == 0 ? random.Next(4, VaultOrigin.DevicesMax + 1) : random.Next(2, 4), random.Next(6) == 0);
    }

    public DeviceResult Run()
    {
        _world.Run(RunAsync);
        IEnumerable<Device> all = _devices.Concat(_lost);
        return new DeviceResult(_world.Trace.Hash, _devices.Length, all.Sum(static device => device.CallCount), _deaths, _faults, all.Sum(static device => device.Merges), _ledger.CopyCount);
    }

    private Device NewDevice(int number, string name, byte[] keys, Vault.Log.VaultState? head) =>
        new(_world, _ledger, number, _numbersMax, name, keys, head, unchecked((_seed * 31) + number)) { IsTame = _isTame };

    private async Task RunAsync()
    {
        foreach (Device device in _devices)
        {
            await device.Context.RunAsync(device.BootAsync);
        }

        for (At = 0; At < _steps.Count; At++)
        {
            DeviceStep step = _steps[At];
            if (step.Device >= _devices.Length)
            {
                continue;
            }

            _world.Trace.Add(step.Kind.ToString(), step.Device, step.Value);
            Device device = _devices[step.Device];
            await DoAsync(device, step);
            await Task.Yield();
            foreach (Device each in _devices)
            {
                await ReviveAsync(each);
            }
        }

        await SettleAsync(isLast: true);
        if (Collects(_seed))
        {
            await GiveBackAsync();
        }

        await HoldAsync();
        foreach (Device device in _devices)
        {
            await device.Context.RunAsync(device.Machine.BuryAsync);
        }
    }

    private async Task DoAsync(Device device, DeviceStep step)
    {
        Random random = new(step.Value);
        if (device.Context.IsSuspended && step.Kind is StepKind.Call or StepKind.Hurry or StepKind.Wait or StepKind.Reopen or StepKind.LoseMachine or StepKind.Collect)
        {
            return;
        }

        switch (step.Kind)
        {
            case StepKind.Call:
                DeviceUser user = new(device, _ledger, status => IsExcused(device, status));
                await device.Context.RunAsync(() => ActAsync(device, user, random));
                break;
            case StepKind.Pause:
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(3) == 0 ? random.Next(40_000) : random.Next(3000)), _world.Time);
                break;
            case StepKind.Hurry:
                await device.Context.RunAsync(() => device.Volume.WaitUploadedAsync(null, new CancellationToken(canceled: true)));
                break;
            case StepKind.Wait:
                await WaitAsync(device);
                break;
            case StepKind.Reopen:
                await ReopenAsync(device);
                break;
            case StepKind.LoseMachine:
                await LoseAsync(device);
                break;
            case StepKind.FoulWeather:
                _faults++;
                device.Machine.Weather = Weather.Foul(random);
                break;
            case StepKind.GoOffline:
                _faults++;
                device.Machine.Weather = new Weather { IsAway = true };
                break;
            case StepKind.FairWeather:
                device.Machine.Weather = Weather.Fair;
                break;
            case StepKind.Suspend:
                _faults++;
                device.Context.Suspend();
                break;
            case StepKind.Resume:
                device.Context.Resume();
                break;
            case StepKind.SetClock:
                _faults++;
                device.Clock.Jump(Trouble.ClockStep(random));
                break;
            case StepKind.Collect:
                await CollectAsync(device, random);
                break;
            case StepKind.Meet:
                await SettleAsync(isLast: false);
                break;
            default:
                _faults += Trouble.Do(step.Kind, random, device.Machine, _world.Store);
                break;
        }
    }

    private static async Task ActAsync(Device device, DeviceUser user, Random random)
    {
        try
        {
            await user.ActAsync(random);
        }
        catch (IOException) when (device.Machine.IsDead)
        {
            // In the middle of what its user did; nobody hears what a dead database says.
        }
    }

    private bool IsExcused(Device device, FsStatus status) => status switch
    {
        FsStatus.NoSpace when _world.IsTight => true,
        FsStatus.IoError or FsStatus.NoSpace or FsStatus.ReadOnly => device.Machine.IsDead || device.Machine.HasMetFault,
        FsStatus.Unreachable => device.Machine.IsDead || device.Machine.Weather != Weather.Fair,
        _ => device.Machine.IsDead,
    };

    /// <summary>Somebody waits until all of a device is in the store.</summary>
    private static async Task WaitAsync(Device device)
    {
        Weather weather = device.Machine.Weather;
        if (weather.IsAway)
        {
            device.Machine.Weather = Weather.Fair;
        }

        await device.Context.RunAsync(async () =>
        {
            int call = device.Marked;
            UploadProgress progress = await device.Volume.WaitUploadedAsync(null, device.Machine.Life);
            if (progress.Done && !device.Machine.IsDead)
            {
                device.NoteConfirmed(call);
            }
            else if (!progress.Done && !device.Machine.IsDead && !device.Machine.HasMetFault)
            {
                throw new SimulationException($"Device {device.Number} waited, and not everything is in the store: {progress}");
            }
        });
        device.Machine.Weather = weather;
    }

    private async Task ReopenAsync(Device device)
    {
        await device.Context.RunAsync(async () =>
        {
            int call = device.Marked;
            bool isSaved = await device.Volume.StopAsync();
            if (isSaved && !device.Machine.IsDead)
            {
                device.NoteSynced(call);
            }
            else if (!device.Machine.IsDead && !device.Machine.HasMetFault)
            {
                throw new SimulationException($"A stop of device {device.Number} did not save everything: {device.Volume.GetStatus().LastError}");
            }
        });
        await ComeBackAsync(device);
    }

    /// <summary>After a death, or a fault of the disk that the volume does not take more changes after.</summary>
    private async Task ReviveAsync(Device device)
    {
        if (device.Failure is { } failure)
        {
            throw failure;
        }

        if (device.Machine.IsDead)
        {
            _deaths++;
        }
        else if (device.Volume.GetStatus() is var status && (status.ReadOnlyReason ?? (status.Store == StoreCondition.Stopped ? status.LastError : null)) is { } reason)
        {
            if (!device.Machine.HasMetFault)
            {
                throw new SimulationException($"Device {device.Number} stopped: {reason}");
            }
        }
        else
        {
            return;
        }

        await ComeBackAsync(device);
    }

    private async Task ComeBackAsync(Device device)
    {
        // A start needs no store; but one that is there in part only is another matter than this run's.
        Weather weather = device.Machine.Weather;
        device.Machine.Weather = weather.IsAway ? weather : Weather.Fair;
        device.Machine.Heal();
        device.Context.Resume();
        bool hadFault = device.Machine.HasMetFault;
        await device.Context.RunAsync(async () =>
        {
            await device.Machine.BuryAsync();
            try
            {
                _deaths += await Trouble.BootOfTwoAsync(device.Machine, _world.DiskRandom, device.BootAsync);
            }
            catch (LocalStateException error) when (hadFault && weather.IsAway && error.InnerException is StoreException)
            {
                // What a failing disk took of the database is in the store.
                device.Machine.Weather = Weather.Fair;
                await device.Machine.BuryAsync();
                await device.BootAsync();
            }
        });
        device.Machine.Weather = weather;
    }

    /// <summary>The machine is gone, and another one takes its place. What was not confirmed may be gone with it.</summary>
    private async Task LoseAsync(Device device)
    {
        if (_losses >= LossesMax)
        {
            return;
        }

        _losses++;
        _deaths++;
        await device.Context.RunAsync(async () =>
        {
            device.Machine.Die(CrashKind.Process);
            await device.Machine.BuryAsync();
        });
        _lost.Add(device);
        int number = _devices.Length + _losses;
        string name = $"spare{number}";
        Enrolment enrolment = await Oracle.EnrolAsync(_world, isLogCut: false, name);
        Device spare = NewDevice(number, name, enrolment.Keys, enrolment.Head);
        _devices[Array.IndexOf(_devices, device)] = spare;
        await spare.Context.RunAsync(async () => _deaths += await Trouble.BootOfTwoAsync(spare.Machine, _world.DiskRandom, spare.BootAsync));
    }

    /// <summary>All faults stop (those of the network for a while only), and all devices get everything of each other.</summary>
    private async Task SettleAsync(bool isLast)
    {
        List<(Device Device, Weather Weather)> before = [.. _devices.Select(static device => (device, device.Machine.Weather))];
        for (int round = 0; ; round++)
        {
            foreach (Device device in _devices)
            {
                device.Machine.Weather = Weather.Fair;
                device.Machine.Heal();
                device.Machine.DieAt(-1, default);
                device.Context.Resume();
                await ReviveAsync(device);
                await WaitAsync(device);
                await ReviveAsync(device);
            }

            foreach (Device device in _devices)
            {
                device.Volume.LookSoon();
            }

            await Task.Delay(TimeSpan.FromSeconds(5), _world.Time);
            VolumeStatus[] all = [.. _devices.Select(static device => device.Machine.IsDead ? null! : device.Volume.GetStatus())];
            if (all.All(status => status is not null && status.Seq == all[0].Seq && status.LocalOnly.Files + status.Uploading.Files == 0) && !_devices.Any(OwesWord))
            {
                break;
            }

            if (round == RoundsMax)
            {
                throw new SimulationException($"The devices do not settle:\n{string.Join('\n', all.Select(static status => status?.ToString()))}");
            }
        }

        foreach ((Device device, Weather weather) in before)
        {
            device.Machine.Weather = isLast ? Weather.Fair : weather;
        }
    }

    private async Task HoldAsync()
    {
        // Nobody has anything to say any more; and what was asked in foul weather, and others would share, has ended after that.
        long seq = _devices[0].Volume.GetStatus().Seq;
        await Task.Delay(TimeSpan.FromMinutes(1), _world.Time);
        if (_devices[0].Volume.GetStatus().Seq != seq)
        {
            throw new SimulationException("All had settled, and somebody sent another commit.");
        }

        TreeSnapshot tree = await TreeSnapshot.CaptureAsync(_devices[0].Volume);
        foreach (Device device in _devices)
        {
            List<string> differences = tree.Differences(await TreeSnapshot.CaptureAsync(device.Volume));
            if (differences.Count > 0)
            {
                throw new SimulationException($"Device {device.Number} shows another tree than device 1:\n{string.Join('\n', differences)}");
            }

            foreach (Device other in _devices)
            {
                HoldMark(device, other);
            }
        }

        foreach (Device lost in _lost)
        {
            HoldLost(lost);
        }

        await HoldPastAsync();
        await HoldLedgerAsync(_devices[0]);
        if (_world.DiskRandom.Next(8) == 0)
        {
            await Oracle.HoldInStoreAsync(_world, _devices[0].Volume);
        }
    }

    private void HoldMark(Device at, Device of)
    {
        DeviceCall? last = _ledger.Of(of.Number).LastOrDefault(static call => call.Fate == Fate.Lives);
        if (last is not null && at.ReadMark(of.Number) < last.Number)
        {
            throw new SimulationException($"Device {at.Number} shows only the calls of device {of.Number} up to {at.ReadMark(of.Number)}; the last is {last.Number}.");
        }
    }

    private void HoldLost(Device lost)
    {
        int marked = _devices[0].ReadMark(lost.Number);
        if (marked < lost.Confirmed)
        {
            throw new SimulationException($"Device {lost.Number} was lost; {lost.Confirmed} calls were confirmed and {marked} are there.");
        }

        bool isOrdered = _world.Settings.LateFileBytes > 1 << 20;
        _ledger.Lose(lost.Number, isOrdered ? marked : lost.Confirmed, isOrdered ? Fate.Lost : Fate.Unsure);
    }

    private async Task HoldLedgerAsync(Device device)
    {
        List<FinalFile> files = [];
        List<(NodeId, string)> conflicts = [];
        foreach ((string path, string name, NodeAttributes attributes) in device.List())
        {
            if (Device.ReadConflictName(name) is not null)
            {
                conflicts.Add((attributes.Node, name));
            }

            if (FileMode.IsRegular(attributes.Mode))
            {
                byte[] buffer = new byte[attributes.Size];
                IoResult result = await device.Volume.ReadAsync(HandleId.Of(attributes.Node), 0, buffer, CancellationToken.None);
                files.Add(result.Status == FsStatus.Ok && result.Count == attributes.Size
                    ? new FinalFile(path, attributes.Node, Cells.Decode(buffer))
                    : throw new SimulationException($"{path} cannot be read: {result.Status}, {result.Count} of {attributes.Size}"));
            }
        }

        _ledger.Hold(files, conflicts);
    }
}
