using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Drive.Backup;
using Drive.Service.Backups;
using Drive.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Service.Tests.Backups;

public sealed class FailureNoticesTests
{
    private static readonly BackupSet Set = new() { Name = "docs", Paths = ["/d"] };

    [Fact]
    public async Task A_trouble_is_told_once_a_day_another_one_at_once_and_what_a_person_asked_for_always()
    {
        ManualTime time = new();
        List<string> told = [];
        FailureNotices notices = new("work", (_, notice, _) =>
        {
            told.Add($"{notice.Outcome}: {notice.Reason}");
            return Task.CompletedTask;
        }, time, NullLogger.Instance);
        await EndAsync(BackupOutcome.Failed);
        await EndAsync(BackupOutcome.Failed);
        await EndAsync(BackupOutcome.Suspicious);
        Assert.Equal(["failed: why", "suspicious: why"], told);
        time.Jump(TimeSpan.FromDays(-400));
        await EndAsync(BackupOutcome.Suspicious);
        Assert.Equal(2, told.Count);
        time.Advance(TimeSpan.FromDays(1));
        await EndAsync(BackupOutcome.Suspicious);
        await EndAsync(BackupOutcome.Suspicious, isByHand: true);
        Assert.Equal(4, told.Count);
        await EndAsync(BackupOutcome.Done);
        await EndAsync(BackupOutcome.Suspicious);
        Assert.Equal(5, told.Count);

        Task EndAsync(BackupOutcome outcome, bool isByHand = false) =>
            notices.AfterRunAsync(Set, new BackupReport { Set = "docs", Outcome = outcome, Started = default, Ended = default, Reason = "why" }, isByHand, CancellationToken.None);
    }

    [Fact]
    public async Task A_notice_that_nobody_takes_stops_nothing()
    {
        FailureNotices notices = new("work", static (_, _, _) => throw new IOException("no"), new ManualTime(), NullLogger.Instance);
        await notices.StaleAsync(Set, "why", CancellationToken.None);
    }

    [Fact]
    public async Task A_command_gets_it_in_its_environment_and_an_address_as_json()
    {
        using TemporaryHome home = new();
        string file = Path.Combine(home.Root, "said");
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task<string> posted = ReceiveAsync(listener);
        BackupSet set = Set with
        {
            OnFailure = $"printf '%s|%s|%s|%s' \"$DRIVE_VAULT\" \"$DRIVE_SET\" \"$DRIVE_OUTCOME\" \"$DRIVE_REASON\" > '{file}'",
            Webhook = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/hook",
        };
        FailureNotice notice = new("work", "docs", "failed", "it's $HOME \"quoted\"\0", DateTimeOffset.UnixEpoch);
        await NoticeSender.SendAsync(set, notice, static _ => null, TimeProvider.System, CancellationToken.None);
        Assert.Equal("work|docs|failed|it's $HOME \"quoted\" ", File.ReadAllText(file));
        string request = await posted;
        Assert.StartsWith("POST /hook HTTP/1.1", request, StringComparison.Ordinal);
        JsonElement body = JsonDocument.Parse(request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]).RootElement;
        Assert.Equal(("docs", "failed"), (body.GetProperty("set").GetString(), body.GetProperty("outcome").GetString()));
    }

    [Fact]
    public async Task A_command_that_fails_or_is_not_there_is_said()
    {
        FailureNotice notice = new("work", "docs", "failed", "why", DateTimeOffset.UnixEpoch);
        IOException failed = await Assert.ThrowsAsync<IOException>(() => NoticeSender.SendAsync(Set with { OnFailure = "exit 7" }, notice, static _ => null, TimeProvider.System, CancellationToken.None));
        Assert.Contains("exit code 7", failed.Message, StringComparison.Ordinal);
        Assert.Null(await OutsideProgram.RunAsync("no-such-program", [], new Dictionary<string, string>(), TimeSpan.FromSeconds(9), TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task A_program_that_takes_too_long_is_ended_with_what_it_started()
    {
        using TemporaryHome home = new();
        string file = Path.Combine(home.Root, "pid");
        ManualTime time = new();
        Task<(int, string)?> run = OutsideProgram.RunAsync("/bin/sh", ["-c", $"sleep 1000 & echo $! > '{file}.new'; mv '{file}.new' '{file}'; wait"], new Dictionary<string, string>(), TimeSpan.FromSeconds(60), time, CancellationToken.None);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(file), TimeSpan.FromSeconds(20)));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(await run);
        string pid = File.ReadAllText(file).Trim();
        Assert.True(SpinWait.SpinUntil(() => !File.Exists($"/proc/{pid}/stat") || File.ReadAllText($"/proc/{pid}/stat").Contains(") Z", StringComparison.Ordinal), TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task What_a_program_prints_is_bounded()
    {
        (int code, string output) = (await OutsideProgram.RunAsync("/bin/sh", ["-c", "head -c 1000000 /dev/zero | tr '\\0' x"], new Dictionary<string, string>(), TimeSpan.FromSeconds(60), TimeProvider.System, CancellationToken.None))!.Value;
        Assert.Equal(0, code);
        Assert.InRange(output.Length, 1000, 100_000);
    }

    private static async Task<string> ReceiveAsync(TcpListener listener)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        NetworkStream stream = client.GetStream();
        byte[] buffer = new byte[16384];
        int length = 0;
        while (!Encoding.UTF8.GetString(buffer, 0, length).EndsWith('}'))
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length));
            Assert.NotEqual(0, read);
            length += read;
        }

        await stream.WriteAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"u8.ToArray());
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
