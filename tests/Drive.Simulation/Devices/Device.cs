using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Simulation.Seeds;
using Drive.Simulation.World;
using Drive.Testing;
using Drive.Testing.Disk;
using Microsoft.Extensions.Logging;

namespace Drive.Simulation.Devices;

/// <summary>
/// One of several devices of a vault: a machine with a clock and a context of its own, and what a run knows of it. Behind each call that changes something it sets its mark, the number of that call, on a
/// node that only it touches. So the mark in any tree tells how much of this device's work that tree has: after a crash, and on the others.
/// </summary>
internal sealed partial class Device : ILogger
{
    private const int TakenOverEvent = 3016;
    private static readonly byte[] MarkName = "user.mark"u8.ToArray();

    private readonly SimulatedWorld _world;
    private readonly Ledger _ledger;
    private readonly int[] _shown;

    public Device(SimulatedWorld world, Ledger ledger, int number, int devicesMax, string name, byte[] keys, Vault.Log.VaultState? head, int seed)
    {
        _world = world;
        _ledger = ledger;
        _shown = new int[devicesMax];
        Number = number;
        Name = name;
        Random random = new(seed);
        Clock = new DeviceClock(world.Time, Trouble.ClockStep(random));
        Context = new ProcessContext(world.Scheduler);
        Machine = new Machine(world, keys) { Clock = Clock, Bytes = new SeededRandom(random.Next()), Log = this, ProvenHead = head };
    }

    /// <summary>From 1; a machine that takes over from a lost one has a new one.</summary>
    public int Number { get; }

    /// <summary>As the vault knows it.</summary>
    public string Name { get; }

    public Machine Machine { get; }

    public DeviceClock Clock { get; }

    public ProcessContext Context { get; }

    public Volume Volume => Machine.Volume!;

    /// <summary>Calls until now.</summary>
    public int CallCount { get; private set; }

    /// <summary>The last call that it shows: those after it were taken back by a crash.</summary>
    public int Marked { get; private set; }

    /// <summary>The last call that an fsync made last.</summary>
    public int Synced { get; private set; }

    /// <summary>The last call that is said to be in the store.</summary>
    public int Confirmed { get; private set; }

    /// <summary>No merge on any device may come to conflict copies: everybody sees everything before doing something.</summary>
    public bool IsTame { get; init; }

    /// <summary>A failure where nobody could throw.</summary>
    public Exception? Failure { get; private set; }

    public int Merges { get; private set; }

    private NodeId Mark { get; set; }

    private static byte[] FileOf(int device) => Encoding.UTF8.GetBytes($"m{device}");

    public static bool IsMark(string name) => name.Length is 2 or 3 && name[0] == 'm' && char.IsAsciiDigit(name[1]);

    /// <summary>Starts the machine; its mark tells which calls are still there.</summary>
    public async Task BootAsync()
    {
        await Machine.BootAsync();
        if (Volume.GetStatus() is { ReadOnlyReason: { } reason })
        {
            throw new SimulationException($"Device {Number} came back read-only: {reason}");
        }

        int marked = ReadMark(Number);
        if (Machine.IsDead)
        {
            throw new SimulationException("It died on the way up, and what it showed was nothing.");
        }

        if (marked < Math.Max(Synced, Confirmed))
        {
            throw new SimulationException($"Device {Number} came back with its calls up to {marked}; {Synced} was synced, {Confirmed} confirmed.");
        }

        Marked = marked;
        _ledger.Lose(Number, marked);
        _world.Trace.Add("back", marked, CallCount);
        Array.Clear(_shown);
        NoteCopies();
        Array.Clear(_shown);
        See();
        EnsureMark();
    }

    /// <summary>The number of the next call.</summary>
    public int NextNumber() => ++CallCount;

    public void SetMark(int call)
    {
        byte[] value = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(value, call);
        EnsureMark();
        if (Volume.SetExtendedAttribute(Mark, MarkName, value, default) == FsStatus.Ok)
        {
            Marked = call;
        }
    }

    /// <summary>A line of the trace.</summary>
    public void Tell(string what, long first = 0, long second = 0) => _world.Trace.Add($"device {Number}: {what}", first, second);

    /// <summary>How much of each device's work this one shows. It never becomes less while the machine runs.</summary>
    public int[] See()
    {
        for (int device = 1; device < _shown.Length; device++)
        {
            int mark = device == Number ? CallCount : ReadMark(device);
            if (mark < _shown[device])
            {
                throw new SimulationException($"Device {Number} showed call {_shown[device]} of device {device}, and now only {mark}.");
            }

            _shown[device] = mark;
        }

        return [.. _shown];
    }

    /// <summary>The last call of a device that is part of what this one shows.</summary>
    public int ReadMark(int device)
    {
        byte[] value = new byte[sizeof(int)];
        return Volume.Lookup(NodeId.Root, FileOf(device), out NodeAttributes file) == FsStatus.Ok
            && Volume.GetExtendedAttribute(file.Node, MarkName, value, out int length) == FsStatus.Ok && length == value.Length
            ? BinaryPrimitives.ReadInt32LittleEndian(value) : 0;
    }

    /// <summary>An fsync said yes.</summary>
    public void NoteSynced(int call) => Synced = Math.Max(Synced, call);

    public void NoteConfirmed(int call) => Confirmed = Math.Max(Confirmed, call);

    /// <summary>All names below the root but the marks, with what they lead to. Sub-folders after their folder.</summary>
    public List<(string Path, string Name, NodeAttributes Attributes)> List()
    {
        List<(string, string, NodeAttributes)> found = [];
        Queue<(string Path, NodeId Node)> folders = new([("", NodeId.Root)]);
        while (folders.TryDequeue(out (string Path, NodeId Node) folder))
        {
            DirectoryCollector collector = new();
            if (Volume.OpenDirectory(folder.Node, out HandleId handle) != FsStatus.Ok)
            {
                continue;
            }

            Volume.ReadDirectory(handle, 0, collector);
            Volume.CloseDirectory(handle);
            foreach ((byte[] bytes, NodeAttributes attributes, _) in collector.Entries.OrderBy(static entry => entry.Name, ByteNameComparer.Instance))
            {
                string name = Encoding.UTF8.GetString(bytes);
                if (name is "." or ".." || (folder.Node == NodeId.Root && IsMark(name)))
                {
                    continue;
                }

                found.Add(($"{folder.Path}/{name}", name, attributes));
                if (FileMode.IsDirectory(attributes.Mode))
                {
                    folders.Enqueue(($"{folder.Path}/{name}", attributes.Node));
                }
            }
        }

        return found;
    }

    /// <summary>Who made a conflict name, and of which name; null: it is none.</summary>
    public static (string Device, string Wanted)? ReadConflictName(string name) =>
        ConflictName().Match(name) is { Success: true } match ? (match.Groups[2].Value, match.Groups[1].Value + match.Groups[3].Value) : null;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    /// <summary>A merge is told of just after it is made, before anything else happens on the device.</summary>
    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id == TakenOverEvent && !Machine.IsDead)
        {
            Merges++;
            Tell(formatter(state, exception));
            if (Machine.Volume is not null && Failure is null)
            {
                try
                {
                    NoteCopies();
                }
                catch (Exception error)
                {
                    Failure = error;
                }
            }
        }
    }

    /// <summary>Conflict copies that this device made must have a reason.</summary>
    private void NoteCopies()
    {
        int[] before = [.. _shown];
        int[] after = See();
        foreach ((string path, string name, NodeAttributes attributes) in List())
        {
            if (ReadConflictName(name) is ({ } device, { } wanted) && device == Name)
            {
                if (IsTame)
                {
                    throw new SimulationException($"Device {Number} made the conflict copy '{path}', though everybody had seen everything.");
                }

                _ledger.AddCopy(Number, before, after, attributes.Node, name, wanted);
            }
        }
    }

    private void EnsureMark()
    {
        if (Volume.Lookup(NodeId.Root, FileOf(Number), out NodeAttributes file) == FsStatus.Ok
            || Volume.MakeNode(NodeId.Root, FileOf(Number), FileMode.Regular | 0x180, 0, Caller.Root, out file) == FsStatus.Ok)
        {
            Mark = file.Node;
        }
    }

    [GeneratedRegex(@"^(.*) \(conflict, (\w+), \d{4}-\d\d-\d\d \d\d-\d\d(?:, \d+)?\)(\.[^.]*)?$", RegexOptions.CultureInvariant)]
    private static partial Regex ConflictName();
}
