using Drive.Control;
using Drive.Engine;
using Drive.Service.Hosting;
using Drive.Service.Logs;
using Drive.Service.Settings;
using Drive.Testing;

namespace Drive.Service.Tests;

/// <summary>The daemon around the reference volume, without a kernel: what is asked over the socket, and how it ends.</summary>
public sealed class DaemonTests
{
    private static readonly VaultEntry Entry = new() { Name = "work", Store = "memory:", VaultId = new string('b', 64), Keys = KeyPlace.File };

    [Fact]
    public async Task Status_and_wait_are_answered_and_a_stop_ends_it_in_order()
    {
        using TemporaryHome home = new();
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(home);
        using ControlClient client = (await ControlClient.TryConnectAsync(DaemonRecords.Find(home.Paths, "work")!, CancellationToken.None))!;

        DriveStatus status = await client.GetStatusAsync(CancellationToken.None);
        Assert.Equal(("work", "/mnt/work", "memory:", 7L), (status.Name, status.Mountpoint, status.Store, status.Seq));
        Assert.Equal(new FileAmount(2, 300), status.LocalOnly);
        Assert.Equal(Environment.ProcessId, status.Pid);

        List<WaitLine> lines = [];
        await foreach (WaitLine line in client.WaitAsync(CancellationToken.None))
        {
            lines.Add(line);
        }

        Assert.True(lines[^1].Done);
        StopReply reply = await client.StopAsync(CancellationToken.None);
        Assert.Equal(new FileAmount(3, 400), reply.Left);
        Assert.Null(reply.Problem);
        Assert.Equal(["unmounted", "kept"], daemon.Events);

        // The drive can be mounted again while the old process still winds down.
        Assert.Null(DaemonRecords.Find(home.Paths, "work"));
        using DaemonHold next = await DaemonHold.TakeAsync(home.Paths, Entry, "/mnt/work", home.Disk, TimeProvider.System, CancellationToken.None);
        Assert.Equal(reply, await daemon.Ended);
    }

    [Fact]
    public async Task An_unmount_from_outside_ends_it_too()
    {
        using TemporaryHome home = new();
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(home);
        daemon.UnmountFromOutside();
        Assert.Equal(new FileAmount(3, 400), (await daemon.Ended).Left);
        Assert.Contains("kept", daemon.Events);
    }

    [Fact]
    public async Task A_step_that_hangs_does_not_keep_the_stop_from_ending()
    {
        using TemporaryHome home = new();
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(home, keepHangs: true);
        long started = TimeProvider.System.GetTimestamp();
        daemon.UnmountFromOutside();
        StopReply reply = await daemon.Ended;
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
        Assert.Contains("took too long", reply.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wait_that_is_given_up_leaves_the_daemon_working()
    {
        using TemporaryHome home = new();
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(home, waitHangs: true);
        using ControlClient client = (await ControlClient.TryConnectAsync(DaemonRecords.Find(home.Paths, "work")!, CancellationToken.None))!;
        using CancellationTokenSource enough = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (WaitLine line in client.WaitAsync(enough.Token))
            {
                Assert.False(line.Done);
                await enough.CancelAsync();
            }
        });
        Assert.Equal(7, (await client.GetStatusAsync(CancellationToken.None)).Seq);
    }

    /// <summary>A daemon in this process whose volume keeps everything in memory.</summary>
    private sealed class RunningDaemon : IAsyncDisposable
    {
        private readonly TaskCompletionSource _kernel = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly LogFile _log;

        private RunningDaemon(TemporaryHome home) => _log = new LogFile(home.Paths.LogOf("work"), TimeProvider.System, alsoErrors: false);

        public List<string> Events { get; } = [];

        public Task<StopReply> Ended { get; private set; } = null!;

        public static async Task<RunningDaemon> StartAsync(TemporaryHome home, bool keepHangs = false, bool waitHangs = false)
        {
            RunningDaemon daemon = new(home);
            DaemonHold hold = await DaemonHold.TakeAsync(home.Paths, Entry, "/mnt/work", home.Disk, TimeProvider.System, CancellationToken.None);
            TaskCompletionSource<StartLine> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
            daemon.Ended = DaemonHost.RunAsync(
                new MountRequest { Name = "work", Mountpoint = "/mnt/work" },
                hold,
                (_, _) => Task.FromResult(daemon.Open(keepHangs, waitHangs)),
                (_, _, _, _) => Task.FromResult(new KernelMount(daemon._kernel.Task, _ =>
                {
                    daemon.Events.Add("unmounted");
                    daemon._kernel.TrySetResult();
                    return Task.CompletedTask;
                })),
                ready.SetResult,
                daemon._log,
                notifySocket: null,
                TimeProvider.System,
                CancellationToken.None);
            await await Task.WhenAny(ready.Task, daemon.Ended);
            return daemon;
        }

        public void UnmountFromOutside() => _kernel.TrySetResult();

        public async ValueTask DisposeAsync()
        {
            UnmountFromOutside();
            await Ended;
            _log.Dispose();
        }

        private OpenDrive Open(bool keepHangs, bool waitHangs) => new()
        {
            Volume = new ReferenceVolume(TimeProvider.System),
            Store = "memory:",
            GetStatus = () => new VolumeStatus
            {
                Seq = 7,
                LocalOnly = new Amount(2, 300),
                Uploading = new Amount(1, 100),
                InCloud = new Amount(5, 5000),
                CacheUsedBytes = 1,
                CacheLimitBytes = 2,
            },
            WaitUploadedAsync = async (progress, cancellationToken) =>
            {
                progress(new UploadProgress(false, new Amount(3, 400), null));
                await (waitHangs ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken) : Task.CompletedTask);
                return new UploadProgress(true, default, null);
            },
            StopAsync = async cancellationToken =>
            {
                await (keepHangs ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None) : Task.CompletedTask);
                Events.Add("kept");
            },
        };
    }
}
