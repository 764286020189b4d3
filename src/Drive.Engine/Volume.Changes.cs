using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>Changes of the vault itself, of its members and of its history, travel in the commits of the uploader: one writer of the log on each device is enough.</content>
public sealed partial class Volume
{
    private readonly Queue<VaultRequest> _vaultRequests = [];

    /// <summary>The log as far as this device has followed it: its members, among others.</summary>
    public VaultState Head => _state;

    /// <summary>
    /// Commits changes of the members, as soon as the store answers. <paramref name="make"/> gets the state that they will follow, once more where another device was first;
    /// what it throws comes back.
    /// </summary>
    /// <returns>The state after the commit.</returns>
    /// <exception cref="VaultException">This volume sends nothing; the message says why.</exception>
    public Task<VaultState> ChangeMembersAsync(Func<VaultState, IReadOnlyList<MemberChange>> make, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(make);
        return ChangeVaultAsync(state => new VaultChanges(make(state), []), isForFollower: false, cancellationToken);
    }

    /// <summary>
    /// Commits changes of the history: snapshots, retention, and what is forgotten. Like <see cref="ChangeMembersAsync"/>; the commit has the seq that follows the state's, and what was done to
    /// the volume before this call is in it or in one before it, but for late files.
    /// </summary>
    /// <returns>The state after the commit.</returns>
    /// <exception cref="VaultException">This volume sends nothing; the message says why.</exception>
    /// <exception cref="VaultIntegrityException">The changes are not valid after that state.</exception>
    public Task<VaultState> ChangeHistoryAsync(Func<VaultState, IReadOnlyList<HistoryChange>> make, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(make);
        return ChangeVaultAsync(state => new VaultChanges([], make(state)), isForFollower: false, cancellationToken);
    }

    private async Task<VaultState> ChangeVaultAsync(Func<VaultState, VaultChanges> make, bool isForFollower, CancellationToken cancellationToken)
    {
        VaultRequest request = new(make);
        lock (_gate)
        {
            RequireSending(isForFollower);
            _vaultRequests.Enqueue(request);
        }

        _uploadWanted.Ring();
        await using CancellationTokenRegistration givingUp = cancellationToken.Register(() => request.Landed.TrySetCanceled(cancellationToken));
        return await request.Landed.Task;
    }

    /// <summary>Refuses, with the reason, where this volume commits nothing.</summary>
    private void RequireSending(bool isForFollower = false)
    {
        if (_stopReason is not null || _stopping.IsCancellationRequested || _settings.ReadOnly)
        {
            throw Refusal(_stopReason ?? (_settings.ReadOnly ? "It was mounted read-only." : null));
        }

        if (!isForFollower)
        {
            RequireNoFollower();
        }
    }

    private void RequireNoFollower()
    {
        if (IsFollower)
        {
            throw new VaultException(VaultErrorKind.NotReady, $"Only '{NameOf(_state, _state.SingleWriter!.Value)}' writes to this vault: do it there.");
        }
    }

    /// <summary>Whether somebody waits for a change. What is answered is none: it must not send what was written since before that has rested.</summary>
    private bool HasVaultRequests()
    {
        lock (_gate)
        {
            while (_vaultRequests.TryPeek(out VaultRequest? first) && first.Landed.Task.IsCompleted)
            {
                _vaultRequests.Dequeue();
            }

            return _vaultRequests.Count > 0;
        }
    }

    private static VaultException Refusal(string? reason) => new(VaultErrorKind.NotReady, $"Nothing is sent to the store now. {reason}");

    /// <summary>The first that somebody still waits for, and what it wants; under the state that the next commit follows.</summary>
    private (VaultRequest? Request, VaultChanges Changes) NextVaultChanges()
    {
        while (true)
        {
            VaultRequest? request;
            lock (_gate)
            {
                if (!HasVaultRequests())
                {
                    return (null, VaultChanges.None);
                }

                request = _vaultRequests.Peek();
            }

            try
            {
                VaultChanges changes = request.Make(_state);
                if (!changes.IsEmpty)
                {
                    // Refused here, it is its own fault, and not that of the commit around it.
                    _vaultLog.Prepare(_state, new CommitDraft { Members = changes.Members, History = changes.History, Time = Now() });
                    return (request, changes);
                }

                Complete(request, _state);
            }
            catch (Exception error)
            {
                // Whatever it is, it is the asker's.
                request.Landed.TrySetException(error);
            }
        }
    }

    private void Complete(VaultRequest? request, VaultState state) => request?.Landed.TrySetResult(state);

    private void RefuseVaultRequests()
    {
        lock (_gate)
        {
            while (_vaultRequests.TryDequeue(out VaultRequest? request))
            {
                request.Landed.TrySetException(Refusal(_stopReason));
            }
        }
    }

    /// <summary>A device that was revoked sends nothing, and keeps what it has.</summary>
    private void StopIfRevoked()
    {
        if (_stopReason is null && _state.FindMember(_keys.DeviceId) is { Active: false } self)
        {
            _readOnlyReason = $"This device ('{self.Name}') was revoked. What it had is shown, read-only; what it has not sent stays on this machine. 'drive join STORE --again' makes it another device.";
            Stop(_readOnlyReason, null);
        }
    }

    private sealed record VaultChanges(IReadOnlyList<MemberChange> Members, IReadOnlyList<HistoryChange> History)
    {
        public static VaultChanges None { get; } = new([], []);

        public bool IsEmpty => Members.Count + History.Count == 0;
    }

    private sealed record VaultRequest(Func<VaultState, VaultChanges> Make)
    {
        public TaskCompletionSource<VaultState> Landed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
