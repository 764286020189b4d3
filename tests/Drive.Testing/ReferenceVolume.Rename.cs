using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>rename(2) and its two flags.</summary>
public sealed partial class ReferenceVolume
{
    public FsStatus Rename(NodeId parent, ReadOnlySpan<byte> name, NodeId newParent, ReadOnlySpan<byte> newName, RenameOptions options)
    {
        lock (_lock)
        {
            FsStatus status = CheckRename(parent, name, newParent, newName, options, out Move move);
            if (status != FsStatus.Ok || move.Entry.Node == move.Replaced?.Node)
            {
                // Two names of one node, or twice the same name: POSIX does nothing at all.
                return status;
            }

            if (options == RenameOptions.Exchange)
            {
                Exchange(move);
            }
            else
            {
                Replace(move, newName);
            }

            long now = Now();
            move.From.MarkModified(now);
            move.To.MarkModified(now);
            return FsStatus.Ok;
        }
    }

    private FsStatus CheckRename(
        NodeId parent, ReadOnlySpan<byte> name, NodeId newParent, ReadOnlySpan<byte> newName, RenameOptions options, out Move move)
    {
        move = default;
        if ((options & ~(RenameOptions.NoReplace | RenameOptions.Exchange)) != 0 || options == (RenameOptions.NoReplace | RenameOptions.Exchange))
        {
            return FsStatus.Invalid;
        }

        FsStatus status = CheckOldName(parent, name, out ReferenceNode from, out ReferenceEntry entry);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        status = CheckNewName(newParent, newName, out ReferenceNode to);
        ReferenceEntry? replaced = status == FsStatus.Exists ? to.Directory!.Find(newName) : null;
        if (status != FsStatus.Ok && (status != FsStatus.Exists || options == RenameOptions.NoReplace))
        {
            return status;
        }

        if (options == RenameOptions.Exchange && replaced is null)
        {
            return FsStatus.NotFound;
        }

        move = new Move(from, entry, to, replaced);
        return CheckMove(move, options);
    }

    private FsStatus CheckMove(in Move move, RenameOptions options)
    {
        if (IsBelow(move.To, move.Entry.Node))
        {
            return FsStatus.Invalid;
        }

        if (move.Replaced is null || move.Replaced.Node == move.Entry.Node)
        {
            return FsStatus.Ok;
        }

        if (options == RenameOptions.Exchange)
        {
            return IsBelow(move.From, move.Replaced.Node) ? FsStatus.Invalid : FsStatus.Ok;
        }

        ReferenceDirectory? replaced = move.Replaced.Node.Directory;
        if (move.Entry.Node.Directory is null)
        {
            return replaced is null ? FsStatus.Ok : FsStatus.IsDirectory;
        }

        if (replaced is null)
        {
            return FsStatus.NotDirectory;
        }

        return replaced.Count == 0 ? FsStatus.Ok : FsStatus.NotEmpty;
    }

    /// <summary>The replaced name keeps its place in listings, so that it is given exactly once.</summary>
    private void Replace(in Move move, ReadOnlySpan<byte> newName)
    {
        ReferenceNode node = move.Entry.Node;
        move.From.Directory!.Remove(move.Entry);
        MoveParent(node, move.From, move.To);
        node.ChangeTime = Now();
        if (move.Replaced is null)
        {
            AddEntry(move.To, newName, node);
            return;
        }

        ReferenceNode replaced = move.Replaced.Node;
        move.Replaced.Node = node;
        move.To.LinkCount -= replaced.Directory is null ? 0u : 1u;
        DropLink(replaced);
    }

    private void Exchange(in Move move)
    {
        ReferenceNode first = move.Entry.Node;
        ReferenceNode second = move.Replaced!.Node;
        (move.Entry.Node, move.Replaced.Node) = (second, first);
        MoveParent(first, move.From, move.To);
        MoveParent(second, move.To, move.From);
        first.ChangeTime = second.ChangeTime = Now();
    }

    private static void MoveParent(ReferenceNode node, ReferenceNode from, ReferenceNode to)
    {
        if (node.Directory is not null)
        {
            from.LinkCount--;
            to.LinkCount++;
            node.Directory.Parent = to.Id;
        }
    }

    private bool IsBelow(ReferenceNode directory, ReferenceNode ancestor)
    {
        while (directory != ancestor && directory.Id != NodeId.Root)
        {
            directory = _nodes[directory.Directory!.Parent];
        }

        return directory == ancestor;
    }

    private readonly record struct Move(ReferenceNode From, ReferenceEntry Entry, ReferenceNode To, ReferenceEntry? Replaced);
}
