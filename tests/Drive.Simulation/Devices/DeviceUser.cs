using System.Text;
using Drive.Core.Volumes;
using Drive.Simulation.World;

namespace Drive.Simulation.Devices;

/// <summary>
/// Who works on a device: random calls on a few names, so that the devices meet at all of them. Before each call it looks at what the call does away with, and leaves the file alone when it cannot be read just then.
/// </summary>
internal sealed partial class DeviceUser(Device device, Ledger ledger, Func<FsStatus, bool> isExcused)
{
    private const int FileCellsMax = 700;
    internal static readonly string[] FolderNames = ["d1", "d2"];
    private static readonly string[] FileNames = ["a.txt", "b", "c", "e"];
    private static readonly (Func<DeviceUser, Random, Task> Act, int Weight)[] Acts =
    [
        (static (user, random) => user.WriteAsync(random), 22), (static (user, random) => user.ReplaceAsync(random), 6), (static (user, random) => user.SaveAsync(random), 8),
        (static (user, random) => user.WriteAlikeAsync(random), 4), (static (user, random) => user.CreateAsync(random), 5), (static (user, random) => user.MakeFolderAsync(random), 4),
        (static (user, random) => user.RemoveFolderAsync(random), 3), (static (user, random) => user.RemoveTreeAsync(random), 2), (static (user, random) => user.UnlinkAsync(random), 8),
        (static (user, random) => user.MoveFileAsync(random), 10), (static (user, random) => user.MoveFolderAsync(random), 4), (static (user, random) => user.ExchangeAsync(random), 2),
        (static (user, random) => user.LinkAsync(random), 4), (static (user, random) => user.CutAsync(random), 5), (static (user, random) => user.PunchAsync(random), 3),
        (static (user, random) => user.CopyAsync(random), 3), (static (user, random) => user.SetAttributeAsync(random), 4), (static (user, random) => user.SyncAsync(), 9),
    ];

    private readonly IVolume _volume = device.Volume;

    /// <summary>One act: a call, or a few that belong together.</summary>
    public Task ActAsync(Random random)
    {
        int ticket = random.Next(Acts.Sum(static act => act.Weight));
        foreach ((Func<DeviceUser, Random, Task> act, int weight) in Acts)
        {
            ticket -= weight;
            if (ticket < 0)
            {
                return act(this, random);
            }
        }

        throw new System.Diagnostics.UnreachableException();
    }

    public async Task SyncAsync()
    {
        int call = device.Marked;
        FsStatus status = await _volume.FsyncAsync(HandleId.None, false, CancellationToken.None);
        if (status == FsStatus.Ok && !device.Machine.IsDead)
        {
            device.NoteSynced(call);
        }
        else
        {
            Check(status, "fsync");
        }
    }

    private async Task WriteAsync(Random random)
    {
        Place place = PickFile(random);
        if (EnsureFile(place) is { } file && await ReadAsync(place, file) is { } cells)
        {
            int count = random.Next(12) == 0 ? random.Next(1, 300) : random.Next(1, 8);
            Write(place, file, cells, Math.Min(random.Next(cells.Length + 3), FileCellsMax - count), index => Cells.Compose(device.Number, device.CallCount, index), count);
        }
    }

    /// <summary>Cut to nothing and written anew, in place.</summary>
    private async Task ReplaceAsync(Random random)
    {
        Place place = PickFile(random);
        if (EnsureFile(place) is { } file && await ReadAsync(place, file) is { } cells && (cells.Length == 0 || Resize(place, file, cells, 0)))
        {
            Write(place, file, [], 0, index => Cells.Compose(device.Number, device.CallCount, index), random.Next(1, 20));
        }
    }

    /// <summary>As editors save: a new file, renamed over the old one.</summary>
    private async Task SaveAsync(Random random)
    {
        Place place = PickFile(random);
        Place beside = place with { Name = place.Name + ".new" };
        if (EnsureFile(beside) is { } file && await ReadAsync(beside, file) is { Length: < 40 } cells
            && Write(beside, file, cells, 0, index => Cells.Compose(device.Number, device.CallCount, index), Math.Max(cells.Length, random.Next(1, 10))))
        {
            if (random.Next(3) == 0)
            {
                await SyncAsync();
            }

            await MoveAsync(beside, place, RenameOptions.None);
        }
    }

    /// <summary>The same bytes as on other devices: no reason for a copy.</summary>
    private async Task WriteAlikeAsync(Random random)
    {
        Place place = PickFile(random);
        int content = random.Next(3);
        if (EnsureFile(place) is { } file && await ReadAsync(place, file) is { } cells && (cells.Length == 0 || Resize(place, file, cells, 0)))
        {
            Write(place, file, [], 0, index => Cells.Compose(0, content, index), content + 2);
        }
    }

    private Task CreateAsync(Random random)
    {
        EnsureFile(PickFile(random));
        return Task.CompletedTask;
    }

    private Task MakeFolderAsync(Random random)
    {
        Place place = PickFolder(random);
        MakeFolder(place);
        return Task.CompletedTask;
    }

    private Task RemoveFolderAsync(Random random)
    {
        RemoveFolder(PickFolder(random));
        return Task.CompletedTask;
    }

    /// <summary>As rm -r does: what is in it first.</summary>
    private async Task RemoveTreeAsync(Random random)
    {
        Place folder = PickFolder(random);
        if (Find(folder) is not { } found || !FileMode.IsDirectory(found.Mode))
        {
            return;
        }

        foreach ((string path, _, NodeAttributes attributes) in device.List().Where(item => item.Path.StartsWith($"{folder.Path}/", StringComparison.Ordinal)).Reverse().ToList())
        {
            if (Resolve(path) is not { } place)
            {
                continue;
            }

            if (FileMode.IsDirectory(attributes.Mode))
            {
                RemoveFolder(place);
            }
            else
            {
                await UnlinkAsync(place);
            }
        }

        RemoveFolder(folder);
    }

    private Task UnlinkAsync(Random random) => UnlinkAsync(PickFile(random));

    private async Task UnlinkAsync(Place place)
    {
        if (Find(place) is not { } file || !FileMode.IsRegular(file.Mode) || await ReadAsync(place, file) is not { } cells)
        {
            return;
        }

        bool isLast = file.LinkCount == 1;
        Do(place, () => _volume.Unlink(place.Folder, place.Bytes), number => new DeviceCall
        {
            Device = device.Number,
            Number = number,
            Text = $"unlink {place.Path} {file.Node}",
            Saw = device.See(),
            Superseded = isLast ? cells : [],
            Removed = isLast ? file.Node : NodeId.None,
            Names = [place.Name],
            Nodes = [file.Node],
            Folders = place.Folders,
        });
        _volume.Forget(file.Node);
    }

    private async Task MoveFileAsync(Random random)
    {
        Place from = PickFile(random);
        await MoveAsync(from, PickFile(random), random.Next(4) == 0 ? RenameOptions.NoReplace : RenameOptions.None);
    }

    private Task MoveFolderAsync(Random random) => MoveAsync(PickFolder(random), PickFolder(random), RenameOptions.None);

    private Task ExchangeAsync(Random random) => MoveAsync(PickFile(random), random.Next(3) == 0 ? PickFolder(random) : PickFile(random), RenameOptions.Exchange);

    private async Task MoveAsync(Place from, Place to, RenameOptions options)
    {
        if (Find(from) is not { } moved || IsMarkPlace(from) || IsMarkPlace(to))
        {
            return;
        }

        NodeAttributes? replaced = Find(to);
        ulong[] cells = [];
        if (replaced is { } target && options == RenameOptions.None && FileMode.IsRegular(target.Mode))
        {
            if (target.Node == moved.Node || await ReadAsync(to, target) is not { } found || !IsStill(from, moved))
            {
                return;
            }

            cells = found;
        }

        bool isOver = replaced is not null && options == RenameOptions.None;
        bool isLast = isOver && FileMode.IsRegular(replaced!.Value.Mode) && replaced.Value.LinkCount == 1;
        Do(from, () => _volume.Rename(from.Folder, from.Bytes, to.Folder, to.Bytes, options), number => new DeviceCall
        {
            Device = device.Number,
            Number = number,
            Text = $"rename {from.Path} {moved.Node} to {to.Path} {replaced?.Node} {options}",
            Saw = device.See(),
            Superseded = isLast ? cells : [],
            Removed = isLast ? replaced!.Value.Node : NodeId.None,
            Names = [from.Name, to.Name],
            Nodes = replaced is { } other ? [moved.Node, other.Node] : [moved.Node],
            Folders = [.. from.Folders, .. to.Folders],
        });
        if (isOver)
        {
            _volume.Forget(replaced!.Value.Node);
        }
    }

    private Task LinkAsync(Random random)
    {
        Place from = PickFile(random);
        Place to = PickFile(random);
        if (Find(from) is { } file && FileMode.IsRegular(file.Mode))
        {
            Do($"link {from.Path} {file.Node} as {to.Path}", to, () => _volume.Link(file.Node, to.Folder, to.Bytes, out _), [to.Name], [file.Node]);
        }

        return Task.CompletedTask;
    }

    private async Task CutAsync(Random random)
    {
        Place place = PickFile(random);
        if (Find(place) is { } file && FileMode.IsRegular(file.Mode) && await ReadAsync(place, file) is { } cells)
        {
            Resize(place, file, cells, random.Next(cells.Length + 5));
        }
    }

    private async Task PunchAsync(Random random)
    {
        Place place = PickFile(random);
        if (Find(place) is not { } file || !FileMode.IsRegular(file.Mode) || await ReadAsync(place, file) is not { Length: > 0 } cells)
        {
            return;
        }

        int first = random.Next(cells.Length);
        int count = Math.Min(cells.Length - first, random.Next(1, 10));
        ulong[] after = [.. cells];
        Array.Clear(after, first, count);
        Change($"punch {place.Path} {file.Node} {first}+{count}", place, file, cells, after, [], handle =>
            _volume.Allocate(handle, (long)first * Cells.Bytes, (long)count * Cells.Bytes, AllocateOptions.KeepSize | AllocateOptions.PunchHole));
    }

    private async Task CopyAsync(Random random)
    {
        Place from = PickFile(random);
        Place to = PickFile(random);
        if (Find(from) is not { } source || Find(to) is not { } target || source.Node == target.Node || !FileMode.IsRegular(source.Mode) || !FileMode.IsRegular(target.Mode)
            || await ReadAsync(from, source) is not { Length: > 0 } given || await ReadAsync(to, target) is not { } cells || !IsStill(from, source))
        {
            return;
        }

        int first = random.Next(given.Length);
        int count = Math.Min(given.Length - first, random.Next(1, 30));
        int at = random.Next(Math.Min(cells.Length, FileCellsMax - 30) + 1);
        ulong[] after = [.. cells, .. new ulong[Math.Max(0, at + count - cells.Length)]];
        given.AsSpan(first, count).CopyTo(after.AsSpan(at));
        await ChangeAsync($"copy {from.Path} {source.Node} {first}+{count} to {to.Path} {target.Node} {at}", to, target, cells, after, async handle =>
            (await _volume.CopyRangeAsync(HandleId.Of(source.Node), (long)first * Cells.Bytes, handle, (long)at * Cells.Bytes, (long)count * Cells.Bytes, CancellationToken.None)).Status);
    }

    private Task SetAttributeAsync(Random random)
    {
        Place place = PickFile(random);
        if (Find(place) is { } file)
        {
            int value = random.Next();
            Do($"attribute of {place.Path} {file.Node}", place, () => random.Next(3) switch
            {
                0 => _volume.SetAttributes(file.Node, HandleId.None, new AttributeChange { Fields = AttributeFields.Mode, Mode = 0x100 | ((uint)value & 0xFF) }, out _),
                1 => _volume.RemoveExtendedAttribute(file.Node, "user.a"u8),
                _ => _volume.SetExtendedAttribute(file.Node, value % 2 == 0 ? "user.a"u8 : "user.b"u8, BitConverter.GetBytes(value), default),
            }, [], [file.Node]);
        }

        return Task.CompletedTask;
    }

    private bool Write(Place place, NodeAttributes file, ulong[] cells, int at, Func<int, ulong> cell, int count)
    {
        // The number of the call is in its cells.
        int next = device.CallCount + 1;
        ulong[] written = [.. Enumerable.Range(0, count).Select(index => cell(index) >> 48 == 0 ? cell(index) : Cells.Compose(device.Number, next, index))];
        ulong[] after = [.. cells, .. new ulong[Math.Max(0, at + count - cells.Length)]];
        written.CopyTo(after, at);
        return Change($"write {place.Path} {file.Node} {at}+{count} of {cells.Length}", place, file, cells, after, written, handle =>
            _volume.Write(handle, (long)at * Cells.Bytes, Cells.Encode(written), WriteOptions.None));
    }

    private bool Resize(Place place, NodeAttributes file, ulong[] cells, int count)
    {
        ulong[] after = count <= cells.Length ? cells[..count] : [.. cells, .. new ulong[count - cells.Length]];
        return Change($"cut {place.Path} {file.Node} from {cells.Length} to {count}", place, file, cells, after, [], handle =>
            _volume.SetAttributes(file.Node, HandleId.None, new AttributeChange { Fields = AttributeFields.Size, Size = (long)count * Cells.Bytes }, out _));
    }
}
