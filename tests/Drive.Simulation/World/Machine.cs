using Drive.Core.Platform;
using Drive.Engine;
using Drive.Testing.Disk;
using Drive.Testing.Sqlite;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Simulation.World;

/// <summary>
/// A device: a disk, and on it one process at a time that serves the volume. The process can be killed (what it wrote stays, synced or not), the power can go
/// (what was not synced stays in part or not at all), now or at any later call to the disk.
/// </summary>
internal sealed class Machine(SimulatedWorld world, byte[] keys)
{
    private const long DiskBytes = 1L << 40;

    private FaultyDisk? _disk;
    private SqliteDisk? _vfs;
    private SimulatedStore? _store;
    private CancellationTokenSource _life = new();
    private int _changesUntilDeath = -1;
    private CrashKind _death;
    private int _changesUntilFault = -1;
    private int _faultsLeft;
    private VaultState? _provenHead;
    private Func<Exception> _fault = FaultyDisk.InputOutputError;
    private Weather? _weather;

    /// <summary>What is on the disk, and what of it would survive.</summary>
    public MemoryDisk Memory { get; private set; } = new(DiskBytes);

    /// <summary>The volume of the process that runs; null when none does.</summary>
    public Volume? Volume { get; private set; }

    /// <summary>Cancelled when the process dies: nobody waits for the dead.</summary>
    public CancellationToken Life => _life.Token;

    public bool IsDead => _disk is { IsOff: true };

    /// <summary>When it died last, by the time that passes.</summary>
    public DateTimeOffset DiedAt { get; private set; }

    /// <summary>Whether a fault of the disk was met since the start of the process.</summary>
    public bool HasMetFault { get; private set; }

    /// <summary>Told before each change of the disk.</summary>
    public Action<DiskCall>? BeforeChange { get; set; }

    /// <summary>Changes of the disk until now.</summary>
    public int Changes { get; private set; }

    /// <summary>The way from this machine to the store; the world's until it is set.</summary>
    public Weather Weather
    {
        get => _weather ?? world.Weather;
        set
        {
            _weather = value;
            _store?.Weather = value;
        }
    }

    /// <summary>Its clock; the world's when it is the only machine.</summary>
    public TimeProvider Clock { get; init; } = world.Time;

    /// <summary>Its keys, ids and nonces.</summary>
    public IRandomSource Bytes { get; init; } = world.Bytes;

    /// <summary>Hears what the volume logs.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>A machine that was just enrolled keeps at its first start the head that this has proven, and starts at the last checkpoint.</summary>
    public VaultState? ProvenHead
    {
        init => _provenHead = value;
    }

    public static Machine Enrolled(SimulatedWorld world, Enrolment enrolment) => new(world, enrolment.Keys) { ProvenHead = enrolment.Head };

    public static Machine On(SimulatedWorld world, byte[] keys, MemoryDisk image) => new(world, keys) { Memory = image };

    /// <summary>Starts the process. It throws what the start throws; when the machine died meanwhile, call <see cref="BuryAsync"/> and start again.</summary>
    public async Task BootAsync()
    {
        _disk = new FaultyDisk(Memory) { Fault = OnCall, Lies = world.Lies };
        _vfs = SqliteDisk.Over(_disk);
        _store = new SimulatedStore(world.Store, world.Time, world.StoreRandom, world.Trace) { Weather = Weather };
        HasMetFault = false;
        _life = new CancellationTokenSource();
        VolumeSettings settings = world.Settings with { Database = world.Settings.Database with { Vfs = _vfs.Name } };
        if (_provenHead is { } head)
        {
            using VaultKeys kept = VaultKeys.Import(keys);
            Volume.KeepProvenHead(settings, kept, _disk, head);
            _provenHead = null;
        }

        Volume = await Volume.OpenAsync(
            settings, VaultKeys.Import(keys), _store, _disk, Clock, Bytes, Log, CancellationToken.None);
    }

    /// <summary>Dies at the n-th change of the disk from now on; 0 is the next, -1 none.</summary>
    public void DieAt(int change, CrashKind kind)
    {
        _changesUntilDeath = change;
        _death = kind;
    }

    /// <summary>Dies now.</summary>
    public void Die(CrashKind kind)
    {
        world.Trace.Add("dies", (int)kind);
        _disk!.TurnOff();
        _store!.Cut();
        _life.Cancel();
        DiedAt = world.Time.Elapsed;
        _changesUntilDeath = -1;
        if (kind != CrashKind.Process)
        {
            Memory = Memory.Crash(kind, world.DiskRandom);
        }
    }

    /// <summary>From the n-th change on, so many changes fail.</summary>
    public void FailAt(int change, int count, Func<Exception> fault)
    {
        _changesUntilFault = change;
        _faultsLeft = count;
        _fault = fault;
    }

    /// <summary>The disk is well again.</summary>
    public void Heal()
    {
        _changesUntilFault = -1;
        _faultsLeft = 0;
    }

    /// <summary>Ends what is left of a process, dead or alive.</summary>
    public async Task BuryAsync()
    {
        if (Volume is { } volume)
        {
            Volume = null;
            await volume.DisposeAsync();
        }

        _store?.Cut();
        _vfs?.Dispose();
        _vfs = null;
        _disk = null;
    }

    private Exception? OnCall(DiskCall call)
    {
        world.Trace.Add(call.Operation.ToString(), call.Offset, call.Length);
        world.Trace.Add(call.Path);
        if (!call.IsChange)
        {
            return null;
        }

        Changes++;
        BeforeChange?.Invoke(call);
        if (_changesUntilDeath >= 0 && _changesUntilDeath-- == 0)
        {
            Die(_death);
            return FaultyDisk.InputOutputError();
        }

        if (_changesUntilFault > 0)
        {
            _changesUntilFault--;
        }
        else if (_changesUntilFault == 0 && _faultsLeft > 0)
        {
            _faultsLeft--;
            HasMetFault = true;
            world.Trace.Add("fault");
            return _fault();
        }

        return null;
    }
}
