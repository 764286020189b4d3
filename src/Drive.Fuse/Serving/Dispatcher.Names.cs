using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>The requests about names in directories.</summary>
internal sealed partial class Dispatcher
{
    private const uint RenameNoReplace = 1;
    private const uint RenameExchange = 2;

    private void Lookup(Request request, NodeId parent, RequestReader body)
    {
        if (!TryTakeName(request, ref body, out ReadOnlySpan<byte> name))
        {
            return;
        }

        long before = changes.Now;
        FsStatus status = volume.Lookup(parent, name, out NodeAttributes attributes);
        if (status == FsStatus.NotFound && changes.Now == before)
        {
            // No node, but a time to live: the kernel remembers that the name is absent.
            request.Reply(new EntryOut { EntryValidSeconds = CacheSeconds });
            return;
        }

        ReplyEntry(request, status, attributes, before);
    }

    private void Symlink(Request request, NodeId parent, RequestReader body)
    {
        if (!TryTakeName(request, ref body, out ReadOnlySpan<byte> name))
        {
            return;
        }

        if (!body.TryTakeString(out ReadOnlySpan<byte> target) || target.IsEmpty)
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        if (target.Length > FileName.LinkTargetBytesMax)
        {
            request.ReplyErrno(Errno.ENAMETOOLONG);
            return;
        }

        long before = changes.Now;
        FsStatus status = volume.MakeSymbolicLink(parent, name, target, request.Caller, out NodeAttributes attributes);
        ReplyEntry(request, status, attributes, before);
    }

    private void Mknod(Request request, NodeId parent, RequestReader body)
    {
        if (!TryTakeWithName(request, ref body, out MknodIn input, out ReadOnlySpan<byte> name))
        {
            return;
        }

        uint type = input.Mode & FileMode.TypeMask;
        if (type is not (0 or FileMode.Regular or FileMode.Fifo or FileMode.Socket or FileMode.CharacterDevice or FileMode.BlockDevice))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        long before = changes.Now;
        uint mode = (input.Mode & FileMode.PermissionMask) | (type == 0 ? FileMode.Regular : type);
        FsStatus status = volume.MakeNode(parent, name, mode, input.DeviceNumber, request.Caller, out NodeAttributes attributes);
        ReplyEntry(request, status, attributes, before);
    }

    private void Mkdir(Request request, NodeId parent, RequestReader body)
    {
        if (!TryTakeWithName(request, ref body, out MkdirIn input, out ReadOnlySpan<byte> name))
        {
            return;
        }

        long before = changes.Now;
        uint mode = (input.Mode & FileMode.PermissionMask) | FileMode.Directory;
        FsStatus status = volume.MakeDirectory(parent, name, mode, request.Caller, out NodeAttributes attributes);
        ReplyEntry(request, status, attributes, before);
    }

    private void Unlink(Request request, NodeId parent, RequestReader body)
    {
        if (TryTakeName(request, ref body, out ReadOnlySpan<byte> name))
        {
            request.Reply(volume.Unlink(parent, name));
        }
    }

    private void Rmdir(Request request, NodeId parent, RequestReader body)
    {
        if (TryTakeName(request, ref body, out ReadOnlySpan<byte> name))
        {
            request.Reply(volume.RemoveDirectory(parent, name));
        }
    }

    private void Rename(Request request, NodeId parent, RequestReader body)
    {
        if (!body.TryTake(out RenameIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        RenameTo(request, parent, ref body, input.NewParent, RenameOptions.None);
    }

    private void Rename2(Request request, NodeId parent, RequestReader body)
    {
        if (!body.TryTake(out Rename2In input) || input.Flags > RenameExchange)
        {
            // RENAME_WHITEOUT, unknown flags, and both known ones at once make no sense here.
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        RenameOptions options = input.Flags switch
        {
            RenameNoReplace => RenameOptions.NoReplace,
            RenameExchange => RenameOptions.Exchange,
            _ => RenameOptions.None,
        };
        RenameTo(request, parent, ref body, input.NewParent, options);
    }

    private void RenameTo(Request request, NodeId parent, ref RequestReader body, ulong newParentNumber, RenameOptions options)
    {
        if (!TryTakeName(request, ref body, out ReadOnlySpan<byte> name) || !TryTakeName(request, ref body, out ReadOnlySpan<byte> newName))
        {
            return;
        }

        if (!nodes.TryResolve(newParentNumber, out NodeId newParent))
        {
            request.ReplyErrno(Errno.ESTALE);
            return;
        }

        request.Reply(volume.Rename(parent, name, newParent, newName, options));
    }

    private void Link(Request request, NodeId newParent, RequestReader body)
    {
        if (!TryTakeWithName(request, ref body, out LinkIn input, out ReadOnlySpan<byte> name))
        {
            return;
        }

        if (!nodes.TryResolve(input.OldNodeId, out NodeId node))
        {
            request.ReplyErrno(Errno.ESTALE);
            return;
        }

        long before = changes.Now;
        FsStatus status = volume.Link(node, newParent, name, out NodeAttributes attributes);
        ReplyEntry(request, status, attributes, before);
    }

    private static bool TryTakeWithName<T>(Request request, ref RequestReader body, out T input, out ReadOnlySpan<byte> name)
        where T : unmanaged
    {
        if (body.TryTake(out input))
        {
            return TryTakeName(request, ref body, out name);
        }

        name = default;
        request.ReplyErrno(Errno.EINVAL);
        return false;
    }

    /// <summary>Takes a name that a directory may have; answers the request when there is none.</summary>
    private static bool TryTakeName(Request request, ref RequestReader body, out ReadOnlySpan<byte> name)
    {
        FsStatus status = body.TryTakeString(out name) ? FileName.Validate(name) : FsStatus.Invalid;
        if (status == FsStatus.Ok)
        {
            return true;
        }

        request.Reply(status);
        return false;
    }

    /// <summary>Answers with a node, which gives the kernel a reference to it.</summary>
    private void ReplyEntry(Request request, FsStatus status, in NodeAttributes attributes, long before)
    {
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        EntryOut entry = Acquire(attributes, before);
        if (!request.Reply(entry))
        {
            nodes.Release(entry.NodeId, 1);
        }
    }

    private EntryOut Acquire(in NodeAttributes attributes, long before)
    {
        EntryOut entry = new() { NodeId = nodes.Acquire(attributes.Node) };
        AttributeFormat.Write(attributes, out entry.Attr);
        entry.EntryValidSeconds = entry.AttrValidSeconds = ValidSeconds(before);
        return entry;
    }

    /// <summary>For how long an answer holds that was asked for at <paramref name="before"/>.</summary>
    private ulong ValidSeconds(long before) => changes.Now == before ? CacheSeconds : 0;
}
