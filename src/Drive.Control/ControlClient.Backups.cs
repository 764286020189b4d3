using System.Text.Json;

namespace Drive.Control;

/// <content>Backup of folders.</content>
public sealed partial class ControlClient : IBackups
{
    /// <inheritdoc/>
    public Task<BackupSetList> ListSetsAsync(CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Get, ControlRoutes.BackupSets, null, ControlJson.Default.BackupSetList, cancellationToken);

    /// <inheritdoc/>
    public Task<BackupStandings> StandAsync(string? name, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.BackupStatus, new BackupNameRequest(name), ControlJson.Default.BackupNameRequest, ControlJson.Default.BackupStandings, cancellationToken);

    /// <inheritdoc/>
    public Task<BackupStandings> AddSetAsync(BackupSetInfo set, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.AddBackup, set, ControlJson.Default.BackupSetInfo, ControlJson.Default.BackupStandings, cancellationToken);

    /// <inheritdoc/>
    public Task<BackupStandings> SetPausedAsync(string name, bool isPaused, CancellationToken cancellationToken) => PostAsync(
        isPaused ? ControlRoutes.PauseBackup : ControlRoutes.ResumeBackup, new BackupNameRequest(name), ControlJson.Default.BackupNameRequest, ControlJson.Default.BackupStandings, cancellationToken);

    /// <inheritdoc/>
    public Task<BackupSetList> RemoveSetAsync(string name, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.RemoveBackup, new BackupNameRequest(name), ControlJson.Default.BackupNameRequest, ControlJson.Default.BackupSetList, cancellationToken);

    /// <inheritdoc/>
    public async Task<BackupRunInfo> RunSetAsync(BackupRunRequest request, Action<BackupProgressInfo> progress, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Post, ControlRoutes.RunBackup, Json(request, ControlJson.Default.BackupRunRequest), cancellationToken, cancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using StreamReader reader = new(body);
        while (await ReadLineAsync(reader, cancellationToken) is { } text)
        {
            BackupRunLine line = JsonSerializer.Deserialize(text, ControlJson.Default.BackupRunLine) ?? throw Garbled();
            if (line.Error is { } error)
            {
                throw new DriveException(error.Error, error.Message);
            }

            if (line.Run is { } run)
            {
                return run;
            }

            progress(line.Progress ?? throw Garbled());
        }

        throw Lost(new EndOfStreamException());
    }

    /// <inheritdoc/>
    public Task<BackupVerifyInfo> VerifySetAsync(BackupVerifyRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.VerifyBackup, request, ControlJson.Default.BackupVerifyRequest, ControlJson.Default.BackupVerifyInfo, cancellationToken);

    /// <inheritdoc/>
    public Task<BackupStandings> AcceptSetAsync(string name, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.AcceptBackup, new BackupNameRequest(name), ControlJson.Default.BackupNameRequest, ControlJson.Default.BackupStandings, cancellationToken);
}
