using System.Diagnostics;
using Drive.Core.Volumes;
using Drive.Fuse.Mounting;
using Drive.Testing;
using Microsoft.Win32.SafeHandles;

namespace Drive.Fuse.Tests;

/// <summary>How mounts begin and end.</summary>
public abstract class SessionTests(FuseTransport transport) : MountTests(transport)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [MountFact]
    public async Task Mounts_follow_each_other_at_once()
    {
        ReferenceVolume volume = new(TimeProvider.System);
        for (int i = 0; i < 5; i++)
        {
            await using MountFixture mount = await MountFixture.MountAsync(volume);
            File.WriteAllText(mount.At($"f{i}"), "x");
            Assert.Equal(i + 1, Directory.GetFiles(mount.Root).Length);
            await mount.Session.UnmountAsync(lazyIfBusy: false, CancellationToken.None).WaitAsync(Limit);
            Assert.True(mount.Session.Completion.IsCompletedSuccessfully);
            Assert.Null(MountTable.Find(mount.Root));
        }
    }

    [MountFact]
    public async Task Unmounting_from_outside_ends_the_session_and_gives_all_back()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        await mount.RunAsync("touch a b c; ls -l; cd /; umount \"$OLDPWD\"");
        await mount.Session.Completion.WaitAsync(Limit);
        Assert.Equal(0, mount.Session.Connection.Nodes.Count);
        Assert.Equal(0, mount.Session.Connection.Directories.Count);
        Assert.Null(((ReferenceVolume)mount.Volume).Observer);
        await mount.Session.UnmountAsync(lazyIfBusy: false, CancellationToken.None);
    }

    [MountFact]
    public async Task Unmounting_does_not_wait_for_the_kernel_to_free_what_it_cached()
    {
        ReferenceVolume volume = new(TimeProvider.System);
        string root = MountFixture.NewDirectory();
        SlowlyUnmounting mounter = new();
        await using (FuseSession session = await FuseSession.MountAsync(
            new() { MountPoint = root }, mounter, volume, TimeProvider.System, new RecordingLogger(), CancellationToken.None))
        {
            await session.UnmountAsync(lazyIfBusy: false, CancellationToken.None).WaitAsync(Limit);
            Assert.True(session.Completion.IsCompletedSuccessfully);
            Assert.Null(MountTable.Find(root));
            Assert.False(mounter.IsFreed);
            mounter.Free();
        }

        Directory.Delete(root);
    }

    [MountFact]
    public async Task A_mount_in_use_is_refused_or_detached_and_serves_on()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        FileStream file = File.Create(mount.At("a"));
        FuseException refusal = await Assert.ThrowsAsync<FuseException>(() => mount.Session.UnmountAsync(lazyIfBusy: false, CancellationToken.None));
        Assert.Contains("in use", refusal.Message, StringComparison.Ordinal);
        await mount.Session.UnmountAsync(lazyIfBusy: true, CancellationToken.None).WaitAsync(Limit);
        Assert.Null(MountTable.Find(mount.Root));
        Assert.False(mount.Session.Completion.IsCompleted);
        await file.WriteAsync("still here"u8.ToArray());
        await file.DisposeAsync();
        await mount.Session.Completion.WaitAsync(Limit);
        Assert.Equal(FsStatus.Ok, mount.Volume.Lookup(NodeId.Root, "a"u8, out NodeAttributes attributes));
        Assert.Equal(10, attributes.Size);
    }

    [MountFact]
    public async Task A_detached_session_leaves_its_successor_alone()
    {
        ReferenceVolume volume = new(TimeProvider.System);
        await using MountFixture mount = await MountFixture.MountAsync();
        SafeFileHandle file = File.OpenHandle(mount.At("a"), System.IO.FileMode.CreateNew, FileAccess.Write);
        await mount.Session.UnmountAsync(lazyIfBusy: true, CancellationToken.None).WaitAsync(Limit);
        FuseMountOptions options = new() { MountPoint = mount.Root };
        await using FuseSession next = await FuseSession.MountAsync(options, volume, TimeProvider.System, mount.Log, CancellationToken.None);
        await mount.Session.UnmountAsync(lazyIfBusy: true, CancellationToken.None).WaitAsync(Limit);
        Task disposing = mount.Session.DisposeAsync().AsTask();
        file.Dispose();
        await disposing.WaitAsync(Limit);
        File.WriteAllText(mount.At("b"), "x");
        Assert.Equal(FsStatus.Ok, volume.Lookup(NodeId.Root, "b"u8, out _));
    }

    [MountFact]
    public async Task Disposing_ends_a_mount_that_is_in_use()
    {
        SafeFileHandle file;
        await using (MountFixture mount = await MountFixture.MountAsync())
        {
            file = File.OpenHandle(mount.At("a"), System.IO.FileMode.CreateNew, FileAccess.Write);
        }

        Assert.Throws<IOException>(() => RandomAccess.Write(file, "x"u8, 0));
        file.Dispose();
    }

    [MountFact]
    public async Task An_aborted_connection_ends_the_session()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        File.WriteAllText(mount.At("a"), "x");
        Assert.True(KernelTuning.TryAbort(MountTable.Find(mount.Root)!.Value.ConnectionNumber));
        await mount.Session.Completion.WaitAsync(Limit);
        Assert.Equal(0, mount.Session.Connection.Nodes.Count);

        // What is left is a dead mount, as after kill -9: the next mount clears it away.
        RecordingLogger log = new();
        ReferenceVolume volume = new(TimeProvider.System);
        FuseMountOptions options = new() { MountPoint = mount.Root };
        await using FuseSession next = await FuseSession.MountAsync(options, volume, TimeProvider.System, log, CancellationToken.None);
        File.WriteAllText(mount.At("b"), "x");
        Assert.Contains("dead mount", log.ToString(), StringComparison.Ordinal);
    }

    [MountFact]
    public async Task Unusable_mount_points_are_named_with_what_to_do()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        await ExpectAsync(mount.Root, "mounted");
        string parent = MountFixture.NewDirectory();
        await ExpectAsync(Path.Combine(parent, "none"), "does not exist");
        File.WriteAllText(Path.Combine(parent, "file"), "x");
        await ExpectAsync(Path.Combine(parent, "file"), "not a directory");
        await ExpectAsync(parent, "not empty");
        FuseException unknown = await Assert.ThrowsAsync<FuseException>(() => MountFixture.MountAsync("colour=red"));
        Assert.Contains("colour=red", unknown.Message, StringComparison.Ordinal);
        Directory.Delete(parent, recursive: true);

        async Task ExpectAsync(string path, string text)
        {
            FuseMountOptions options = new() { MountPoint = path };
            FuseException exception = await Assert.ThrowsAsync<FuseException>(
                () => FuseSession.MountAsync(options, mount.Volume, TimeProvider.System, mount.Log, CancellationToken.None));
            Assert.Contains(text, exception.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', exception.Message);
        }
    }

    [Fact]
    public async Task A_missing_fusermount_is_named_with_its_package()
    {
        FusermountMounter mounter = new("/nonexistent/fusermount3");
        FuseMountOptions options = new() { MountPoint = "/" };
        FuseException exception = await Assert.ThrowsAsync<FuseException>(
            () => mounter.MountAsync("/", options, MountFlags.From(options), CancellationToken.None));
        Assert.Equal("fusermount3 is missing: install package fuse3.", exception.Message);
    }

    [FusermountFact]
    public async Task Fusermount_mounts_and_unmounts()
    {
        string root = MountFixture.NewDirectory();
        RecordingLogger log = new();
        FuseMountOptions options = new() { MountPoint = root, FsName = "a,b", Options = ["noatime"] };
        await using FuseSession session = await FuseSession.MountAsync(
            options, new FusermountMounter(), new ReferenceVolume(TimeProvider.System), TimeProvider.System, log, CancellationToken.None);
        Assert.Equal("fuse.drive", MountTable.Find(root)!.Value.Type);
        File.WriteAllText(Path.Combine(root, "a"), "x");
        SafeFileHandle file = File.OpenHandle(Path.Combine(root, "a"), System.IO.FileMode.Open);
        await Assert.ThrowsAsync<FuseException>(() => session.UnmountAsync(lazyIfBusy: false, CancellationToken.None).WaitAsync(Limit));
        file.Dispose();
        await session.UnmountAsync(lazyIfBusy: false, CancellationToken.None).WaitAsync(Limit);
        Assert.Null(MountTable.Find(root));
        Assert.Empty(log.Errors);
        Directory.Delete(root);
    }

    [MountFact]
    public async Task Changes_from_elsewhere_are_seen_at_once()
    {
        ReferenceVolume volume = new(TimeProvider.System);
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        File.WriteAllText(mount.At("a"), "one");
        Assert.Equal("one", File.ReadAllText(mount.At("a")));
        Assert.False(File.Exists(mount.At("b")));
        Assert.Equal(FsStatus.Ok, volume.Lookup(NodeId.Root, "a"u8, out NodeAttributes a));

        // Behind the kernel's back: other content and size under the same node, a new name where the kernel knows that none is.
        Assert.Equal(FsStatus.Ok, volume.Open(a.Node, OpenOptions.Write, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, "changed"u8, WriteOptions.None));
        volume.Close(handle);
        Assert.Equal(FsStatus.Ok, volume.Link(a.Node, NodeId.Root, "b"u8, out _));

        // Until the kernel is told it may show the old content or the new, but no mixture of both.
        Assert.Contains(File.ReadAllText(mount.At("a")), (string[])["one", "changed"]);
        volume.Observer!.NodeChanged(a.Node, contentChanged: true);
        volume.Observer.EntryChanged(NodeId.Root, "b"u8);
        await Eventually.TrueAsync(() => File.Exists(mount.At("b")) && File.ReadAllText(mount.At("a")) == "changed");

        Assert.Equal(FsStatus.Ok, volume.Unlink(NodeId.Root, "b"u8));
        volume.Observer.EntryChanged(NodeId.Root, "b"u8);
        await Eventually.TrueAsync(() => !File.Exists(mount.At("b")));
    }

    [MountFact]
    public async Task More_changes_than_the_queue_holds_make_the_kernel_ask_everything_again()
    {
        ReferenceVolume volume = new(TimeProvider.System);
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        Assert.False(File.Exists(mount.At("b")));
        Assert.Equal(FsStatus.Ok, volume.MakeDirectory(NodeId.Root, "b"u8, 0x41ed, Caller.Root, out _));
        volume.Observer!.EntryChanged(NodeId.Root, "b"u8);
        byte[] name = new byte[8];
        for (long i = 0; i < 200_000; i++)
        {
            Assert.True(i.TryFormat(name, out int length));
            volume.Observer.EntryChanged(NodeId.Root, name.AsSpan(0, length));
        }

        await Eventually.TrueAsync(() => Directory.Exists(mount.At("b")));
    }

    [MountFact]
    public async Task A_killed_reader_gives_up_its_wait_and_the_tree_stays_usable()
    {
        GatedVolume volume = new(new ReferenceVolume(TimeProvider.System));
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        await mount.RunAsync("head -c 3000000 /dev/zero > a; cd /; echo 3 > /proc/sys/vm/drop_caches");
        volume.GateReads = true;
        using Process reader = Process.Start("cat", mount.At("a"));
        await Eventually.TrueAsync(() => volume.Waiting > 0);
        Assert.Equal("3000000\n", await mount.RunAsync("stat -c %s a; touch b; df . > /dev/null"));
        reader.Kill();
        await reader.WaitForExitAsync().WaitAsync(Limit);
        volume.Open();
        await Eventually.TrueAsync(() => volume.Waiting == 0);
        await mount.RunAsync("cmp -n 3000000 a /dev/zero");
    }

    [MountFact]
    public async Task Readers_that_are_all_stuck_get_company()
    {
        using ManualResetEventSlim gate = new();
        GatedVolume volume = new(new ReferenceVolume(TimeProvider.System));
        await using MountFixture mount = await MountFixture.MountAsync(volume);
        int before = mount.Session.Connection.ReaderCount;
        volume.WriteGate = gate;
        try
        {
            Task<(int Code, string Output)> writers = mount.TryRunAsync($"for i in $(seq {before + 3}); do echo x > f$i & done; wait");
            await Eventually.TrueAsync(() => volume.Waiting == before + 3);
            Assert.Equal("ok\n", await mount.RunAsync("ls > /dev/null; echo ok"));
            gate.Set();
            Assert.Equal(0, (await writers).Code);
        }
        finally
        {
            gate.Set();
        }

        Assert.InRange(mount.Session.Connection.ReaderCount, before + 1, 16);
    }

    /// <summary>Unmounts as umount(2) does with many gigabytes in the page cache: the mount and its connection are long gone when it returns.</summary>
    private sealed class SlowlyUnmounting : IMounter
    {
        private readonly RootMounter _mounter = new();
        private readonly TaskCompletionSource _freed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsFreed => _freed.Task.IsCompleted;

        public void Free() => _freed.SetResult();

        public Task<int> MountAsync(string path, FuseMountOptions options, MountFlags flags, CancellationToken cancellationToken) =>
            _mounter.MountAsync(path, options, flags, cancellationToken);

        public async Task<UnmountOutcome> UnmountAsync(string path, bool lazy)
        {
            UnmountOutcome outcome = await _mounter.UnmountAsync(path, lazy);
            await _freed.Task;
            return outcome;
        }
    }
}
