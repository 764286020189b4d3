using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>What this device has not committed, as one batch: put over the committed state it gives the state as it is.</summary>
public sealed partial class MetadataStore
{
    /// <summary>Appends all rows of open epochs and all dirty rows to a batch: as changes of the committed state. Nodes without links are gone to it.</summary>
    public void ReadUncommitted(MetadataBatch into)
    {
        ArgumentNullException.ThrowIfNull(into);
        lock (_gate)
        {
            ThrowIfDisposed();
            foreach (NodeId node in _nodes.ReadEnded())
            {
                into.RemoveNode(node);
            }

            foreach (NodeRow row in _nodes.ReadUncommitted())
            {
                if (row.LinkCount > 0)
                {
                    into.PutNode(row, isNew: false);
                }
                else
                {
                    into.RemoveNode(row.Node);
                }
            }

            foreach (EntryRow row in _entries.ReadEnded())
            {
                into.RemoveEntry(row.Parent, row.Name);
            }

            _entries.ReadUncommitted().ForEach(into.PutEntry);
            foreach (XattrRow row in _xattrs.ReadEnded())
            {
                into.RemoveXattr(row.Node, row.Name);
            }

            _xattrs.ReadUncommitted().ForEach(into.PutXattr);
        }

        foreach (DirtyRow row in ReadAllDirty())
        {
            into.PutDirty(row);
        }
    }
}
