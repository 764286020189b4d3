using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Serving;

/// <summary>
/// Turns each request into a call on the volume and its outcome into a reply. Runs on the readers' threads, several at once, and allocates
/// nothing unless a request must wait. Whatever comes in, the answer is a reply or an errno: no exception leaves <see cref="Handle"/>.
/// </summary>
internal sealed partial class Dispatcher(IVolume volume, NodeTable nodes, OpenDirectories directories, PendingRequests pending, ChangeClock changes, ILogger logger)
{
    /// <summary>
    /// How long the kernel may keep names and attributes: in effect for ever, since it is told of every change that it did not make. A day bounds the
    /// harm of a mistake.
    /// </summary>
    public const ulong CacheSeconds = 24 * 60 * 60;

    public void Handle(Request request, int length)
    {
        if (length < InHeader.Size)
        {
            return; // There is no number that an answer could name.
        }

        bool isWhole = request.TryBegin(length);
        try
        {
            if (!isWhole)
            {
                RefuseBroken(request);
                return;
            }

            Dispatch(request);
        }
        catch (Exception exception)
        {
            FuseLog.HandlerFailed(logger, exception, request.Header.Opcode, request.Header.NodeId);
            if (!request.IsSettled)
            {
                RefuseBroken(request, Errno.EIO);
            }
        }
    }

    private static void RefuseBroken(Request request, int errno = Errno.EINVAL)
    {
        if (request.Header.Opcode is Opcode.Forget or Opcode.BatchForget or Opcode.Interrupt or Opcode.NotifyReply)
        {
            request.SettleWithoutReply();
            return;
        }

        request.ReplyErrno(errno);
    }

    private void Dispatch(Request request)
    {
        RequestReader body = request.Body();
        switch (request.Header.Opcode)
        {
            case Opcode.Init:
                Init(request, body);
                return;
            case Opcode.Forget:
                Forget(request, body);
                return;
            case Opcode.BatchForget:
                BatchForget(request, body);
                return;
            case Opcode.Interrupt:
                Interrupt(request, body);
                return;
            case Opcode.NotifyReply:
                request.SettleWithoutReply();
                return;
            case Opcode.Destroy:
                request.ReplyErrno(0);
                return;
        }

        if (!IsInitialized)
        {
            request.ReplyErrno(Errno.EIO);
        }
        else if (nodes.TryResolve(request.Header.NodeId, out NodeId node))
        {
            DispatchOnNode(request, node, body);
        }
        else
        {
            DispatchOnUnknownNode(request, body);
        }
    }

    private void DispatchOnNode(Request request, NodeId node, RequestReader body)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Lookup: Lookup(request, node, body); break;
            case Opcode.GetAttr: GetAttr(request, node); break;
            case Opcode.SetAttr: SetAttr(request, node, body); break;
            case Opcode.Statx: Statx(request, node); break;
            case Opcode.ReadLink: ReadLink(request, node); break;
            case Opcode.Symlink: Symlink(request, node, body); break;
            case Opcode.Mknod: Mknod(request, node, body); break;
            case Opcode.Mkdir: Mkdir(request, node, body); break;
            case Opcode.Unlink: Unlink(request, node, body); break;
            case Opcode.Rmdir: Rmdir(request, node, body); break;
            case Opcode.Rename: Rename(request, node, body); break;
            case Opcode.Rename2: Rename2(request, node, body); break;
            case Opcode.Link: Link(request, node, body); break;
            case Opcode.Tmpfile: Tmpfile(request, node, body); break;
            case Opcode.Read: Read(request, node, body); break;
            case Opcode.Write: Write(request, node, body); break;
            case Opcode.StatFs: StatFs(request); break;
            case Opcode.Release: request.ReplyErrno(0); break;
            case Opcode.Fsync or Opcode.FsyncDir: Fsync(request, node, body); break;
            case Opcode.SyncFs: SyncAll(request); break;
            case Opcode.Fallocate: Fallocate(request, node, body); break;
            case Opcode.Lseek: Lseek(request, node, body); break;
            case Opcode.CopyFileRange: CopyFileRange(request, node, body, isWide: false); break;
            case Opcode.CopyFileRange64: CopyFileRange(request, node, body, isWide: true); break;
            case Opcode.OpenDir: OpenDir(request, node); break;
            case Opcode.ReadDir: ReadDir(request, body, withAttributes: false); break;
            case Opcode.ReadDirPlus: ReadDir(request, body, withAttributes: true); break;
            case Opcode.ReleaseDir: ReleaseDir(request, body); break;
            case Opcode.SetXattr: SetXattr(request, node, body); break;
            case Opcode.GetXattr: GetXattr(request, node, body); break;
            case Opcode.ListXattr: ListXattr(request, node, body); break;
            case Opcode.RemoveXattr: RemoveXattr(request, node, body); break;
            case Opcode.Ioctl: request.ReplyErrno(Errno.ENOTTY); break;

            // The kernel remembers this answer and does without: permissions, locks, polling, opening and closing files are its own.
            default: request.ReplyErrno(Errno.ENOSYS); break;
        }
    }

    /// <summary>A node that the kernel does not hold. What it still holds open it can close.</summary>
    private void DispatchOnUnknownNode(Request request, RequestReader body)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Release: request.ReplyErrno(0); break;
            case Opcode.ReleaseDir: ReleaseDir(request, body); break;
            default: request.ReplyErrno(Errno.ESTALE); break;
        }
    }
}
