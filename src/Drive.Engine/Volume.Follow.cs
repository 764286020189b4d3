using Drive.Core.Stores;
using Drive.Engine.Tree;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>Commits of other devices: when to look for them (now and then, and when the store says that there is something), and taking over what there is.</content>
public sealed partial class Volume
{
    private volatile bool _isLookWanted;
    private long _lookedAt;

    /// <summary>Until the next look; longer and longer while the store is away. Null before the first.</summary>
    private TimeSpan? _lookAgain;

    /// <summary>Something new may be in the store: it is looked for at once. From any thread.</summary>
    public void LookSoon()
    {
        _isLookWanted = true;
        _uploadWanted.Ring();
    }

    private bool IsLookDue() => _isLookWanted || (_settings.LookInterval is not null && (_lookAgain is not { } wait || _time.GetElapsedTime(_lookedAt) >= wait));

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        _isLookWanted = false;
        TimeSpan interval = _settings.LookInterval ?? PatienceMax;
        try
        {
            await FollowAsync(cancellationToken);
            NoteStoreReachable();
            _lookAgain = interval;
        }
        catch (StoreException error)
        {
            TimeSpan longer = (_lookAgain ?? interval) * 2;
            _lookAgain = longer < PatienceMax ? longer : PatienceMax;
            NoteStoreUnreachable(error, _lookAgain.Value);
        }

        _lookedAt = _time.GetTimestamp();
    }

    /// <summary>Takes over what other devices committed since. Ends at the log's head, or with a reason to send nothing more.</summary>
    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        StopIfRevoked();
        while (_stopReason is null)
        {
            ObjectName name = VaultNames.Commit(_state.Gen, _state.Seq + 1);
            ReadResult result = await _vaultLog.ReadNextAsync(_state, rows => CommitRows.Resolve(_metadata, rows, name), cancellationToken);
            if (result is ReadResult.FloorJump)
            {
                StopForFloor();
            }

            if (result is not ReadResult.Next(var content, var next))
            {
                return;
            }

            RequireUnneeded(name, content, next, cancellationToken);
            bool hasOwn = _unsent.Count > 0 || _interrupted is not null;
            if (content.Device == _keys.DeviceId && (hasOwn || _started))
            {
                // This device sent it and has forgotten: its database lost what it held last, or was copied.
                throw new LocalStateException("The local database is older than what this device has sent.");
            }

            if (hasOwn && _settings.ReadOnly)
            {
                _readOnlyReason = "Another device wrote to this vault, and this one has changes of its own. They are kept on this machine; mount without --read-only to merge both.";
                Stop(_readOnlyReason, null);
                return;
            }

            if (_started || hasOwn)
            {
                await TakeOverAsync(name, content, next, cancellationToken);
                StopIfRevoked();
                continue;
            }

            _nextNodeCounter = CommitRows.NextCounter(_deviceNumber, content.Rows.Opened.Nodes, _nextNodeCounter);
            CommitRows.Apply(
                _metadata, name, CommitRows.NoteOf(content, _keys.DeviceId), content.Rows, [(StateSetting, next.Encode()), (CounterSetting, Numbers.Encode((long)_nextNodeCounter))]);
            _state = next;
            _nextEntryId = _metadata.NextEntryId;
            StopIfRevoked();
        }
    }
}
