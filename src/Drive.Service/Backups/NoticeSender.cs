using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Drive.Backup;

namespace Drive.Service.Backups;

/// <summary>Tells people in the ways that a set names, and on the desktop where there is one: all at once, each for a bounded time.</summary>
internal static class NoticeSender
{
    private static readonly TimeSpan CommandTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WebTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan DesktopTime = TimeSpan.FromSeconds(5);

    /// <summary>Sends; throws the first failure when all have been tried.</summary>
    public static Task SendAsync(BackupSet set, FailureNotice notice, Func<string, string?> environment, TimeProvider time, CancellationToken cancellationToken) => Task.WhenAll(
        set.OnFailure is { } command ? RunAsync(command, notice, time, cancellationToken) : Task.CompletedTask,
        set.Webhook is { } address ? PostAsync(address, notice, time, cancellationToken) : Task.CompletedTask,
        HasDesktop(environment) ? ShowAsync(notice, time, cancellationToken) : Task.CompletedTask);

    private static async Task RunAsync(string command, FailureNotice notice, TimeProvider time, CancellationToken cancellationToken)
    {
        Dictionary<string, string> variables = new()
        {
            ["DRIVE_VAULT"] = notice.Vault,
            ["DRIVE_SET"] = notice.Set,
            ["DRIVE_OUTCOME"] = notice.Outcome,
            ["DRIVE_REASON"] = notice.Reason,
        };
        (int Code, string Output)? ran = await OutsideProgram.RunAsync("/bin/sh", ["-c", command], variables, CommandTime, time, cancellationToken);
        if (ran is not (0, _))
        {
            throw new IOException(ran is null ? $"the command took longer than {CommandTime.TotalSeconds:0} s and was ended" : $"the command ended with exit code {ran.Value.Code}");
        }
    }

    private static async Task PostAsync(string address, FailureNotice notice, TimeProvider time, CancellationToken cancellationToken)
    {
        using CancellationTokenSource timer = new(WebTime, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        using HttpClient http = new() { Timeout = Timeout.InfiniteTimeSpan };

        // With its length: there are receivers that want one.
        using ByteArrayContent content = new(JsonSerializer.SerializeToUtf8Bytes(notice, NoticeJson.Default.FailureNotice)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using HttpResponseMessage response = await http.PostAsync(new Uri(address), content, either.Token);
        response.EnsureSuccessStatusCode();
    }

    private static async Task ShowAsync(FailureNotice notice, TimeProvider time, CancellationToken cancellationToken) => await OutsideProgram.RunAsync(
        "notify-send",
        ["--app-name=Drive", "--urgency=critical", "--", $"Backup of '{notice.Set}': {notice.Outcome}", notice.Reason],
        new Dictionary<string, string>(),
        DesktopTime,
        time,
        cancellationToken);

    private static bool HasDesktop(Func<string, string?> environment) =>
        environment("DBUS_SESSION_BUS_ADDRESS") is { Length: > 0 } || (environment("XDG_RUNTIME_DIR") is { Length: > 0 } run && File.Exists(Path.Combine(run, "bus")));
}

/// <summary>What a webhook is sent.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FailureNotice))]
internal sealed partial class NoticeJson : JsonSerializerContext;
