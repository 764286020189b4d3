using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>A volume that hands every call on to another; a test changes the calls that it is about.</summary>
public abstract class VolumeWrapper(IVolume inner) : IVolume
{
    public virtual bool IsReadOnly => inner.IsReadOnly;

    public virtual ValueTask DisposeAsync() => inner.DisposeAsync();

    public virtual void Observe(IVolumeObserver? observer) =>
        inner.Observe(observer);

    public virtual FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes) =>
        inner.Lookup(parent, name, out attributes);

    public virtual FsStatus GetAttributes(NodeId node, out NodeAttributes attributes) =>
        inner.GetAttributes(node, out attributes);

    public virtual FsStatus SetAttributes(NodeId node, HandleId handle, in AttributeChange change, out NodeAttributes attributes) =>
        inner.SetAttributes(node, handle, in change, out attributes);

    public virtual FsStatus ReadLink(NodeId node, Span<byte> target, out int length) =>
        inner.ReadLink(node, target, out length);

    public virtual FsStatus MakeNode(NodeId parent, ReadOnlySpan<byte> name, uint mode, uint deviceNumber, Caller caller, out NodeAttributes attributes) =>
        inner.MakeNode(parent, name, mode, deviceNumber, caller, out attributes);

    public virtual FsStatus MakeDirectory(NodeId parent, ReadOnlySpan<byte> name, uint mode, Caller caller, out NodeAttributes attributes) =>
        inner.MakeDirectory(parent, name, mode, caller, out attributes);

    public virtual FsStatus MakeSymbolicLink(NodeId parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Caller caller, out NodeAttributes attributes) =>
        inner.MakeSymbolicLink(parent, name, target, caller, out attributes);

    public virtual FsStatus Link(NodeId node, NodeId newParent, ReadOnlySpan<byte> newName, out NodeAttributes attributes) =>
        inner.Link(node, newParent, newName, out attributes);

    public virtual FsStatus Unlink(NodeId parent, ReadOnlySpan<byte> name) =>
        inner.Unlink(parent, name);

    public virtual FsStatus RemoveDirectory(NodeId parent, ReadOnlySpan<byte> name) =>
        inner.RemoveDirectory(parent, name);

    public virtual FsStatus Rename(NodeId parent, ReadOnlySpan<byte> name, NodeId newParent, ReadOnlySpan<byte> newName, RenameOptions options) =>
        inner.Rename(parent, name, newParent, newName, options);

    public virtual FsStatus Open(NodeId node, OpenOptions options, out HandleId handle) =>
        inner.Open(node, options, out handle);

    public virtual FsStatus Create(NodeId parent, ReadOnlySpan<byte> name, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle) =>
        inner.Create(parent, name, mode, options, caller, out attributes, out handle);

    public virtual FsStatus CreateUnnamed(NodeId parent, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle) =>
        inner.CreateUnnamed(parent, mode, options, caller, out attributes, out handle);

    public virtual ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(handle, offset, destination, cancellationToken);

    public virtual FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options) =>
        inner.Write(handle, offset, data, options);

    public virtual FsStatus Flush(HandleId handle) =>
        inner.Flush(handle);

    public virtual ValueTask<FsStatus> FsyncAsync(HandleId handle, bool dataOnly, CancellationToken cancellationToken) =>
        inner.FsyncAsync(handle, dataOnly, cancellationToken);

    public virtual FsStatus Allocate(HandleId handle, long offset, long length, AllocateOptions options) =>
        inner.Allocate(handle, offset, length, options);

    public virtual FsStatus Seek(HandleId handle, long offset, SeekTarget target, out long found) =>
        inner.Seek(handle, offset, target, out found);

    public virtual ValueTask<IoResult> CopyRangeAsync(HandleId source, long sourceOffset, HandleId target, long targetOffset, long length, CancellationToken cancellationToken) =>
        inner.CopyRangeAsync(source, sourceOffset, target, targetOffset, length, cancellationToken);

    public virtual void Close(HandleId handle) =>
        inner.Close(handle);

    public virtual FsStatus OpenDirectory(NodeId node, out HandleId handle) =>
        inner.OpenDirectory(node, out handle);

    public virtual FsStatus ReadDirectory(HandleId handle, long cookie, IDirectoryWriter writer) =>
        inner.ReadDirectory(handle, cookie, writer);

    public virtual void CloseDirectory(HandleId handle) =>
        inner.CloseDirectory(handle);

    public virtual FsStatus GetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, Span<byte> value, out int length) =>
        inner.GetExtendedAttribute(node, name, value, out length);

    public virtual FsStatus ListExtendedAttributes(NodeId node, Span<byte> names, out int length) =>
        inner.ListExtendedAttributes(node, names, out length);

    public virtual FsStatus SetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, AttributeSetOptions options) =>
        inner.SetExtendedAttribute(node, name, value, options);

    public virtual FsStatus RemoveExtendedAttribute(NodeId node, ReadOnlySpan<byte> name) =>
        inner.RemoveExtendedAttribute(node, name);

    public virtual FsStatus GetSpace(out VolumeSpace space) =>
        inner.GetSpace(out space);

    public virtual void Forget(NodeId node) =>
        inner.Forget(node);
}
