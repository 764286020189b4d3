using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>Changes made here: batches of an epoch that is not committed yet.</summary>
public sealed partial class MetadataStore
{
    private const string FlushSetting = "flush";

    /// <summary>
    /// Takes over a batch. With P the provisional seq of its epoch: putting over a row that was opened at P changes it in place; over an older
    /// one, closes that at P and opens a new one. Removing deletes or closes likewise, and does nothing where nothing is. Then a thing made and
    /// removed within one epoch leaves no trace.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="flush">Whether it is durable on return. Else a power cut may take it, and what came after it, until the next change that is.</param>
    public void Apply(MetadataBatch batch, bool flush = true)
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
        },
        flush);
    }

    /// <summary>Makes all changes so far durable.</summary>
    public void Flush()
    {
        if (!_isFlushed)
        {
            // SQLite flushes with a commit, and a commit needs something to write.
            Change(() => _settings.Put(FlushSetting, [1]));
        }
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
