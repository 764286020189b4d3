using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>Changes made here: batches of an epoch that is not committed yet.</summary>
public sealed partial class MetadataStore
{
    /// <summary>
    /// Makes a batch durable. With P the provisional seq of its epoch: putting over a row that was opened at P changes it in place; over an older
    /// one, closes that at P and opens a new one. Removing deletes or closes likewise, and does nothing where nothing is. Then a thing made and
    /// removed within one epoch leaves no trace.
    /// </summary>
    public void Apply(MetadataBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Change(() =>
        {
            long at = Epochs.Provisional(batch.Epoch);
            foreach ((NodeId node, MetadataBatch.NodeChange change) in batch.Nodes)
            {
                if (change.LosesXattrs)
                {
                    _xattrs.RemoveAll(node, at);
                }

                if (change.Row is not null)
                {
                    _nodes.Put(change.Row, at, change.IsNew);
                }
                else
                {
                    _nodes.Remove(node, at);
                }
            }

            foreach ((NodeId node, long accessTime) in batch.AccessTimes)
            {
                _nodes.PutAccessTime(node, accessTime);
            }

            foreach (MetadataBatch.EntryChange change in batch.Entries)
            {
                if (change.Row is not null)
                {
                    _entries.Put(change.Row, at);
                }
                else
                {
                    _entries.Remove(change.Parent, change.Name, at);
                }
            }

            foreach (MetadataBatch.XattrChange change in batch.Xattrs)
            {
                if (change.Row is not null)
                {
                    _xattrs.Put(change.Row, at);
                }
                else
                {
                    _xattrs.Remove(change.Node, change.Name, at);
                }
            }

            ApplyUnversioned(batch);
        });
    }

    private void ApplyUnversioned(MetadataBatch batch)
    {
        foreach (MetadataBatch.DirtyChange change in batch.Dirty)
        {
            if (change.Row is not null)
            {
                _dirty.Put(change.Row);
            }
            else
            {
                _dirty.Remove(change.Node, change.Offset);
            }
        }

        foreach (BlockRow block in batch.Blocks)
        {
            _blocks.Put(block);
        }

        foreach ((string key, byte[]? value) in batch.Settings)
        {
            _settings.Put(key, value);
        }
    }
}
