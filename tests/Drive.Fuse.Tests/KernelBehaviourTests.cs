using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Fuse.Tests;

/// <summary>What we rely on the kernel for, on a real mount.</summary>
public abstract class KernelBehaviourTests(FuseTransport transport) : MountTests(transport)
{
    [MountFact]
    public async Task Names_attributes_and_content_are_asked_for_once()
    {
        CountingVolume volume = new();
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        await mount.RunAsync("echo hello > a; stat a; cat a; test ! -e b");
        (int lookups, int reads) = (volume.Lookups, volume.Reads);
        await mount.RunAsync("for i in $(seq 20); do stat a; cat a; test ! -e b; done");
        Assert.Equal((lookups, reads), (volume.Lookups, volume.Reads));
    }

    [MountFact]
    public async Task Sequential_reading_and_writing_come_in_large_requests()
    {
        CountingVolume volume = new();
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        await mount.RunAsync("dd if=/dev/zero of=a bs=1M count=8 status=none; cd /; echo 3 > /proc/sys/vm/drop_caches; cd - > /dev/null; dd if=a of=/dev/null bs=1M status=none");
        Assert.Equal(1 << 20, volume.LargestWrite);
        Assert.InRange(volume.LargestRead, 512 << 10, 1 << 20);
    }

    [MountFact]
    public async Task A_storm_of_changes_from_elsewhere_stops_nobody()
    {
        ReferenceVolume volume = new(TimeProvider.System);
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        using CancellationTokenSource done = new();
        Task storm = Task.Factory.StartNew(() => Tell(volume, done.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        string output = await mount.RunAsync("""
            for p in 1 2 3 4; do ( for i in $(seq 60); do echo $p > f$p; mkdir d$p; mv f$p d$p/g; cat d$p/g; ls -l d$p > /dev/null; rm d$p/g; rmdir d$p; done > /dev/null ) & done
            wait; ls | wc -l
            """);
        await done.CancelAsync();
        await storm;
        Assert.Equal("0\n", output);
    }

    private static void Tell(ReferenceVolume volume, CancellationToken done)
    {
        string[] names = ["f1", "f2", "f3", "f4", "d1", "d2", "d3", "d4"];
        using ManualResetEventSlim never = new();
        for (int i = 0; !done.IsCancellationRequested; i++)
        {
            byte[] name = System.Text.Encoding.UTF8.GetBytes(names[i % names.Length]);
            volume.Observer!.EntryChanged(NodeId.Root, name);
            volume.Observer.NodeChanged(NodeId.Root, contentChanged: true);
            if (volume.Lookup(NodeId.Root, name, out NodeAttributes attributes) == FsStatus.Ok)
            {
                volume.Observer.NodeChanged(attributes.Node, contentChanged: true);
            }

            never.Wait(1, CancellationToken.None);
        }
    }

    private sealed class CountingVolume() : VolumeWrapper(new ReferenceVolume(TimeProvider.System))
    {
        private int _lookups;
        private int _reads;

        public int Lookups => Volatile.Read(ref _lookups);

        public int Reads => Volatile.Read(ref _reads);

        public int LargestRead { get; private set; }

        public int LargestWrite { get; private set; }

        public override FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
        {
            Interlocked.Increment(ref _lookups);
            return base.Lookup(parent, name, out attributes);
        }

        public override ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _reads);
            LargestRead = Math.Max(LargestRead, destination.Length);
            return base.ReadAsync(handle, offset, destination, cancellationToken);
        }

        public override FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options)
        {
            LargestWrite = Math.Max(LargestWrite, data.Length);
            return base.Write(handle, offset, data, options);
        }
    }
}
