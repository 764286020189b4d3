using System.Text;
using Drive.Core.Volumes;
using Drive.Simulation.World;

namespace Drive.Simulation.Devices;

/// <content>Finding places, and making calls so that the ledger has them.</content>
internal sealed partial class DeviceUser
{
    private const int ReadTries = 3;

    private Place PickFolder(Random random) => Resolve(PickFolderPath(random) + "/" + FolderNames[random.Next(FolderNames.Length)]) ?? Root(FolderNames[random.Next(FolderNames.Length)]);

    /// <summary>One of the few names, in a folder that is made when it is missing; or any file that is there, conflict copies among them.</summary>
    private Place PickFile(Random random)
    {
        if (random.Next(10) == 0 && device.List().Where(static item => FileMode.IsRegular(item.Attributes.Mode)).ToList() is { Count: > 0 } there)
        {
            return Resolve(there[random.Next(there.Count)].Path)!;
        }

        string path = PickFolderPath(random);
        string name = FileNames[random.Next(FileNames.Length)];
        if (Resolve(path + "/" + name) is { } place)
        {
            return place;
        }

        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int depth = 1; depth <= parts.Length; depth++)
        {
            if (Resolve("/" + string.Join('/', parts[..depth])) is { } folder && Find(folder) is null)
            {
                MakeFolder(folder);
            }
        }

        return Resolve(path + "/" + name) ?? Root(name);
    }

    private static string PickFolderPath(Random random) => random.Next(6) switch
    {
        0 or 1 => "",
        2 or 3 or 4 => "/" + FolderNames[random.Next(FolderNames.Length)],
        _ => $"/{FolderNames[random.Next(FolderNames.Length)]}/{FolderNames[random.Next(FolderNames.Length)]}",
    };

    private static Place Root(string name) => new(NodeId.Root, name, $"/{name}", [NodeId.Root]);

    private static bool IsMarkPlace(Place place) => place.Folder == NodeId.Root && Device.IsMark(place.Name);

    /// <summary>Null: a folder on the way is missing.</summary>
    private Place? Resolve(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        List<NodeId> folders = [NodeId.Root];
        foreach (string part in parts[..^1])
        {
            if (_volume.Lookup(folders[^1], Encoding.UTF8.GetBytes(part), out NodeAttributes found) != FsStatus.Ok || !FileMode.IsDirectory(found.Mode))
            {
                return null;
            }

            folders.Add(found.Node);
        }

        return new Place(folders[^1], parts[^1], path, folders);
    }

    private NodeAttributes? Find(Place place) => _volume.Lookup(place.Folder, place.Bytes, out NodeAttributes found) == FsStatus.Ok ? found : null;

    /// <summary>The file, made when it is missing; null when there is no such thing.</summary>
    private NodeAttributes? EnsureFile(Place place)
    {
        if (Find(place) is null)
        {
            Do($"create {place.Path}", place, () => _volume.MakeNode(place.Folder, place.Bytes, FileMode.Regular | 0x1A4, 0, Caller.Root, out _), [place.Name], []);
        }

        return Find(place) is { } file && FileMode.IsRegular(file.Mode) ? file : null;
    }

    private void MakeFolder(Place place) =>
        Do($"mkdir {place.Path}", place, () => _volume.MakeDirectory(place.Folder, place.Bytes, 0x1ED, Caller.Root, out _), [place.Name], []);

    private void RemoveFolder(Place place)
    {
        if (Find(place) is { } folder && FileMode.IsDirectory(folder.Mode))
        {
            Do($"rmdir {place.Path} {folder.Node}", place, () => _volume.RemoveDirectory(place.Folder, place.Bytes), [place.Name], [folder.Node]);
            _volume.Forget(folder.Node);
        }
    }

    /// <summary>Whether a place still leads to what was found there: while a read waits, a merge may change everything.</summary>
    private bool IsStill(Place place, NodeAttributes file) =>
        Find(place) is { } now && now.Node == file.Node && now.Size == file.Size && now.ModifyTime == file.ModifyTime && now.LinkCount == file.LinkCount;

    /// <summary>All of a file as it is at this moment; null when it is not to be had just now.</summary>
    private async Task<ulong[]?> ReadAsync(Place place, NodeAttributes file)
    {
        for (int tries = 0; tries < ReadTries && IsStill(place, file); tries++)
        {
            byte[] buffer = new byte[file.Size + 1];
            ValueTask<IoResult> reading = _volume.ReadAsync(HandleId.Of(file.Node), 0, buffer, CancellationToken.None);
            bool isAtOnce = reading.IsCompleted;
            IoResult result = await reading;
            if (result.Status != FsStatus.Ok)
            {
                // A store that was away is taken for away for a second after it is back.
                Check(result.Status == FsStatus.Unreachable ? FsStatus.NotFound : result.Status, $"read of {file.Node}");
                return null;
            }

            // What was waited for may be old by now: it is read again, out of the cache.
            if (isAtOnce)
            {
                return result.Count == file.Size
                    ? Cells.Decode(buffer.AsSpan(0, (int)result.Count))
                    : throw new SimulationException($"{file.Node} has {file.Size} bytes, and {result.Count} were read.");
            }
        }

        return null;
    }

    /// <summary>A change of a file's content, of which the whole content after it is known.</summary>
    private bool Change(string text, Place place, NodeAttributes file, ulong[] before, ulong[] after, IReadOnlyList<ulong> written, Func<HandleId, FsStatus> call) =>
        Do(place, () => call(HandleId.Of(file.Node)), number => ContentCall(text, place, file, before, after, written, number)) && Note(after);

    private async Task ChangeAsync(string text, Place place, NodeAttributes file, ulong[] before, ulong[] after, Func<HandleId, Task<FsStatus>> call)
    {
        DeviceCall made = ContentCall(text, place, file, before, after, [], device.CallCount + 1);
        FsStatus status = await call(HandleId.Of(file.Node));
        if (Do(place, () => status, _ => made))
        {
            Note(after);
        }
    }

    private DeviceCall ContentCall(string text, Place place, NodeAttributes file, ulong[] before, ulong[] after, IReadOnlyList<ulong> written, int number)
    {
        HashSet<ulong> left = [.. after];
        return new DeviceCall
        {
            Device = device.Number,
            Number = number,
            Text = text,
            Saw = device.See(),
            Written = written,
            Superseded = [.. before.Where(cell => cell != Cells.None && !left.Contains(cell))],
            At = place.Name,
            Nodes = [file.Node],
            Folders = place.Folders,
        };
    }

    private bool Note(ulong[] after)
    {
        ledger.NoteContent(after);
        return true;
    }

    private bool Do(string text, Place place, Func<FsStatus> call, IReadOnlyList<string> names, IReadOnlyList<NodeId> nodes) => Do(place, call, number => new DeviceCall
    {
        Device = device.Number,
        Number = number,
        Text = text,
        Saw = device.See(),
        At = place.Name,
        Names = names,
        Nodes = nodes,
        Folders = place.Folders,
    });

    /// <summary>Makes a call and sets the mark behind it: nothing is saved in between. What is refused changed nothing, unless the machine died just then.</summary>
    private bool Do(Place place, Func<FsStatus> call, Func<int, DeviceCall> describe)
    {
        if (device.Machine.IsDead || IsMarkPlace(place))
        {
            return false;
        }

        int number = device.CallCount + 1;
        DeviceCall made = describe(number);
        FsStatus status = call();
        device.Tell(made.Text, number, (int)status);
        if (status != FsStatus.Ok && !device.Machine.IsDead)
        {
            Check(status, made.Text);
            return false;
        }

        ledger.Add(made);
        device.NextNumber();
        if (status == FsStatus.Ok)
        {
            device.SetMark(number);
        }

        return status == FsStatus.Ok;
    }

    private void Check(FsStatus status, string what)
    {
        bool isPlain = status is FsStatus.NotFound or FsStatus.Exists or FsStatus.NotDirectory or FsStatus.IsDirectory or FsStatus.NotEmpty or FsStatus.Invalid or FsStatus.NoAttribute;
        if (!isPlain && !isExcused(status))
        {
            throw new SimulationException($"Device {device.Number}: {what} gives {status}. {device.Machine.Volume?.GetStatus().LastError}");
        }
    }

    /// <summary>A name in a folder.</summary>
    /// <param name="Folder">The folder.</param>
    /// <param name="Name">The name.</param>
    /// <param name="Path">The whole path.</param>
    /// <param name="Folders">From the root to the folder.</param>
    private sealed record Place(NodeId Folder, string Name, string Path, IReadOnlyList<NodeId> Folders)
    {
        public byte[] Bytes => Encoding.UTF8.GetBytes(Name);
    }
}
