using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>rename(2) and renameat2(2).</content>
public sealed partial class Volume
{
    /// <inheritdoc/>
    public FsStatus Rename(NodeId parent, ReadOnlySpan<byte> name, NodeId newParent, ReadOnlySpan<byte> newName, RenameOptions options)
    {
        if (options is not (RenameOptions.None or RenameOptions.NoReplace or RenameOptions.Exchange))
        {
            return FsStatus.Invalid;
        }

        lock (_gate)
        {
            FsStatus status = FindDirectory(parent, out Node source);
            status = status == FsStatus.Ok ? CheckWritable(name) : status;
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (FindEntry(source, name) is not { } entry || FindChild(source, entry) is not { } node)
            {
                return FsStatus.NotFound;
            }

            status = FindDirectory(newParent, out Node target);
            status = status == FsStatus.Ok && target.LinkCount == 0 ? FsStatus.NotFound : status;
            status = status == FsStatus.Ok ? CheckWritable(newName) : status;
            if (status != FsStatus.Ok)
            {
                return status;
            }

            Entry? replacedEntry = FindEntry(target, newName);
            Node? replaced = replacedEntry is null ? null : FindChild(target, replacedEntry);
            status = CheckRename(source, node, target, replaced, options);
            if (status != FsStatus.Ok || ReferenceEquals(node, replaced))
            {
                return status;
            }

            BeginChange();
            long now = Now();
            byte[] oldName = entry.Name;
            byte[] setName = replacedEntry?.Name ?? newName.ToArray();
            if (options == RenameOptions.Exchange)
            {
                SetEntry(source, oldName, replaced!.Id, entry);
                SetEntry(target, setName, node.Id, replacedEntry);
                MoveBelow(replaced, target, source, now);
            }
            else
            {
                SetEntry(source, oldName, NodeId.None);
                SetEntry(target, setName, node.Id, replacedEntry);
                if (replaced is not null)
                {
                    if (replaced.IsDirectory)
                    {
                        target.LinkCount--;
                    }

                    RemoveLink(replaced, now);
                }
            }

            MoveBelow(node, source, target, now);
            TouchContent(source, now);
            TouchContent(target, now);
            return FsStatus.Ok;
        }
    }

    private FsStatus CheckRename(Node source, Node node, Node target, Node? replaced, RenameOptions options)
    {
        if (options == RenameOptions.NoReplace && replaced is not null)
        {
            return FsStatus.Exists;
        }

        if (options == RenameOptions.Exchange && replaced is null)
        {
            return FsStatus.NotFound;
        }

        if (node.IsDirectory && IsWithin(target, node))
        {
            return FsStatus.Invalid;
        }

        if (options == RenameOptions.Exchange)
        {
            return replaced!.IsDirectory && IsWithin(source, replaced) ? FsStatus.Invalid
                : FsStatus.Ok;
        }

        if (replaced is null || ReferenceEquals(node, replaced))
        {
            return FsStatus.Ok;
        }

        if (node.IsDirectory)
        {
            // An ancestor of the source as the target is never empty, so the order of these two says the right thing.
            return !replaced.IsDirectory ? FsStatus.NotDirectory : !IsEmptyDirectory(replaced) ? FsStatus.NotEmpty : FsStatus.Ok;
        }

        return replaced.IsDirectory ? FsStatus.IsDirectory : FsStatus.Ok;
    }

    /// <summary>Whether <paramref name="directory"/> is <paramref name="ancestor"/> or lies below it.</summary>
    private bool IsWithin(Node directory, Node ancestor)
    {
        NodeId id = directory.Id;
        while (id != NodeId.None)
        {
            if (id == ancestor.Id)
            {
                return true;
            }

            id = id == NodeId.Root ? NodeId.None : _parents.GetValueOrDefault(id);
        }

        return false;
    }

    private void MoveBelow(Node node, Node from, Node to, long now)
    {
        node.ChangeTime = now;
        MarkChanged(node);
        if (node.IsDirectory)
        {
            from.LinkCount--;
            to.LinkCount++;
            node.Parent = to.Id;
            _parents[node.Id] = to.Id;
        }
    }
}
