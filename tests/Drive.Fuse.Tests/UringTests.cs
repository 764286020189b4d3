using System.Collections.Concurrent;
using System.Diagnostics;
using Drive.Core.Volumes;
using Drive.Fuse.Mounting;
using Drive.Fuse.Serving;
using Drive.Testing;

namespace Drive.Fuse.Tests;

/// <summary>What is special about requests over io_uring, on a real mount.</summary>
[OverUring]
[Collection(UringTestsDefinition.Name)]
public sealed class UringTests() : MountTests(FuseTransport.Uring)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    [MountFact]
    public async Task Requests_that_wait_hold_up_nobody_however_many_they_are()
    {
        const int Readers = (RingServers.Depth * 5) + 3;
        GatedVolume volume = new(new ReferenceVolume(TimeProvider.System));
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        await mount.RunAsync("head -c 1000000 /dev/zero > a");
        volume.GateReads = true;

        // All from one processor: they meet in one queue.
        Task<string> readers = mount.RunAsync(
            $"for i in $(seq {Readers}); do taskset -c 0 dd if=a of=/dev/null bs=4k count=1 skip=$i iflag=direct status=none & done; wait");
        await Eventually.TrueAsync(() => volume.Waiting == Readers);
        Assert.Equal("ok\n", await mount.RunAsync("for i in $(seq 20); do taskset -c 0 touch b$i; taskset -c 0 ls -l > /dev/null; done; echo ok"));
        Assert.Equal(Readers, volume.Waiting);
        volume.Open();
        await readers.WaitAsync(Limit);
        await mount.RunAsync("cmp -n 1000000 a /dev/zero");
    }

    [MountFact]
    public async Task A_crowd_that_goes_slow_at_once_leaves_nobody_behind_it()
    {
        for (int round = 0; round < 4; round++)
        {
            int readers = RingServers.Depth + (round * 9);
            GatedVolume volume = new(new ReferenceVolume(TimeProvider.System));
            await using MountFixture mount = await MountFixture.MountAsync(volume);
            await mount.RunAsync("head -c 4000000 /dev/zero > a; touch b");
            volume.GateReads = true;

            // Stopped and let go together: as many requests as can be stand in line before the first is looked at.
            Task<string> run = mount.RunAsync($$"""
                for i in $(seq {{readers}}); do taskset -c 0 bash -c 'kill -STOP $$; exec dd if=a of=/dev/null bs=64k count=1 skip=$0 iflag=direct status=none' $i & done
                for p in $(jobs -p); do until grep -q '^State:.T' /proc/$p/status; do :; done; done
                kill -CONT $(jobs -p); wait
                """);
            await Eventually.TrueAsync(() => volume.Waiting == readers);
            await mount.RunAsync("taskset -c 0 stat b > /dev/null; taskset -c 0 ls > /dev/null");
            volume.Open();
            await run.WaitAsync(Limit);
        }
    }

    [MountFact]
    public async Task Large_reads_leave_the_thread_of_their_queue_and_small_ones_stay()
    {
        ThreadNotingVolume volume = new(new ReferenceVolume(TimeProvider.System));
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        await mount.RunAsync("head -c 3000000 /dev/urandom > a; dd if=a of=b bs=1M iflag=direct status=none; cmp a b; dd if=a of=/dev/null bs=4k count=9 iflag=direct status=none");
        Assert.All(volume.Reads, static read => Assert.StartsWith(read.Length < LargeReads.BytesMin ? "fuse-ring-" : "fuse-read-", read.Thread, StringComparison.Ordinal));
        Assert.Contains(volume.Reads, static read => read.Length >= LargeReads.BytesMin);
        Assert.Contains(volume.Reads, static read => read.Length < LargeReads.BytesMin);
    }

    [MountFact]
    public async Task The_end_under_load_with_requests_that_wait_is_clean()
    {
        GatedVolume volume = new(new ReferenceVolume(TimeProvider.System));
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        await mount.RunAsync("head -c 1000000 /dev/zero > a");
        volume.GateReads = true;
        Task<(int Code, string Output)> load = mount.TryRunAsync("""
            for i in $(seq 20); do dd if=a of=/dev/null bs=4k count=1 skip=$i iflag=direct status=none & done
            for p in 1 2 3; do ( i=0; while echo x > f$p.$i; do i=$((i+1)); ls -l > /dev/null; done ) & done; wait
            """);
        await Eventually.TrueAsync(() => volume.Waiting == 20);
        Stopwatch time = Stopwatch.StartNew();
        Assert.True(KernelTuning.TryAbort(MountTable.Find(mount.Root)!.Value.ConnectionNumber));
        await mount.Session.Completion.WaitAsync(Limit);
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(10), $"ended after {time.Elapsed}");
        Assert.Equal((0, 0), (volume.Waiting, mount.Session.Connection.Nodes.Count));
        await load.WaitAsync(Limit);

        // An abort leaves a dead mount.
        Assert.Equal(UnmountOutcome.Done, await new RootMounter().UnmountAsync(mount.Root, lazy: true));
    }

    [MountFact]
    public async Task Unmounting_while_programs_work_ends_when_they_do()
    {
        for (int i = 0; i < 10; i++)
        {
            await using MountFixture mount = await MountFixture.MountAsync();
            Task<(int Code, string Output)> load = mount.TryRunAsync("for i in $(seq 50); do echo x > f$i; cat f$i > /dev/null; done");
            await mount.Session.UnmountAsync(lazyIfBusy: true, CancellationToken.None).WaitAsync(Limit);
            await load.WaitAsync(Limit);
            await mount.Session.Completion.WaitAsync(Limit);
        }
    }

    [MountFact]
    public async Task Reading_allocates_nothing_per_request()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        const string Read = "dd if=a of=/dev/null bs=4k count=8000 iflag=direct status=none";
        await mount.RunAsync($"head -c 40000000 /dev/zero > a; {Read}");
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await mount.RunAsync(Read);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.True(allocated < 8000 * 50, $"{allocated} bytes in 8000 requests");
    }

    [MountFact]
    public async Task Without_the_kernels_offer_the_device_serves_and_the_log_says_why()
    {
        MountFixture.Transport = FuseTransport.Auto;
        UringAllowed.Set("N");
        try
        {
            await using MountFixture mount = await MountFixture.MountAsync();
            Assert.False(mount.Session.Connection.IsOverRings);
            Assert.Contains("enable_uring is N", mount.Log.ToString(), StringComparison.Ordinal);
            await mount.RunAsync("echo x > a; cat a");
            MountFixture.Transport = FuseTransport.Uring;
            FuseException refusal = await Assert.ThrowsAsync<FuseException>(() => MountFixture.MountAsync());
            Assert.Contains("enable_uring is N", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            UringAllowed.Set("Y");
        }
    }

    [MountFact]
    public async Task It_can_be_allowed_with_a_mount_option_and_a_mount_keeps_what_it_has()
    {
        MountFixture.Transport = FuseTransport.Auto;
        UringAllowed.Set("N");
        try
        {
            await using MountFixture mount = await MountFixture.MountAsync("allow_uring");
            Assert.True(UringParameter.IsAllowed());
            Assert.True(mount.Session.Connection.IsOverRings);
            UringAllowed.Set("N");
            await mount.RunAsync("echo x > a; cat a; rm a");
        }
        finally
        {
            UringAllowed.Set("Y");
        }
    }

    private sealed class ThreadNotingVolume(IVolume inner) : VolumeWrapper(inner)
    {
        public ConcurrentBag<(int Length, string Thread)> Reads { get; } = [];

        public override ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            Reads.Add((destination.Length, Thread.CurrentThread.Name ?? ""));
            return base.ReadAsync(handle, offset, destination, cancellationToken);
        }
    }
}
