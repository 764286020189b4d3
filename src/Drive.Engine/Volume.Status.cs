using Drive.Core;
using Drive.Core.Volumes;

namespace Drive.Engine;

/// <content>What the volume tells of itself.</content>
public sealed partial class Volume
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Where everything is now.</summary>
    public VolumeStatus GetStatus()
    {
        (long files, long bytes) = _metadata.CountFiles();
        lock (_gate)
        {
            Amount local = LocalAmount();
            Amount sending = SendingAmount();
            return new VolumeStatus
            {
                Seq = _state.Seq,
                LocalOnly = local,
                Uploading = sending,
                InCloud = new Amount(Math.Max(0, files - local.Files - sending.Files), Math.Max(0, bytes - local.Bytes - sending.Bytes)),
                OldestUnsent = OldestUnsent(),
                CacheUsedBytes = _log.BytesOnDisk + _cache.UsedBytes,
                CacheLimitBytes = _settings.CacheLimitBytes,
                Pins = _pinStatus,
                UploadBytesPerSecond = _uploadMeter.BytesPerSecond,
                DownloadBytesPerSecond = _blocks.Meter.BytesPerSecond,
                Store = _condition,
                LastError = _failure ?? _stopReason ?? _storeError ?? _lastError,
                ReadOnlyReason = _failure ?? _readOnlyReason ?? (_settings.ReadOnly ? "It was mounted read-only." : FollowerReason),
            };
        }
    }

    /// <summary>Where one node's bytes are.</summary>
    public FileState GetFileState(NodeId node)
    {
        lock (_gate)
        {
            return _unsent.Contains(node) ? FileState.LocalOnly
                : _sending?.Nodes.Contains(node) == true ? FileState.Uploading
                : FileState.InCloud;
        }
    }

    /// <summary>
    /// Waits until everything done before the call is committed in the store, and hurries it. Cancelling ends the wait with what is left.
    /// A store that is away is waited for; a volume that stopped sending, or is not the vault's single writer, is not.
    /// </summary>
    public async Task<UploadProgress> WaitUploadedAsync(Action<UploadProgress>? progress, CancellationToken cancellationToken)
    {
        long target;
        lock (_gate)
        {
            target = _change;
            _forceThrough = Math.Max(_forceThrough, target);
        }

        _uploadWanted.Ring();
        while (true)
        {
            UploadProgress now = Progress(target);
            progress?.Invoke(now);
            if (now.Done || _stopReason is not null || IsFollower || cancellationToken.IsCancellationRequested || _failure is not null)
            {
                return now;
            }

            await LandingOrTickAsync(cancellationToken);
        }
    }

    private async Task LandingOrTickAsync(CancellationToken cancellationToken)
    {
        Bell landed = new();
        Landed += landed.Ring;
        try
        {
            await landed.WaitAsync(ProgressInterval, _time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The caller looks at the token.
        }
        finally
        {
            Landed -= landed.Ring;
        }
    }

    private UploadProgress Progress(long target)
    {
        lock (_gate)
        {
            bool done = Mistakes.Has(Mistake.WaitSaysDone) || (_interrupted is null && (_landedChange >= target || (_unsent.Count == 0 && _sending is null)));
            Amount local = LocalAmount();
            Amount sending = SendingAmount();
            Amount left = done ? default : new Amount(local.Files + sending.Files, local.Bytes + sending.Bytes);
            return new UploadProgress(done, left, _failure ?? _stopReason ?? (IsFollower ? FollowerReason : _storeError));
        }
    }

    private DateTimeOffset? OldestUnsent()
    {
        DateTimeOffset? oldest = _sending?.OldestChange ?? _openSince;
        foreach (DateTimeOffset since in _late.Values)
        {
            oldest = oldest is null || since < oldest ? since : oldest;
        }

        return oldest;
    }

    private Amount LocalAmount() => new(_unsent.Count, Math.Max(0, _dirtyBytes - (_sending?.DataBytes ?? 0)));

    private Amount SendingAmount() => _sending is { } sending ? new Amount(sending.Nodes.Count, sending.DataBytes) : default;

    private string DescribeState(NodeId node) => GetFileState(node) switch
    {
        FileState.LocalOnly => "local",
        FileState.Uploading => "uploading",
        _ => "cloud",
    };
}
