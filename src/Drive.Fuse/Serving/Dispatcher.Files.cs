using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>The requests that open and close files and move their content, as far as they are answered at once.</summary>
internal sealed partial class Dispatcher
{
    private const uint AllocateKnown = (uint)(AllocateOptions.KeepSize | AllocateOptions.PunchHole | AllocateOptions.ZeroRange);

    private void Open(Request request, NodeId node, RequestReader body)
    {
        if (!body.TryTake(out OpenIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        OpenOptions options = OpenFlags.ToOptions(input.Flags, input.OpenFlags) & ~OpenOptions.Exclusive;
        bool takesPrivileges = (options & OpenOptions.KillPrivileges) != 0 && HoldsPrivileges(node);
        FsStatus status = volume.Open(node, options, out HandleId handle);
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        if (takesPrivileges)
        {
            MakeKernelAsk(request.Channel, request.Header.NodeId);
        }

        handles.AddFile(handle);
        if (!request.Reply(new OpenOut { Handle = handle.Value, OpenFlags = OpenFlags.ToReply(input.Flags) }))
        {
            handles.CloseFile(handle);
        }
    }

    private void Create(Request request, NodeId parent, RequestReader body)
    {
        if (!TryTakeWithName(request, ref body, out CreateIn input, out ReadOnlySpan<byte> name))
        {
            return;
        }

        long before = changes.Now;
        FsStatus status = volume.Create(
            parent,
            name,
            RegularMode(input.Mode),
            OpenFlags.ToOptions(input.Flags, input.OpenFlags),
            request.Caller,
            out NodeAttributes attributes,
            out HandleId handle);
        ReplyCreated(request, status, attributes, handle, input.Flags, before);
    }

    private void Tmpfile(Request request, NodeId parent, RequestReader body)
    {
        if (!body.TryTake(out CreateIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        long before = changes.Now;
        FsStatus status = volume.CreateUnnamed(
            parent,
            RegularMode(input.Mode),
            OpenFlags.ToOptions(input.Flags, input.OpenFlags),
            request.Caller,
            out NodeAttributes attributes,
            out HandleId handle);
        ReplyCreated(request, status, attributes, handle, input.Flags, before);
    }

    private void Write(Request request, NodeId node, RequestReader body)
    {
        if (!body.TryTake(out WriteIn input) || input.Size != body.Rest.Length || (long)input.Offset < 0)
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        bool isFromPageCache = (input.WriteFlags & WriteIn.FromPageCache) != 0;
        WriteOptions options = isFromPageCache ? WriteOptions.FromPageCache : WriteOptions.None;
        bool takesPrivileges = false;
        if ((input.WriteFlags & WriteIn.KillPrivileges) != 0)
        {
            options |= WriteOptions.KillPrivileges;
            takesPrivileges = HoldsPrivileges(node);
        }

        FsStatus status = volume.Write(new(input.Handle), (long)input.Offset, body.Rest, options);
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        if (isFromPageCache)
        {
            // A page written through a mapping. Without its write-back cache the kernel keeps no times, so the marking that POSIX asks for is ours.
            AttributeChange now = new() { Fields = AttributeFields.ModifyTimeNow };
            _ = volume.SetAttributes(node, HandleId.None, now, out _);
        }

        if (takesPrivileges)
        {
            MakeKernelAsk(request.Channel, request.Header.NodeId);
        }

        request.Reply(new WriteOut { Size = input.Size });
    }

    private void Release(Request request, RequestReader body)
    {
        bool isOpen = body.TryTake(out ReleaseIn input) && handles.CloseFile(new(input.Handle));
        request.ReplyErrno(isOpen ? 0 : Errno.EBADF);
    }

    private void Flush(Request request, RequestReader body)
    {
        if (!body.TryTake(out FlushIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        request.Reply(volume.Flush(new(input.Handle)));
    }

    private void Fallocate(Request request, NodeId node, RequestReader body)
    {
        if (!body.TryTake(out FallocateIn input) || (long)input.Offset < 0 || (long)input.Length <= 0)
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        if ((input.Mode & ~AllocateKnown) != 0)
        {
            request.ReplyErrno(Errno.EOPNOTSUPP);
            return;
        }

        if ((long)input.Offset > long.MaxValue - (long)input.Length)
        {
            request.ReplyErrno(Errno.EFBIG);
            return;
        }

        TakePrivileges(request, node, request.Header.NodeId);
        request.Reply(volume.Allocate(new(input.Handle), (long)input.Offset, (long)input.Length, (AllocateOptions)input.Mode));
    }

    private void Lseek(Request request, RequestReader body)
    {
        if (!body.TryTake(out LseekIn input) || input.Whence is not (LseekIn.SeekData or LseekIn.SeekHole))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        if ((long)input.Offset < 0)
        {
            request.ReplyErrno(Errno.ENXIO);
            return;
        }

        SeekTarget target = input.Whence == LseekIn.SeekData ? SeekTarget.Data : SeekTarget.Hole;
        FsStatus status = volume.Seek(new(input.Handle), (long)input.Offset, target, out long found);
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        request.Reply((ulong)found);
    }

    private static uint RegularMode(uint mode) => (mode & FileMode.PermissionMask) | FileMode.Regular;

    private void ReplyCreated(Request request, FsStatus status, in NodeAttributes attributes, HandleId handle, uint flags, long before)
    {
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        handles.AddFile(handle);
        CreateOut output = new()
        {
            Entry = Acquire(attributes, before),
            Open = new() { Handle = handle.Value, OpenFlags = OpenFlags.ToReply(flags) },
        };
        if (!request.Reply(output))
        {
            handles.CloseFile(handle);
            nodes.Release(output.Entry.NodeId, 1);
        }
    }
}
