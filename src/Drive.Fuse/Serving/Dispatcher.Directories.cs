using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>The requests that list directories.</summary>
internal sealed partial class Dispatcher
{
    private void OpenDir(Request request, NodeId node)
    {
        FsStatus status = volume.OpenDirectory(node, out HandleId handle);
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        // Listings are not cached by the kernel (FOPEN_CACHE_DIR): it would have to notice every change that a listing shows. Names and attributes are.
        directories.Add(handle);
        if (!request.Reply(new OpenOut { Handle = handle.Value }))
        {
            directories.Close(handle);
        }
    }

    private void ReadDir(Request request, RequestReader body, bool withAttributes)
    {
        if (!body.TryTake(out ReadIn input) || (long)input.Offset < 0)
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        long before = changes.Now;
        DirectoryBuffer entries = request.Directory;
        entries.Begin(request, (int)Math.Min(input.Size, Terms.IoBytesMax), withAttributes ? nodes : null, CacheSeconds);
        FsStatus status;
        try
        {
            status = volume.ReadDirectory(new(input.Handle), (long)input.Offset, entries);
        }
        catch
        {
            entries.TakeBack();
            throw;
        }

        if (status != FsStatus.Ok)
        {
            entries.TakeBack();
            request.Reply(status);
            return;
        }

        if (changes.Now != before)
        {
            entries.Expire();
        }

        if (!request.ReplyPayload(entries.Length))
        {
            entries.TakeBack();
        }
    }

    private void ReleaseDir(Request request, RequestReader body)
    {
        bool isOpen = body.TryTake(out ReleaseIn input) && directories.Close(new(input.Handle));
        request.ReplyErrno(isOpen ? 0 : Errno.EBADF);
    }
}
