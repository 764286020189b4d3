using System.Buffers;
using Drive.Core;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>Changing content: writes, cuts, holes. The bytes go to chunks in memory; the local commit takes them to the dirty log.</content>
public sealed partial class Volume
{
    /// <summary>The largest file: what a signed 64-bit offset reaches.</summary>
    private const long FileBytesMax = long.MaxValue;

    private const int SmallestBufferBytes = 4096;

    /// <summary>Overlays of all files with uncommitted content; a node in memory points to its own.</summary>
    private readonly Dictionary<NodeId, Overlay> _overlays = [];

    private readonly HashSet<NodeId> _dirtyFiles = [];
    private long _memoryBytes;
    private long _dirtyBytes;

    /// <inheritdoc/>
    public FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options)
    {
        FsStatus room = WaitForRoom();
        if (room != FsStatus.Ok)
        {
            return room;
        }

        bool synchronous;
        lock (_gate)
        {
            bool fromPageCache = (options & WriteOptions.FromPageCache) != 0;
            if (!TryFindFile(handle, out Node node, out OpenOptions opened) || ((opened & OpenOptions.Write) == 0 && !fromPageCache))
            {
                return FsStatus.BadHandle;
            }

            if (RefusesChanges)
            {
                return FsStatus.ReadOnly;
            }

            bool appends = (opened & OpenOptions.Append) != 0 || (options & WriteOptions.Append) != 0;
            if (appends && !fromPageCache)
            {
                offset = node.Size;
            }

            if (offset < 0)
            {
                return FsStatus.Invalid;
            }

            if (data.IsEmpty)
            {
                return FsStatus.Ok;
            }

            if (offset > FileBytesMax - data.Length)
            {
                return FsStatus.TooLarge;
            }

            if (Mistakes.Has(Mistake.DirtyRoomNotReserved))
            {
                _budget.AddDirty(data.Length);
            }
            else if (!_budget.TryReserveDirty(data.Length))
            {
                // Room comes back only by an upload: not in its own time, but now.
                _forceThrough = Math.Max(_forceThrough, _change);
                _uploadWanted.Ring();
                return FsStatus.NoSpace;
            }

            BeginChange();
            if (offset > node.Size)
            {
                node.MaySparse = true;
            }

            PutData(node, offset, data);
            node.Size = Math.Max(node.Size, offset + data.Length);
            if ((options & WriteOptions.KillPrivileges) != 0)
            {
                KillPrivileges(node);
            }

            if (fromPageCache)
            {
                MarkChanged(node);
            }
            else
            {
                TouchContent(node, Now());
            }

            synchronous = (opened & OpenOptions.Synchronous) != 0 || (options & WriteOptions.Synchronous) != 0;
        }

        return synchronous ? CommitToJournal() : FsStatus.Ok;
    }

    /// <inheritdoc/>
    public FsStatus Allocate(HandleId handle, long offset, long length, AllocateOptions options)
    {
        lock (_gate)
        {
            if (!TryFindFile(handle, out Node node, out OpenOptions opened) || (opened & OpenOptions.Write) == 0)
            {
                return FsStatus.BadHandle;
            }

            if (offset < 0 || length <= 0)
            {
                return FsStatus.Invalid;
            }

            if (offset > FileBytesMax - length)
            {
                return FsStatus.TooLarge;
            }

            if (RefusesChanges)
            {
                return FsStatus.ReadOnly;
            }

            bool punches = options == (AllocateOptions.PunchHole | AllocateOptions.KeepSize);
            bool zeroes = (options & ~AllocateOptions.KeepSize) == AllocateOptions.ZeroRange;
            if (!punches && !zeroes && (options & ~AllocateOptions.KeepSize) != AllocateOptions.None)
            {
                return FsStatus.NotSupported;
            }

            if (!punches && !zeroes && _storeSpace is { } space && length - (node.Size - offset) > space.FreeBytes)
            {
                return FsStatus.NoSpace;
            }

            BeginChange();
            if (punches || zeroes)
            {
                CutContent(node, offset, offset + length);
                node.MaySparse = true;
            }

            if ((options & AllocateOptions.KeepSize) == 0 && offset + length > node.Size)
            {
                node.Size = offset + length;
                node.MaySparse = true;
            }

            TouchContent(node, Now());
            return FsStatus.Ok;
        }
    }

    private FsStatus Resize(Node node, long size, long now)
    {
        if (size > FileBytesMax)
        {
            return FsStatus.TooLarge;
        }

        if (size < node.Size)
        {
            CutContent(node, size, long.MaxValue);
        }
        else if (size > node.Size)
        {
            node.MaySparse = true;
        }

        node.Size = size;
        TouchContent(node, now);
        return FsStatus.Ok;
    }

    private Overlay OverlayOf(Node node)
    {
        if (node.Overlay is null)
        {
            node.Overlay = new Overlay();
            _overlays[node.Id] = node.Overlay;
        }

        return node.Overlay;
    }

    private void MarkContentChanged(Node node)
    {
        node.AllocatedKnown = -1;
        if (node.LinkCount > 0)
        {
            _pending.Contents.Add(node);
            _dirtyFiles.Add(node.Id);
        }
    }

    private void PutData(Node node, long offset, ReadOnlySpan<byte> data)
    {
        Overlay overlay = OverlayOf(node);
        while (!data.IsEmpty)
        {
            int room = Overlay.BlockBytes - (int)(offset % Overlay.BlockBytes);
            int take = Math.Min(room, data.Length);
            PutWithinBlock(node, overlay, offset, data[..take]);
            offset += take;
            data = data[take..];
        }

        MarkContentChanged(node);
    }

    private void PutWithinBlock(Node node, Overlay overlay, long offset, ReadOnlySpan<byte> data)
    {
        if (TryPutInPlace(overlay, offset, data) || TryAppend(node, overlay, offset, data))
        {
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(data.Length, SmallestBufferBytes));
        data.CopyTo(buffer);
        DirtyChunk chunk = new()
        {
            Node = node.Id,
            Offset = offset,
            Length = data.Length,
            Buffer = buffer,
            LiveBytes = data.Length,
            ReservedBytes = data.Length,
        };
        _memoryBytes += buffer.Length;
        _dirtyBytes += data.Length;
        _pending.Chunks.Add(chunk);
        Displace(overlay.Put(new OverlayItem(offset, data.Length, chunk, default, 0)));
    }

    /// <summary>Overwrites bytes that are still in memory and that no commit has taken: a hot page costs no second record.</summary>
    private bool TryPutInPlace(Overlay overlay, long offset, ReadOnlySpan<byte> data)
    {
        if (overlay.FindAtOrAfter(offset, offset + 1) is not { Chunk: { IsAppendable: true, Buffer: { } buffer } chunk } item
            || item.Offset > offset || item.End < offset + data.Length || chunk.LiveBytes != item.Length)
        {
            return false;
        }

        data.CopyTo(buffer.AsSpan(item.InnerOffset + (int)(offset - item.Offset)));
        _budget.ReleaseDirty(data.Length);
        return true;
    }

    /// <summary>Lengthens the chunk that ends where the write starts: small appends gather into one record.</summary>
    private bool TryAppend(Node node, Overlay overlay, long offset, ReadOnlySpan<byte> data)
    {
        if (offset % Overlay.BlockBytes == 0
            || overlay.FindAtOrAfter(offset - 1, offset) is not { Chunk: { IsAppendable: true, Buffer: { } buffer } chunk } item
            || item.End != offset || chunk.Node != node.Id || item.InnerOffset + item.Length != chunk.Length
            || chunk.Offset + item.InnerOffset != item.Offset
            || overlay.FindAtOrAfter(offset, offset + data.Length) is not null)
        {
            return false;
        }

        int length = chunk.Length + data.Length;
        if (length > buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Min(Overlay.BlockBytes, Math.Max(length, buffer.Length * 2)));
            buffer.AsSpan(0, chunk.Length).CopyTo(larger);
            _memoryBytes += larger.Length - buffer.Length;
            ArrayPool<byte>.Shared.Return(buffer);
            chunk.Buffer = larger;
        }

        data.CopyTo(chunk.Buffer.AsSpan(chunk.Length));
        chunk.Length = length;
        chunk.LiveBytes += data.Length;
        chunk.ReservedBytes += data.Length;
        _dirtyBytes += data.Length;
        overlay.Grow(item, new OverlayItem(item.Offset, item.Length + data.Length, chunk, default, item.InnerOffset));
        return true;
    }

    /// <summary>Makes a range of a file read as zeros: uncommitted data goes, committed data is covered by a hole.</summary>
    private void CutContent(Node node, long start, long end)
    {
        if (node.Overlay is null && !node.MayHaveExtents)
        {
            return;
        }

        Displace(OverlayOf(node).Cut(start, end, asHole: node.MayHaveExtents && !Mistakes.Has(Mistake.CutWithoutHole)));
        MarkContentChanged(node);
    }

    /// <summary>Items that left an overlay no longer keep their chunks alive.</summary>
    private void Displace(IReadOnlyList<OverlayItem> items)
    {
        foreach (OverlayItem item in items)
        {
            if (item.Chunk is { } chunk)
            {
                chunk.LiveBytes -= item.Length;
                _dirtyBytes -= item.Length;
                BuryIfDead(chunk);
            }
        }
    }

    private void BuryIfDead(DirtyChunk chunk)
    {
        if (!chunk.IsDead || chunk.ReservedBytes < 0)
        {
            return;
        }

        _budget.ReleaseDirty(chunk.ReservedBytes);
        chunk.ReservedBytes = -1;
        if (chunk.IsTaken)
        {
            // Whoever logs it now sees to it.
            return;
        }

        ReturnBuffer(chunk);
        if (chunk.IsLogged && Mistakes.Has(Mistake.LogReleasedEarly))
        {
            _log.Release(chunk.Position, chunk.Length);
        }
        else if (chunk.IsLogged || chunk.IsAppended)
        {
            _pending.Releases.Add(chunk);
        }
    }

    private void ReturnBuffer(DirtyChunk chunk)
    {
        if (chunk.Buffer is { } buffer)
        {
            _memoryBytes -= buffer.Length;
            chunk.Buffer = null;
            chunk.IsAppendable = false;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The file lost its last link: its rows of dirty ranges go with the next local commit, its bytes when nobody has it open.</summary>
    private void ForgetDirtyRows(Node node)
    {
        _dirtyFiles.Remove(node.Id);
        _pending.Contents.Remove(node);
        if (node.Overlay is not { } overlay)
        {
            return;
        }

        foreach (OverlayItem item in overlay.Items)
        {
            if (item.IsSaved)
            {
                _pending.RemovedDirtyRows.Add((node.Id, item.Offset));
            }
        }

        foreach (long offset in overlay.RemovedRows.Concat(overlay.SavedHoles.Select(static hole => hole.Start)))
        {
            _pending.RemovedDirtyRows.Add((node.Id, offset));
        }

        overlay.MarkUnsaved();
    }

    private void DropContent(Node node)
    {
        if (node.Overlay is { } overlay)
        {
            Displace(overlay.Cut(0, long.MaxValue, asHole: false));
            _overlays.Remove(node.Id);
            node.Overlay = null;
        }
    }
}
