using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>copy_file_range(2) by sharing: no byte moves.</content>
public sealed partial class Volume
{
    /// <inheritdoc/>
    public ValueTask<IoResult> CopyRangeAsync(
        HandleId source, long sourceOffset, HandleId target, long targetOffset, long length, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(CopyRange(source, sourceOffset, target, targetOffset, length));
        }
    }

    private IoResult CopyRange(HandleId source, long sourceOffset, HandleId target, long targetOffset, long length)
    {
        if (!_handles.TryGetValue(source, out Handle? from) || !_handles.TryGetValue(target, out Handle? to)
            || from.Node.IsDirectory || to.Node.IsDirectory || (to.Options & (OpenOptions.Write | OpenOptions.Append)) != OpenOptions.Write)
        {
            return IoResult.Failed(FsStatus.BadHandle);
        }

        if (sourceOffset < 0 || targetOffset < 0 || length < 0)
        {
            return IoResult.Failed(FsStatus.Invalid);
        }

        if (IsReadOnly)
        {
            return IoResult.Failed(FsStatus.ReadOnly);
        }

        length = Math.Clamp(from.Node.Size - sourceOffset, 0, length);
        if (length == 0)
        {
            return IoResult.Done(0);
        }

        if (targetOffset > FileBytesMax - length)
        {
            return IoResult.Failed(FsStatus.TooLarge);
        }

        bool overlaps = ReferenceEquals(from.Node, to.Node) && Math.Abs(sourceOffset - targetOffset) < length;
        if (overlaps)
        {
            return IoResult.Failed(FsStatus.Invalid);
        }

        BeginChange();
        ShareRange(from.Node, sourceOffset, to.Node, targetOffset, length);
        to.Node.Size = Math.Max(to.Node.Size, targetOffset + length);
        to.Node.MaySparse = true;
        TouchAccess(from.Node);
        TouchContent(to.Node, Now());
        return IoResult.Done(length);
    }

    private void ShareRange(Node from, long sourceOffset, Node to, long targetOffset, long length)
    {
        // What the source shows is listed first: putting into the target may cut the source's items when both are one file.
        List<(Source Source, long Offset, long Length)> parts = [];
        for (long done = 0; done < length;)
        {
            // A part stays within a block of the target, since its overlay item must.
            long blockEnd = done + Overlay.BlockBytes - ((targetOffset + done) % Overlay.BlockBytes);
            Source part = FindSource(from, sourceOffset + done, sourceOffset + length);
            long end = part.IsData ? Math.Min(part.End - sourceOffset, blockEnd) : part.End - sourceOffset;
            parts.Add((part, targetOffset + done, end - done));
            done = end;
        }

        foreach ((Source part, long offset, long bytes) in parts)
        {
            if (!part.IsData)
            {
                CutContent(to, offset, offset + bytes);
                continue;
            }

            if (part.Chunk is { } chunk)
            {
                // Shared bytes must not change in place under one of their files.
                chunk.IsAppendable = false;
                chunk.LiveBytes += bytes;
                _dirtyBytes += bytes;
            }

            Displace(OverlayOf(to).Put(new OverlayItem(offset, (int)bytes, part.Chunk, part.Block, part.InnerOffset)));
            MarkContentChanged(to);
        }
    }
}
