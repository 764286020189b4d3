using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>
/// The requests that move content of files, as far as they are answered at once. The kernel does not tell of opening and closing: OPEN, CREATE and FLUSH are answered
/// "not implemented", once, and what is open is what the kernel has not forgotten. So a file is named by its node everywhere.
/// </summary>
internal sealed partial class Dispatcher
{
    private const uint AllocateKnown = (uint)(AllocateOptions.KeepSize | AllocateOptions.PunchHole | AllocateOptions.ZeroRange);

    private void Tmpfile(Request request, NodeId parent, RequestReader body)
    {
        if (!body.TryTake(out CreateIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        // Of a file without a name the kernel asks to open it too, and closes it: there is nothing to do for either.
        long before = changes.Now;
        OpenOptions options = OpenOptions.Write | ((input.Flags & OpenFlags.Exclusive) != 0 ? OpenOptions.Exclusive : OpenOptions.None);
        FsStatus status = volume.CreateUnnamed(parent, RegularMode(input.Mode), options, request.Caller, out NodeAttributes attributes, out HandleId handle);
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        volume.Close(handle);
        CreateOut output = new() { Entry = Acquire(attributes, before), Open = new() { OpenFlags = OpenOut.KeepCache | OpenOut.NoFlush } };
        if (!request.Reply(output))
        {
            nodes.Release(output.Entry.NodeId, 1);
        }
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

        if ((input.Flags & OpenFlags.Append) != 0)
        {
            options |= WriteOptions.Append;
        }

        if ((input.Flags & OpenFlags.DataSync) != 0)
        {
            options |= WriteOptions.Synchronous;
        }

        FsStatus status = volume.Write(HandleId.Of(node), (long)input.Offset, body.Rest, options);
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
        request.Reply(volume.Allocate(HandleId.Of(node), (long)input.Offset, (long)input.Length, (AllocateOptions)input.Mode));
    }

    private void Lseek(Request request, NodeId node, RequestReader body)
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
        FsStatus status = volume.Seek(HandleId.Of(node), (long)input.Offset, target, out long found);
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        request.Reply((ulong)found);
    }

    private static uint RegularMode(uint mode) => (mode & FileMode.PermissionMask) | FileMode.Regular;
}
