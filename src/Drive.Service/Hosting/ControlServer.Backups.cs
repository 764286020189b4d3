using System.Threading.Channels;
using Drive.Control;
using Drive.Service.Logs;
using Microsoft.AspNetCore.Http;

namespace Drive.Service.Hosting;

/// <content>Backup of folders.</content>
internal sealed partial class ControlServer
{
    private async Task AnswerBackupAsync(HttpContext context, string route)
    {
        CancellationToken aborted = context.RequestAborted;
        switch (context.Request.Method, route)
        {
            case ("GET", ControlRoutes.BackupSets):
                await WriteAsync(context, await drive.Backups.ListSetsAsync(aborted), ControlJson.Default.BackupSetList);
                break;
            case ("POST", ControlRoutes.BackupStatus):
                await WriteAsync(context, await drive.Backups.StandAsync((await ReadAsync(context, ControlJson.Default.BackupNameRequest)).Name, aborted), ControlJson.Default.BackupStandings);
                break;
            case ("POST", ControlRoutes.AddBackup):
                await WriteAsync(context, await drive.Backups.AddSetAsync(await ReadAsync(context, ControlJson.Default.BackupSetInfo), aborted), ControlJson.Default.BackupStandings);
                break;
            case ("POST", ControlRoutes.PauseBackup or ControlRoutes.ResumeBackup):
                await WriteAsync(context, await drive.Backups.SetPausedAsync(await ReadNameAsync(context), route == ControlRoutes.PauseBackup, aborted), ControlJson.Default.BackupStandings);
                break;
            case ("POST", ControlRoutes.RemoveBackup):
                await WriteAsync(context, await drive.Backups.RemoveSetAsync(await ReadNameAsync(context), aborted), ControlJson.Default.BackupSetList);
                break;
            case ("POST", ControlRoutes.RunBackup):
                await RunBackupAsync(context, await ReadAsync(context, ControlJson.Default.BackupRunRequest));
                break;
            case ("POST", ControlRoutes.VerifyBackup):
                await WriteAsync(context, await drive.Backups.VerifySetAsync(await ReadAsync(context, ControlJson.Default.BackupVerifyRequest), aborted), ControlJson.Default.BackupVerifyInfo);
                break;
            case ("POST", ControlRoutes.AcceptBackup):
                await WriteAsync(context, await drive.Backups.AcceptSetAsync(await ReadNameAsync(context), aborted), ControlJson.Default.BackupStandings);
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
        }
    }

    private static async Task<string> ReadNameAsync(HttpContext context) => (await ReadAsync(context, ControlJson.Default.BackupNameRequest)).Name ?? "";

    // Lines have begun when it is known how the run ended, so a failure is a line too.
    private async Task RunBackupAsync(HttpContext context, BackupRunRequest request)
    {
        using CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);

        // One line is enough to hold: only the newest is worth showing.
        Channel<BackupProgressInfo> lines = Channel.CreateBounded<BackupProgressInfo>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        Task<BackupRunInfo> run = drive.Backups.RunSetAsync(request, where => lines.Writer.TryWrite(where), stopping.Token);
        _ = run.ContinueWith(_ => lines.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await foreach (BackupProgressInfo where in lines.Reader.ReadAllAsync(stopping.Token))
        {
            await WriteLineAsync(context, new BackupRunLine(where, null, null), ControlJson.Default.BackupRunLine);
        }

        BackupRunLine last;
        try
        {
            last = new BackupRunLine(null, await run, null);
        }
        catch (DriveException refusal)
        {
            logger.ControlFailed(refusal.Message, refusal);
            last = new BackupRunLine(null, null, new ErrorReply(refusal.Error, refusal.Message));
        }

        await WriteLineAsync(context, last, ControlJson.Default.BackupRunLine);
    }
}
