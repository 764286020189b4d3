using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <content>
/// Set-user-ID, set-group-ID and file capabilities, which a change of content takes away. The kernel leaves that to us
/// (<see cref="InitFlags.HandleKillPrivileges2"/>) but goes on to show, and to run programs by, the mode that it knows.
/// </content>
internal sealed partial class Dispatcher
{
    private bool HoldsPrivileges(NodeId node) =>
        volume.GetAttributes(node, out NodeAttributes attributes) == FsStatus.Ok && FileMode.WithoutPrivileges(attributes.Mode) != attributes.Mode;

    /// <summary>
    /// For calls with which the kernel does not say whether the caller may keep them: only root is taken to. As on other file systems they go
    /// before the content changes.
    /// </summary>
    private void TakePrivileges(Request request, NodeId node, ulong number)
    {
        if (request.Caller.Uid == 0 || !HoldsPrivileges(node))
        {
            return;
        }

        AttributeChange change = new() { Fields = AttributeFields.KillPrivileges };
        _ = volume.SetAttributes(node, HandleId.None, change, out _);
        MakeKernelAsk(request.Channel, number);
    }

    /// <summary>
    /// Makes the kernel ask for a file's attributes anew. The one notification that a handler may send: for attributes alone the kernel waits
    /// for no lock, and the caller must not see the old ones after the reply.
    /// </summary>
    private static void MakeKernelAsk(Transport.IChannel channel, ulong number)
    {
        OutHeader header = new() { Length = (uint)(OutHeader.Size + Unsafe.SizeOf<InvalidateInodeOut>()), Error = (int)NotifyCode.InvalidateInode };
        InvalidateInodeOut output = new() { NodeId = number, Offset = -1 };
        Span<byte> message = stackalloc byte[(int)header.Length];
        MemoryMarshal.Write(message, in header);
        MemoryMarshal.Write(message[OutHeader.Size..], in output);
        _ = channel.Send(message, out _);
    }
}
