using System.Security.Cryptography;
using System.Text;
using Drive.Core.Volumes;

namespace Drive.Testing.Model;

/// <summary>What an operation gave: its status, and what it told, as text that must be the same on every volume.</summary>
/// <param name="Status">The status of the call, or of the look-up before it.</param>
/// <param name="Told">Counts, hashes, names.</param>
/// <param name="Found">The offset a seek found; volumes may differ there.</param>
public sealed record OperationResult(FsStatus Status, string Told = "", long Found = -1);

/// <summary>Runs operations on one volume, and holds its slots of open handles.</summary>
public sealed class OperationRunner(IVolume volume)
{
    private const uint FileAccess = 0x1A4;
    private static readonly Caller Owner = new(1000, 1001);
    private readonly (HandleId Handle, NodeId Node)[] _slots = new (HandleId, NodeId)[VolumeOperations.SlotCount];

    public async Task<OperationResult> RunAsync(VolumeOperation operation)
    {
        switch (operation.Kind)
        {
            case OperationKind.OpenSlot or OperationKind.CreateUnnamedSlot or OperationKind.CloseSlot or OperationKind.LinkSlot
                or OperationKind.WriteSlot or OperationKind.ReadSlot or OperationKind.TruncateSlot:
                return await RunOnSlotAsync(operation);
            case OperationKind.FsyncAll:
                return new(await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
            case OperationKind.Rename or OperationKind.RenameNoReplace or OperationKind.Exchange or OperationKind.Link or OperationKind.CopyRange:
                return await RunOnTwoAsync(operation);
            case OperationKind.MakeFile or OperationKind.MakeFifo or OperationKind.MakeDirectory or OperationKind.MakeSymbolicLink
                or OperationKind.Create or OperationKind.Unlink or OperationKind.RemoveDirectory:
                return RunOnName(operation);
            default:
                return await RunOnNodeAsync(operation);
        }
    }

    /// <summary>Closes all slots, as when the volume was reopened.</summary>
    public void CloseSlots()
    {
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            CloseSlot(slot);
        }
    }

    private OperationResult RunOnName(VolumeOperation operation)
    {
        FsStatus status = FindParent(operation.Path, out NodeId parent, out byte[] name);
        if (status != FsStatus.Ok)
        {
            return new(status);
        }

        volume.Lookup(parent, name, out NodeAttributes old);
        NodeAttributes made = default;
        HandleId handle = default;
        OpenOptions creation = OpenOptions.Write | (operation.Value % 3 == 0 ? OpenOptions.Exclusive : OpenOptions.None);
        status = operation.Kind switch
        {
            OperationKind.MakeFile => volume.MakeNode(parent, name, FileMode.Regular | FileAccess, 0, Owner, out made),
            OperationKind.MakeFifo => volume.MakeNode(parent, name, FileMode.Fifo | FileAccess, 0, Owner, out made),
            OperationKind.MakeDirectory => volume.MakeDirectory(parent, name, 0x1ED, Owner, out made),
            OperationKind.MakeSymbolicLink => volume.MakeSymbolicLink(
                parent, name, Encoding.UTF8.GetBytes($"target-{operation.Value}"), Owner, out made),
            OperationKind.Create => volume.Create(parent, name, FileAccess, creation, Owner, out made, out handle),
            OperationKind.Unlink => volume.Unlink(parent, name),
            _ => volume.RemoveDirectory(parent, name),
        };
        volume.Close(handle);
        if (status == FsStatus.Ok && operation.Kind is OperationKind.Unlink or OperationKind.RemoveDirectory)
        {
            Forget(old.Node);
        }

        return new(status, Tell(made));
    }

    private async Task<OperationResult> RunOnTwoAsync(VolumeOperation operation)
    {
        FsStatus status = FindParent(operation.Path, out NodeId parent, out byte[] name);
        FsStatus otherStatus = FindParent(operation.Other, out NodeId otherParent, out byte[] otherName);
        if (status != FsStatus.Ok || otherStatus != FsStatus.Ok)
        {
            return new(status == FsStatus.Ok ? otherStatus : status);
        }

        if (operation.Kind is OperationKind.Rename or OperationKind.RenameNoReplace or OperationKind.Exchange)
        {
            RenameOptions options = operation.Kind switch
            {
                OperationKind.Exchange => RenameOptions.Exchange,
                OperationKind.RenameNoReplace => RenameOptions.NoReplace,
                _ => RenameOptions.None,
            };
            volume.Lookup(otherParent, otherName, out NodeAttributes old);
            status = volume.Rename(parent, name, otherParent, otherName, options);
            Forget(old.Node);
            return new(status);
        }

        status = volume.Lookup(parent, name, out NodeAttributes found);
        if (status == FsStatus.Ok && operation.Kind == OperationKind.Link)
        {
            status = volume.Link(found.Node, otherParent, otherName, out NodeAttributes linked);
            return new(status, Tell(linked));
        }

        otherStatus = volume.Lookup(otherParent, otherName, out NodeAttributes target);
        return status == FsStatus.Ok && otherStatus == FsStatus.Ok
            ? await CopyAsync(found.Node, target.Node, operation)
            : new(status == FsStatus.Ok ? otherStatus : status);
    }

    private async Task<OperationResult> CopyAsync(NodeId source, NodeId target, VolumeOperation operation)
    {
        FsStatus status = volume.Open(source, OpenOptions.Read, out HandleId from);
        FsStatus otherStatus = volume.Open(target, OpenOptions.Write, out HandleId to);
        OperationResult result = new(status == FsStatus.Ok ? otherStatus : status);
        if (result.Status == FsStatus.Ok)
        {
            IoResult copied = await volume.CopyRangeAsync(from, operation.Offset, to, operation.Value, operation.Length, CancellationToken.None);
            result = new(copied.Status, $"{copied.Count}");
        }

        volume.Close(from);
        volume.Close(to);
        return result;
    }

    private async Task<OperationResult> RunOnNodeAsync(VolumeOperation operation)
    {
        FsStatus status = FindParent(operation.Path, out NodeId parent, out byte[] name);
        status = status == FsStatus.Ok ? volume.Lookup(parent, name, out NodeAttributes found) : Missing(status, out found);
        if (status != FsStatus.Ok)
        {
            return new(status);
        }

        switch (operation.Kind)
        {
            case OperationKind.List:
                return ListNames(found.Node, operation.Length);
            case OperationKind.SetXattr or OperationKind.GetXattr or OperationKind.RemoveXattr:
                return RunOnXattr(found.Node, operation);
            case OperationKind.SetMode or OperationKind.SetOwner or OperationKind.SetTimes or OperationKind.Truncate:
                return SetAttributes(found, HandleId.None, operation);
        }

        if (IsByNode(operation) && FileMode.IsRegular(found.Mode) && operation.Kind != OperationKind.OpenTruncate)
        {
            return await RunOnHandleAsync(HandleId.Of(found.Node), operation);
        }

        OpenOptions options = operation.Kind switch
        {
            OperationKind.Append => OpenOptions.Write | OpenOptions.Append,
            OperationKind.OpenTruncate => OpenOptions.Write | OpenOptions.Truncate | OpenOptions.KillPrivileges,
            OperationKind.Read or OperationKind.SeekData or OperationKind.SeekHole => OpenOptions.Read,
            _ => OpenOptions.Write,
        };
        status = volume.Open(found.Node, options, out HandleId handle);
        if (status != FsStatus.Ok)
        {
            return new(status);
        }

        OperationResult result = await RunOnHandleAsync(handle, operation);
        volume.Close(handle);
        return result;
    }

    private async Task<OperationResult> RunOnHandleAsync(HandleId handle, VolumeOperation operation)
    {
        AllocateOptions allocation = operation.Kind switch
        {
            OperationKind.AllocateKeepSize => AllocateOptions.KeepSize,
            OperationKind.PunchHole => AllocateOptions.PunchHole | AllocateOptions.KeepSize,
            OperationKind.ZeroRange => AllocateOptions.ZeroRange,
            OperationKind.ZeroRangeKeepSize => AllocateOptions.ZeroRange | AllocateOptions.KeepSize,
            _ => AllocateOptions.None,
        };
        switch (operation.Kind)
        {
            case OperationKind.Write or OperationKind.Append or OperationKind.WriteSlot:
                byte[] data = new byte[operation.Length];
                new Random(operation.Value).NextBytes(data);
                WriteOptions options = operation.Value % 2 == 0 ? WriteOptions.KillPrivileges : WriteOptions.None;
                return new(volume.Write(handle, operation.Offset, data, options | (operation.Kind == OperationKind.Append ? WriteOptions.Append : WriteOptions.None)));
            case OperationKind.Read or OperationKind.ReadSlot:
                byte[] buffer = new byte[operation.Length];
                IoResult read = await volume.ReadAsync(handle, operation.Offset, buffer, CancellationToken.None);
                return new(read.Status, $"{read.Count} {Convert.ToHexStringLower(SHA256.HashData(buffer.AsSpan(0, (int)read.Count)).AsSpan(0, 6))}");
            case OperationKind.SeekData or OperationKind.SeekHole:
                SeekTarget target = operation.Kind == OperationKind.SeekData ? SeekTarget.Data : SeekTarget.Hole;
                FsStatus status = volume.Seek(handle, operation.Offset, target, out long found);
                return new(status, "", status == FsStatus.Ok ? found : -1);
            case OperationKind.Fsync:
                return new(await volume.FsyncAsync(handle, operation.Value % 2 == 0, CancellationToken.None));
            case OperationKind.OpenTruncate:
                return new(FsStatus.Ok);
            default:
                return new(volume.Allocate(handle, operation.Offset, operation.Length, allocation));
        }
    }

    private async Task<OperationResult> RunOnSlotAsync(VolumeOperation operation)
    {
        if (operation.Kind is OperationKind.OpenSlot or OperationKind.CreateUnnamedSlot)
        {
            return OpenSlot(operation);
        }

        (HandleId handle, NodeId node) = _slots[operation.Slot];
        if (handle == HandleId.None || operation.Kind == OperationKind.CloseSlot)
        {
            CloseSlot(operation.Slot);
            return new(FsStatus.Ok);
        }

        FsStatus status = volume.GetAttributes(node, out NodeAttributes attributes);
        if (status == FsStatus.Ok && operation.Kind == OperationKind.TruncateSlot)
        {
            return SetAttributes(attributes, handle, operation with { Kind = OperationKind.Truncate });
        }

        if (status == FsStatus.Ok && operation.Kind == OperationKind.LinkSlot)
        {
            status = FindParent(operation.Path, out NodeId parent, out byte[] name);
            status = status == FsStatus.Ok ? volume.Link(node, parent, name, out attributes) : status;
            return new(status, status == FsStatus.Ok ? Tell(attributes) : "");
        }

        return status == FsStatus.Ok ? await RunOnHandleAsync(handle, operation) : new(status);
    }

    private OperationResult OpenSlot(VolumeOperation operation)
    {
        CloseSlot(operation.Slot);
        FsStatus status = FindParent(operation.Path, out NodeId parent, out byte[] name);
        if (status != FsStatus.Ok)
        {
            return new(status);
        }

        HandleId handle = HandleId.None;
        NodeAttributes found;
        if (operation.Kind == OperationKind.CreateUnnamedSlot)
        {
            status = volume.CreateUnnamed(parent, FileAccess, OpenOptions.Write, Owner, out found, out handle);
        }
        else
        {
            OpenOptions options = OpenOptions.Read | OpenOptions.Write | (operation.Value % 3 == 0 ? OpenOptions.Append : OpenOptions.None);
            status = volume.Lookup(parent, name, out found);
            if (status == FsStatus.Ok && IsByNode(operation) && FileMode.IsRegular(found.Mode))
            {
                handle = HandleId.Of(found.Node);
            }
            else
            {
                status = status == FsStatus.Ok ? volume.Open(found.Node, options, out handle) : status;
            }
        }

        _slots[operation.Slot] = (handle, found.Node);
        return new(status, Tell(found));
    }

    /// <summary>Every other file is not opened: its node stands in for a handle, as with the kernel's adapter.</summary>
    private static bool IsByNode(VolumeOperation operation) => operation.Value / 8 % 2 == 0;

    /// <summary>A node that a slot still has was not let go.</summary>
    private void Forget(NodeId node)
    {
        if (!Array.Exists(_slots, slot => slot.Handle == HandleId.Of(node)))
        {
            volume.Forget(node);
        }
    }

    private void CloseSlot(int slot)
    {
        (HandleId handle, NodeId node) = _slots[slot];
        _slots[slot] = default;
        if (handle != HandleId.None)
        {
            volume.Close(handle);
            Forget(node);
        }
    }

    private OperationResult SetAttributes(in NodeAttributes found, HandleId handle, VolumeOperation operation)
    {
        if (FileMode.IsSymbolicLink(found.Mode) && operation.Kind == OperationKind.SetMode)
        {
            return new(FsStatus.Ok);
        }

        const long Nanoseconds = 1_000_000_007;
        AttributeChange change = operation.Kind switch
        {
            OperationKind.SetMode => new() { Fields = AttributeFields.Mode, Mode = (uint)operation.Value & FileMode.PermissionMask },
            OperationKind.SetOwner => new()
            {
                Fields = AttributeFields.Uid | (operation.Value % 2 == 0 ? AttributeFields.Gid | AttributeFields.KillPrivileges : AttributeFields.None),
                Uid = (uint)operation.Value % 1000,
                Gid = (uint)operation.Value / 1000 % 1000,
            },
            OperationKind.SetTimes => new()
            {
                Fields = AttributeFields.AccessTime | (operation.Value % 3 == 0 ? AttributeFields.ModifyTimeNow : AttributeFields.ModifyTime),
                AccessTime = operation.Value,
                ModifyTime = (operation.Value - 100_000_000) * Nanoseconds,
            },
            _ => new()
            {
                Fields = AttributeFields.Size | (operation.Value % 2 == 0 ? AttributeFields.KillPrivileges : AttributeFields.None),
                Size = operation.Offset,
            },
        };
        FsStatus status = volume.SetAttributes(found.Node, handle, change, out NodeAttributes attributes);
        return new(status, Tell(attributes));
    }

    private OperationResult RunOnXattr(NodeId node, VolumeOperation operation)
    {
        byte[] name = operation.Value % 5 == 0 ? "security.capability"u8.ToArray() : Encoding.UTF8.GetBytes($"user.x{operation.Value % 2}");
        byte[] value = new byte[operation.Kind == OperationKind.GetXattr ? 65536 : operation.Length % 66_000];
        if (operation.Kind == OperationKind.GetXattr)
        {
            FsStatus status = volume.GetExtendedAttribute(node, name, value, out int length);
            return new(status, status == FsStatus.Ok ? Convert.ToHexStringLower(SHA256.HashData(value.AsSpan(0, length)).AsSpan(0, 6)) : "");
        }

        if (operation.Kind == OperationKind.RemoveXattr)
        {
            return new(volume.RemoveExtendedAttribute(node, name));
        }

        new Random(operation.Value).NextBytes(value);
        return new(volume.SetExtendedAttribute(node, name, value, (AttributeSetOptions)(operation.Value / 5 % 3)));
    }

    private OperationResult ListNames(NodeId node, int chunk)
    {
        FsStatus status = volume.OpenDirectory(node, out HandleId handle);
        List<string> names = [];
        DirectoryCollector collector = new((chunk % 5) + 1);
        for (int taken = 1; status == FsStatus.Ok && taken > 0; taken = collector.Entries.Count)
        {
            collector.Clear();
            status = volume.ReadDirectory(handle, collector.NextCookie, collector);
            names.AddRange(collector.Names);
        }

        volume.CloseDirectory(handle);
        return new(status, string.Join(' ', names.Order(StringComparer.Ordinal)));
    }

    private FsStatus FindParent(string path, out NodeId parent, out byte[] name)
    {
        string[] parts = path[1..].Split('/');
        parent = NodeId.Root;
        name = Encoding.UTF8.GetBytes(parts[^1]);
        foreach (string part in parts[..^1])
        {
            FsStatus status = volume.Lookup(parent, Encoding.UTF8.GetBytes(part), out NodeAttributes found);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            parent = found.Node;
        }

        return FsStatus.Ok;
    }

    private static FsStatus Missing(FsStatus status, out NodeAttributes attributes)
    {
        attributes = default;
        return status;
    }

    private static string Tell(in NodeAttributes attributes) => attributes.Node == NodeId.None
        ? ""
        : $"{Convert.ToString(attributes.Mode, 8)} {attributes.LinkCount} {attributes.Uid}:{attributes.Gid} {attributes.Size} {attributes.ModifyTime} {attributes.ChangeTime}";
}
