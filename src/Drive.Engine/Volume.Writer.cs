using Drive.Core.Rows;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>
/// A vault with a single writer, for stores that do not keep names that are taken: one device commits, all others follow and refuse changes until it hands over. Who writes is said by the log
/// alone, so a device that was the writer knows from the store, and from nothing else, that it is no more.
/// </content>
public sealed partial class Volume
{
    /// <summary>How long after a commit the store is asked for it again, where nothing else is said. Arbitrary: longer than a put that was on its way takes.</summary>
    private static readonly TimeSpan SecondLookDefault = TimeSpan.FromSeconds(2);

    private volatile bool _isHandingOver;

    /// <summary>Why changes are refused because of another device, or null.</summary>
    private string? FollowerReason => _state.SingleWriter is { } writer && writer != _keys.DeviceId
        ? $"Only '{NameOf(_state, writer)}' writes to this vault; here it is read-only and follows. 'drive device hand-over' there makes another device the writer."
            + (_unsent.Count > 0 || _interrupted is not null ? " Changes of this machine that were not sent are kept here, and are sent when it is the writer again." : "")
        : _isHandingOver ? "This device is handing over to another one." : null;

    private bool IsFollower => _state.SingleWriter is { } writer && writer != _keys.DeviceId;

    /// <summary>Whether a change is refused now; unlike <see cref="IsReadOnly"/> this ends by itself when the device becomes the writer.</summary>
    private bool RefusesChanges => IsReadOnly || _isHandingOver || IsFollower;

    /// <summary>
    /// Makes another device the vault's single writer, when all that was changed here is in the store; changes are refused from now on, and again allowed if it fails.
    /// </summary>
    /// <returns>The state after the commit: the last one of this device.</returns>
    /// <exception cref="VaultException">It is not the writer, or sends nothing now; the message says why.</exception>
    public async Task<VaultState> HandOverAsync(DeviceId device, CancellationToken cancellationToken)
    {
        RequireWriter(_state);
        _isHandingOver = true;
        try
        {
            // Before the commit that is the last: what is late would stay behind it.
            UploadProgress sent = await WaitUploadedAsync(null, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            return sent.Done
                ? await ChangeMembersAsync(
                    state =>
                    {
                        RequireWriter(state);
                        return [new Appoint(device)];
                    },
                    cancellationToken)
                : throw Refusal(sent.LastError);
        }
        finally
        {
            _isHandingOver = false;
        }
    }

    /// <summary>
    /// Makes this device the vault's single writer although the one of now has not handed over. What that one had not sent is not in the vault; should it still be at work, it hears of it before it
    /// sends more, unless the store shows it too late.
    /// </summary>
    /// <exception cref="VaultException">It is the writer, or the vault has many.</exception>
    public Task<VaultState> TakeOverAsync(CancellationToken cancellationToken) => ChangeVaultAsync(
        state => state.SingleWriter is null ? throw ManyWriters()
            : state.SingleWriter == _keys.DeviceId ? throw new VaultException(VaultErrorKind.NotReady, "This device is the writer already.")
            : new VaultChanges([new Appoint(_keys.DeviceId)], []),
        isForFollower: true,
        cancellationToken);

    private void RequireWriter(VaultState state)
    {
        if (state.SingleWriter is not { } writer)
        {
            throw ManyWriters();
        }

        if (writer != _keys.DeviceId)
        {
            throw new VaultException(VaultErrorKind.NotReady, $"Only '{NameOf(state, writer)}' writes to this vault: do it there.");
        }
    }

    /// <summary>Brings an attempt into its slot; where the store's word for a name is not enough, it counts when the store still shows it a while later.</summary>
    private async Task<AppendOutcome> AppendAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        AppendOutcome outcome = await _vaultLog.SubmitAsync(_state, attempt, cancellationToken);
        if (outcome is AppendOutcome.Committed && (_settings.SecondLook ?? (attempt.Next.SingleWriter is null ? null : SecondLookDefault)) is { } wait)
        {
            await Task.Delay(wait, _time, cancellationToken);
            outcome = await _vaultLog.LookAgainAsync(_state, attempt, cancellationToken);
        }

        return outcome;
    }

    private static VaultException ManyWriters() => new(VaultErrorKind.NotReady, "All devices write to this vault: there is nothing to hand over.");

    private static string NameOf(VaultState state, DeviceId device) => state.FindMember(device)?.Name ?? "another device";
}
