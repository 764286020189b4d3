namespace Drive.Core.Volumes;

/// <summary>
/// The file system that is shown: what a kernel adapter or a gateway serves. It is made of nodes and names, knows no paths,
/// no kernel protocol and no store.
/// </summary>
/// <remarks>
/// <para><b>Threads.</b> Every call may come from any thread at any time, several at once. Each is atomic towards the others.</para>
/// <para><b>Waiting.</b> Calls that return <see cref="FsStatus"/> touch only this machine. They may wait for its disk, never for a store.
/// Only <see cref="ReadAsync"/> and <see cref="FsyncAsync"/> may take longer; they complete synchronously when they can.</para>
/// <para><b>Errors.</b> No call throws for what a user or a disk can do; the status says it. On any status but Ok nothing changed.</para>
/// <para><b>Permissions.</b> Owner, mode and sticky rules of access are the adapter's (the kernel's <c>default_permissions</c>). The volume keeps the
/// rules on what calls do to attributes: set-group-ID directories, <see cref="AttributeFields.KillPrivileges"/>, times (POSIX.1-2017, "marked for update").</para>
/// <para><b>Handles.</b> Where a call takes the handle of a file, <see cref="HandleId.Of"/> its node will do as well.</para>
/// <para><b>Lifetime.</b> A node whose last link went stays usable until the adapter called <see cref="Forget"/> for it and its handles are closed; after
/// a restart it is gone.</para>
/// <para><b>Durability.</b> After a crash the volume is in the state after some prefix of the calls, at most 5 s old, and holds everything
/// that was done before the last <see cref="FsyncAsync"/> that returned Ok.</para>
/// <para>Modes carry the type bits of <see cref="FileMode"/>; umask was applied by the caller.</para>
/// </remarks>
public interface IVolume : IAsyncDisposable
{
    /// <summary>Whether every change is refused with <see cref="FsStatus.ReadOnly"/>.</summary>
    bool IsReadOnly { get; }

    /// <summary>Sets who is told of changes from elsewhere; at most one.</summary>
    void Observe(IVolumeObserver? observer);

    /// <summary>Finds a name. "." and ".." are not asked, except by an adapter that exports: then they are found.</summary>
    FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes);

    /// <summary>Attributes of a node.</summary>
    FsStatus GetAttributes(NodeId node, out NodeAttributes attributes);

    /// <summary>Changes attributes; a handle open for writing may be given for a change of size, else <see cref="HandleId.None"/>.</summary>
    FsStatus SetAttributes(NodeId node, HandleId handle, in AttributeChange change, out NodeAttributes attributes);

    /// <summary>Copies a link's target (at most 4,095 bytes) to <paramref name="target"/>; Invalid for another kind of node.</summary>
    FsStatus ReadLink(NodeId node, Span<byte> target, out int length);

    /// <summary>Makes a regular file, fifo, socket or device node: <paramref name="mode"/> has the type.</summary>
    FsStatus MakeNode(NodeId parent, ReadOnlySpan<byte> name, uint mode, uint deviceNumber, Caller caller, out NodeAttributes attributes);

    /// <summary>Makes a directory.</summary>
    FsStatus MakeDirectory(NodeId parent, ReadOnlySpan<byte> name, uint mode, Caller caller, out NodeAttributes attributes);

    /// <summary>Makes a symbolic link; the target is any bytes without NUL, 1 to 4,095.</summary>
    FsStatus MakeSymbolicLink(NodeId parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Caller caller, out NodeAttributes attributes);

    /// <summary>Adds a name for a node that is no directory. A node of <see cref="CreateUnnamed"/> gets its first.</summary>
    FsStatus Link(NodeId node, NodeId newParent, ReadOnlySpan<byte> newName, out NodeAttributes attributes);

    /// <summary>Removes a name; IsDirectory for a directory.</summary>
    FsStatus Unlink(NodeId parent, ReadOnlySpan<byte> name);

    /// <summary>Removes an empty directory.</summary>
    FsStatus RemoveDirectory(NodeId parent, ReadOnlySpan<byte> name);

    /// <summary>rename(2) and renameat2(2): atomic, the replaced node loses its link; a move below itself is Invalid.</summary>
    FsStatus Rename(NodeId parent, ReadOnlySpan<byte> name, NodeId newParent, ReadOnlySpan<byte> newName, RenameOptions options);

    /// <summary>Opens a regular file.</summary>
    FsStatus Open(NodeId node, OpenOptions options, out HandleId handle);

    /// <summary>Makes and opens a regular file in one step; an existing one is opened unless <see cref="OpenOptions.Exclusive"/>.</summary>
    FsStatus Create(NodeId parent, ReadOnlySpan<byte> name, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle);

    /// <summary>Makes and opens a regular file without a name (O_TMPFILE); the directory says the owner's group and the volume.</summary>
    FsStatus CreateUnnamed(NodeId parent, uint mode, OpenOptions options, Caller caller, out NodeAttributes attributes, out HandleId handle);

    /// <summary>
    /// Reads up to <c>destination.Length</c> bytes; fewer only at the end of the file. <paramref name="destination"/> belongs to the
    /// volume until the task completed. Cancelling answers <see cref="FsStatus.Interrupted"/>.
    /// </summary>
    ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>
    /// Writes all of <paramref name="data"/> or nothing; <paramref name="offset"/> is ignored for <see cref="OpenOptions.Append"/> unless
    /// <see cref="WriteOptions.FromPageCache"/>. May wait for the local disk when too much is unwritten. Space is reserved here: NoSpace is said now or never.
    /// </summary>
    FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options);

    /// <summary>Whether a close should report an error of earlier writes; cheap, called on every close(2).</summary>
    FsStatus Flush(HandleId handle);

    /// <summary>
    /// Returns Ok when everything done on the volume before the call is on the local disk: content and names. The handle says who asks; <see cref="HandleId.None"/> for all.
    /// An error is said once per handle and never hidden by a retry.
    /// </summary>
    ValueTask<FsStatus> FsyncAsync(HandleId handle, bool dataOnly, CancellationToken cancellationToken);

    /// <summary>fallocate(2).</summary>
    FsStatus Allocate(HandleId handle, long offset, long length, AllocateOptions options);

    /// <summary>lseek(2) for data and holes; NoSuchOffset at or past the end.</summary>
    FsStatus Seek(HandleId handle, long offset, SeekTarget target, out long found);

    /// <summary>copy_file_range(2): shares extents where it can and moves no data then. Both handles may be of one file, the ranges must not overlap.</summary>
    ValueTask<IoResult> CopyRangeAsync(HandleId source, long sourceOffset, HandleId target, long targetOffset, long length, CancellationToken cancellationToken);

    /// <summary>Closes a file handle. Nothing is lost by it and nothing made durable.</summary>
    void Close(HandleId handle);

    /// <summary>Opens a directory for listing.</summary>
    FsStatus OpenDirectory(NodeId node, out HandleId handle);

    /// <summary>
    /// Offers entries from <paramref name="cookie"/> on (0: from the start, "." and ".." first) until the writer is full or the end is reached.
    /// An entry that is there the whole time is given exactly once; one that comes or goes meanwhile, at most once.
    /// </summary>
    FsStatus ReadDirectory(HandleId handle, long cookie, IDirectoryWriter writer);

    /// <summary>Closes a directory handle.</summary>
    void CloseDirectory(HandleId handle);

    /// <summary>
    /// Copies the value of an extended attribute. With an empty <paramref name="value"/> only its length is told. Names are whole ("user.x").
    /// </summary>
    FsStatus GetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, Span<byte> value, out int length);

    /// <summary>Copies the names, each followed by NUL. With an empty <paramref name="names"/> only the length is told.</summary>
    FsStatus ListExtendedAttributes(NodeId node, Span<byte> names, out int length);

    /// <summary>Sets an extended attribute of at most 64 KiB.</summary>
    FsStatus SetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, AttributeSetOptions options);

    /// <summary>Removes an extended attribute.</summary>
    FsStatus RemoveExtendedAttribute(NodeId node, ReadOnlySpan<byte> name);

    /// <summary>Sizes of the volume.</summary>
    FsStatus GetSpace(out VolumeSpace space);

    /// <summary>The adapter holds no more reference to the node. Only matters for nodes without a link.</summary>
    void Forget(NodeId node);
}
