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
        if (!TryFindFile(source, out Node from, out _))
        {
            return IoResult.Failed(FsStatus.BadHandle);
        }

        return CopyInto(target, from, from.Size, (offset, end) => FindSource(from, offset, end), sourceOffset, targetOffset, length);
    }

    /// <summary>Shares what a source of <paramref name="size"/> bytes shows, which <paramref name="find"/> tells; <paramref name="from"/> is its node, unless it is one of the past.</summary>
    private IoResult CopyInto(HandleId target, Node? from, long size, Func<long, long, Source> find, long sourceOffset, long targetOffset, long length)
    {
        if (!TryFindFile(target, out Node to, out OpenOptions opened) || (opened & (OpenOptions.Write | OpenOptions.Append)) != OpenOptions.Write)
        {
            return IoResult.Failed(FsStatus.BadHandle);
        }

        if (sourceOffset < 0 || targetOffset < 0 || length < 0)
        {
            return IoResult.Failed(FsStatus.Invalid);
        }

        if (RefusesChanges)
        {
            return IoResult.Failed(FsStatus.ReadOnly);
        }

        length = Math.Clamp(size - sourceOffset, 0, length);
        if (length == 0)
        {
            return IoResult.Done(0);
        }

        if (targetOffset > FileBytesMax - length)
        {
            return IoResult.Failed(FsStatus.TooLarge);
        }

        bool overlaps = ReferenceEquals(from, to) && Math.Abs(sourceOffset - targetOffset) < length;
        if (overlaps)
        {
            return IoResult.Failed(FsStatus.Invalid);
        }

        if (!CanShare(find, sourceOffset, sourceOffset + length))
        {
            // The caller copies the bytes.
            return IoResult.Failed(FsStatus.NotSupported);
        }

        BeginChange();
        ShareRange(find, sourceOffset, to, targetOffset, length);
        to.Size = Math.Max(to.Size, targetOffset + length);
        to.MaySparse = true;
        if (from is not null)
        {
            TouchAccess(from);
        }

        TouchContent(to, Now());
        return IoResult.Done(length);
    }

    /// <summary>Whether the vault still has all blocks of a range. What was forgotten, and is shown until everything here has followed, is not to be named anew.</summary>
    private bool CanShare(Func<long, long, Source> find, long start, long end)
    {
        while (_metadata.HasCondemned && start < end)
        {
            Source part = find(start, end);
            if (part is { IsData: true, Chunk: null } && _metadata.FindBlock(part.Block) is null)
            {
                return false;
            }

            start = part.End;
        }

        return true;
    }

    private void ShareRange(Func<long, long, Source> find, long sourceOffset, Node to, long targetOffset, long length)
    {
        // What the source shows is listed first: putting into the target may cut the source's items when both are one file.
        List<(Source Source, long Offset, long Length)> parts = [];
        for (long done = 0; done < length;)
        {
            // A part stays within a block of the target, since its overlay item must.
            long blockEnd = done + Overlay.BlockBytes - ((targetOffset + done) % Overlay.BlockBytes);
            Source part = find(sourceOffset + done, sourceOffset + length);
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
