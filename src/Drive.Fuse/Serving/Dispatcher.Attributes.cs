using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>The requests about attributes, plain and extended.</summary>
internal sealed partial class Dispatcher
{
    /// <summary>XATTR_SIZE_MAX and XATTR_LIST_MAX.</summary>
    private const int XattrBytesMax = 64 * 1024;

    /// <summary>
    /// Access control lists. The kernel enforces them only when INIT agreed on them, and one that is kept but not enforced would be a lie: programs
    /// that copy a file's permissions this way must get a refusal, and then use chmod(2).
    /// </summary>
    private static readonly byte[] AclPrefix = [.. "system.posix_acl_"u8];

    /// <summary>
    /// ls -l asks each file for its label, one request each. Where the kernel has no SELinux, which would answer by itself, a file without
    /// one is told as "no labels here": then ls asks no more on this file system. A label that was set is kept, and shown to whoever asks.
    /// </summary>
    private static readonly byte[] Label = [.. "security.selinux"u8];

    private const uint XattrCreate = 1;
    private const uint XattrReplace = 2;

    private void GetAttr(Request request, NodeId node)
    {
        long before = changes.Now;
        FsStatus status = volume.GetAttributes(node, out NodeAttributes attributes);
        ReplyAttributes(request, status, attributes, before);
    }

    private void SetAttr(Request request, NodeId node, RequestReader body)
    {
        if (!body.TryTake(out SetAttrIn input) || !AttributeFormat.TryRead(input, out AttributeChange change))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        long before = changes.Now;
        FsStatus status = volume.SetAttributes(node, HandleId.None, change, out NodeAttributes attributes);
        ReplyAttributes(request, status, attributes, before);
    }

    private void Statx(Request request, NodeId node)
    {
        long before = changes.Now;
        FsStatus status = volume.GetAttributes(node, out NodeAttributes attributes);
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        AttributeFormat.Write(attributes, out StatxOut output);
        output.AttrValidSeconds = ValidSeconds(before);
        request.Reply(output);
    }

    private void ReadLink(Request request, NodeId node)
    {
        FsStatus status = volume.ReadLink(node, request.Payload[..FileName.LinkTargetBytesMax], out int length);
        ReplyPayload(request, status, length, FileName.LinkTargetBytesMax);
    }

    private void SetXattr(Request request, NodeId node, RequestReader body)
    {
        if (!body.TryTake(out SetXattrIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        if (!TryTakeXattrName(request, ref body, out ReadOnlySpan<byte> name))
        {
            return;
        }

        if (input.Size != body.Rest.Length || input.Flags > XattrReplace)
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        if (input.Size > XattrBytesMax)
        {
            request.ReplyErrno(Errno.E2BIG);
            return;
        }

        AttributeSetOptions options = input.Flags switch
        {
            XattrCreate => AttributeSetOptions.CreateOnly,
            XattrReplace => AttributeSetOptions.ReplaceOnly,
            _ => AttributeSetOptions.None,
        };
        request.Reply(volume.SetExtendedAttribute(node, name, body.Rest, options));
    }

    private void GetXattr(Request request, NodeId node, RequestReader body)
    {
        if (!body.TryTake(out GetXattrIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        if (!TryTakeXattrName(request, ref body, out ReadOnlySpan<byte> name))
        {
            return;
        }

        int capacity = (int)Math.Min(input.Size, XattrBytesMax);
        FsStatus status = volume.GetExtendedAttribute(node, name, request.Payload[..capacity], out int length);
        if (status == FsStatus.NoAttribute && name.SequenceEqual(Label))
        {
            request.ReplyErrno(Errno.EOPNOTSUPP);
            return;
        }

        ReplyXattr(request, status, length, capacity);
    }

    private void ListXattr(Request request, NodeId node, RequestReader body)
    {
        if (!body.TryTake(out GetXattrIn input))
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        int capacity = (int)Math.Min(input.Size, XattrBytesMax);
        FsStatus status = volume.ListExtendedAttributes(node, request.Payload[..capacity], out int length);
        ReplyXattr(request, status, length, capacity);
    }

    private void RemoveXattr(Request request, NodeId node, RequestReader body)
    {
        if (TryTakeXattrName(request, ref body, out ReadOnlySpan<byte> name))
        {
            request.Reply(volume.RemoveExtendedAttribute(node, name));
        }
    }

    /// <summary>Takes the name of an extended attribute; answers the request when there is none that is served.</summary>
    private static bool TryTakeXattrName(Request request, ref RequestReader body, out ReadOnlySpan<byte> name)
    {
        int errno = !body.TryTakeString(out name) || name.IsEmpty ? Errno.EINVAL
            : name.StartsWith(AclPrefix) ? Errno.EOPNOTSUPP
            : 0;
        if (errno != 0)
        {
            request.ReplyErrno(errno);
        }

        return errno == 0;
    }

    private static void ReplyXattr(Request request, FsStatus status, int length, int capacity)
    {
        if (status == FsStatus.Ok && capacity == 0)
        {
            request.Reply(new GetXattrOut { Size = (uint)length });
            return;
        }

        ReplyPayload(request, status, length, capacity);
    }

    /// <summary>Answers with what the volume wrote into the payload, which had room for <paramref name="capacity"/> bytes.</summary>
    private static void ReplyPayload(Request request, FsStatus status, int length, int capacity)
    {
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)capacity);
        request.ReplyPayload(length);
    }

    private void ReplyAttributes(Request request, FsStatus status, in NodeAttributes attributes, long before)
    {
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        AttrOut output = new() { AttrValidSeconds = ValidSeconds(before) };
        AttributeFormat.Write(attributes, out output.Attr);
        request.Reply(output);
    }
}
