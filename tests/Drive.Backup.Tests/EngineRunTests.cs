using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Testing;
using Drive.Testing.Stores;
using Xunit.Abstractions;

namespace Drive.Backup.Tests;

/// <summary>Runs on the engine: what the store gets, what a crash costs, and garbage collection beside it.</summary>
public sealed class EngineRunTests(ITestOutputHelper output)
{
    private const int PackBytes = 8 << 20;

    [Fact]
    public async Task A_run_is_exact_another_device_sees_it_and_nothing_lies_in_the_dirty_log()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        BackupReport report = await bench.RunAsync(volume);
        Assert.Equal((BackupOutcome.Done, null), (report.Outcome, report.Reason));
        Assert.NotNull(report.Proven);
        Assert.Equal(volume.Head.Seq, report.Seq);
        Assert.Equal(0, volume.GetStatus().LocalOnly.Bytes);
        await bench.AssertExactAsync(volume);
        long inLog = Directory.EnumerateFiles(Path.Combine(bench.Home, "state", "dirty"), "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length);
        Assert.InRange(inLog, 0, 1 << 20);
        await volume.DisposeAsync();

        await using Volume elsewhere = await bench.OpenAsync("rebuilt");
        await bench.AssertExactAsync(elsewhere);
    }

    [Fact]
    public async Task What_is_saved_without_extended_attributes_that_the_drive_refuses_is_listed_by_each_run_not_read_again_and_kept_as_soon_as_it_can_be()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        string[] tagged = [Path.Combine(bench.Source, "a"), Path.Combine(bench.Source, "folder"), Path.Combine(bench.Source, "folder/a")];
        foreach (string path in tagged)
        {
            Assert.Equal(0, Posix.SetXattr(path, "user.strange", "value"u8));
        }

        RefusingVolume refusing = new(volume);
        BackupReport? report = null;
        for (int run = 1; run <= 3; run++)
        {
            using BackupRunner runner = bench.Runner(volume, inPlace: refusing);
            report = await runner.RunAsync(bench.Set, new BackupOptions(), null, CancellationToken.None);
            Assert.Equal(BackupOutcome.Incomplete, report.Outcome);
            Assert.Equal(tagged, report.Unreadable.Select(static one => one.Path).Order(StringComparer.Ordinal));
            Assert.All(report.Unreadable, static one => Assert.Contains("user.strange", one.Reason, StringComparison.Ordinal));
        }

        Assert.Equal((0, 0, 0), (report!.ReadBytes, report.ChangedFiles, report.NewFiles));
        report = await bench.RunAsync(volume);
        Assert.Equal((BackupOutcome.Done, 0), (report.Outcome, report.ReadBytes));
        await bench.AssertExactAsync(volume);
        report = await bench.RunAsync(volume);
        Assert.Equal((BackupOutcome.Done, 0), (report.Outcome, report.ReadBytes));
    }

    [Fact]
    public async Task Small_files_are_verified_by_the_hundred()
    {
        await using EngineBench bench = await EngineBench.CreateAsync(isFar: true);
        await using Volume volume = await bench.OpenAsync();
        for (int i = 0; i < 1500; i++)
        {
            bench.Write($"{i % 7}/{i}", i, 5000);
        }

        await bench.RunAsync(volume);
        int calls = 0;
        bench.Store.Script = call =>
        {
            calls += call.Kind == StoreCallKind.GetRange ? 1 : 0;
            return null;
        };
        using BackupRunner runner = bench.Runner(volume);
        VerifyReport report = await runner.VerifyAsync("docs", 100, CancellationToken.None);
        Assert.Equal((1500 * 5000, 0), (report.BytesRead, report.DamagedCount));
        Assert.InRange(calls, 2, 60);
    }

    [Fact]
    public async Task The_same_content_is_sent_once_whoever_wrote_it()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        bench.Write("one", 1, 3 << 20);
        bench.Write("two", 1, 3 << 20);
        Assert.InRange((await bench.RunAsync(volume)).SentBytes, 3 << 20, 3_300_000);

        // Known through the mount first.
        Assert.Equal(FsStatus.Ok, volume.Create(NodeId.Root, "mounted"u8, FileMode.Regular | 0x180, OpenOptions.Write, Caller.Root, out _, out HandleId handle));
        bench.Write("three", 3, 1 << 20);
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, await File.ReadAllBytesAsync(Path.Combine(bench.Source, "three")), WriteOptions.None));
        volume.Close(handle);
        Assert.True((await volume.WaitUploadedAsync(null, CancellationToken.None)).Done);
        BackupReport report = await bench.RunAsync(volume);
        Assert.Equal((1, 0), (report.NewFiles, report.SentBytes));
        await bench.AssertExactAsync(volume);
    }

    [Fact]
    public async Task An_unchanged_run_commits_nothing()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        await bench.RunAsync(volume);
        BackupReport settled = await bench.RunAsync(volume);

        // Beside the set, not in it: what leads there has another time by that, and is no change.
        await File.WriteAllTextAsync(Path.Combine(bench.Home, "beside"), "");
        BackupReport again = await bench.RunAsync(volume);
        Assert.Equal((0, 0, settled.Seq), (again.ReadBytes, again.SentBytes, again.Seq));
    }

    [Fact]
    public async Task A_kill_at_any_moment_costs_no_pack_twice_and_the_next_run_is_exact()
    {
        int seed = Environment.TickCount & 0xFFFF;
        output.WriteLine($"Seed {seed}");
        Random random = new(seed);
        for (int round = 0; round < 6; round++)
        {
            await using EngineBench bench = await EngineBench.CreateAsync();
            for (int i = 0; i < 10; i++)
            {
                bench.Write($"large/{i}", random.Next(), random.Next(2 << 20, 6 << 20));
            }

            for (int i = 0; i < 200; i++)
            {
                bench.Write($"small/{i % 10}/{i}", random.Next(), random.Next(1, 20_000));
            }

            // At a call of the store, somewhere between the first and the last of a run, the image of the state is taken: then all goes on, and nobody looks at it again.
            int killAt = random.Next(1, 60);
            output.WriteLine($"Round {round}: killed at call {killAt}");
            TaskCompletionSource killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            TaskCompletionSource never = new();
            {
                Volume volume = await bench.OpenAsync();
                int calls = 0;
                bench.Store.Script = _ =>
                {
                    if (Interlocked.Increment(ref calls) < killAt)
                    {
                        return null;
                    }

                    killed.TrySetResult();
                    return new StoreFault { Delay = never.Task };
                };
                using CancellationTokenSource ending = new();
                Task<BackupReport> run = bench.RunAsync(volume, cancellationToken: ending.Token);
                Task ended = await Task.WhenAny(killed.Task, run);
                bool wasKilled = ended == killed.Task;
                if (wasKilled)
                {
                    // What writes to this disk now is a save at most: such a state is one that a kill may leave, too.
                    await WaitForQuietAsync(Path.Combine(bench.Home, "state"));
                }

                bench.CopyState("image", "sets-image");
                bench.Store.Script = static _ => new StoreFault { Before = StoreFault.Error(StoreErrorKind.Denied, isTransient: false) };
                ending.Cancel();
                never.TrySetResult();
                await run;
                await volume.DisposeAsync();
                bench.Store.Script = static _ => null;
            }

            Dictionary<string, long> before = await bench.PacksAsync();
            await using Volume next = await bench.OpenAsync("image");
            using BackupRunner runner = bench.Runner(next, "sets-image");
            BackupReport report = await runner.RunAsync(bench.Set, new BackupOptions(), null, CancellationToken.None);
            Assert.Equal((BackupOutcome.Done, null), (report.Outcome, report.Reason));
            await bench.AssertExactAsync(next);
            long plain = Directory.EnumerateFiles(bench.Source, "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length);
            long stored = (await bench.PacksAsync()).Values.Sum();
            output.WriteLine($"{before.Count} packs were there, {stored - plain} bytes more than the files in the end");
            Assert.InRange(stored - plain, 0, PackBytes + (plain / 50));
        }
    }

    [Fact]
    public async Task Packs_of_a_run_that_was_killed_are_no_garbage_and_what_is_given_up_is()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        Volume volume = await bench.OpenAsync();
        IImportBatch batch = await volume.BeginImportAsync(CancellationToken.None);
        byte[] bytes = new byte[1 << 20];
        for (int i = 0; i < 9; i++)
        {
            new Random(i).NextBytes(bytes);
            await batch.AddAsync(bytes, CancellationToken.None);
        }

        while ((await bench.PacksAsync()).Count == 0)
        {
            await Task.Yield();
        }

        // The pack is in the store and nothing more: the batch ends, then the process.
        await batch.DisposeAsync();
        await volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Single(await bench.PacksAsync());
        await volume.DisposeAsync();
        await using Volume next = await bench.OpenAsync();
        await next.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Single(await bench.PacksAsync());

        await using (IImportBatch again = await next.BeginImportAsync(CancellationToken.None))
        {
            for (int i = 0; i < 8; i++)
            {
                new Random(i).NextBytes(bytes);
                await again.AddAsync(bytes, CancellationToken.None);
            }

            await again.CommitAsync(CancellationToken.None);
            Assert.Equal(0, again.SentBytes);
            await next.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
            Assert.Single(await bench.PacksAsync());
        }

        // No file shows it and no batch counts on it.
        await next.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Empty(await bench.PacksAsync());
    }

    [Fact]
    public async Task What_was_forgotten_before_files_show_it_is_refused()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Drive.Core.Rows.BlockId block;
        await using (IImportBatch batch = await volume.BeginImportAsync(CancellationToken.None))
        {
            block = await batch.AddAsync(new byte[5000], CancellationToken.None);
            Assert.Equal(FsStatus.Ok, volume.MakeNode(NodeId.Root, "f"u8, FileMode.Regular | 0x180, 0, Caller.Root, out NodeAttributes early));
            Assert.Equal(FsStatus.Stale, volume.SetContent(early.Node, 5000, [new ContentPiece(0, 5000, block)]));
            await batch.CommitAsync(CancellationToken.None);
        }

        await volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal(FsStatus.Ok, volume.Lookup(NodeId.Root, "f"u8, out NodeAttributes file));
        Assert.Equal(FsStatus.Stale, volume.SetContent(file.Node, 5000, [new ContentPiece(0, 5000, block)]));
        Assert.Equal(0, file.Size);
    }

    [Fact]
    public async Task A_store_that_is_away_for_a_while_delays_a_run_and_one_that_refuses_ends_it()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        int failures = 0;
        bench.Store.Script = call => call is { Kind: StoreCallKind.Put } && Interlocked.Increment(ref failures) <= 3 ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : null;
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync(volume)).Outcome);
        await bench.AssertExactAsync(volume);
        bench.Write("more", 77, 100_000);
        bench.Store.Script = static call => call.Kind == StoreCallKind.Put && call.Name.StartsWith("packs/", StringComparison.Ordinal) ? StoreFault.FailBefore(StoreErrorKind.Full, isTransient: false) : null;
        BackupReport full = await bench.RunAsync(volume);
        Assert.Equal(BackupOutcome.Failed, full.Outcome);
        Assert.NotNull(full.Reason);
        bench.Store.Script = static _ => null;
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync(volume)).Outcome);
        await bench.AssertExactAsync(volume);
    }

    [Fact]
    public async Task A_verification_finds_a_pack_that_the_store_changed_and_names_the_file()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        bench.Write("first", 1, 9 << 20);
        await bench.RunAsync(volume);
        bench.Write("second", 2, 3 << 20);
        await bench.RunAsync(volume);
        using BackupRunner runner = bench.Runner(volume);
        VerifyReport part = await runner.VerifyAsync("docs", 10, CancellationToken.None);
        Assert.Equal(1, part.PacksRead);
        Assert.Null(part.OldestProof);
        VerifyReport all = await runner.VerifyAsync(null, 100, CancellationToken.None);
        Assert.Equal((all.Packs, 0), (all.PacksRead, all.DamagedCount));
        Assert.NotNull(all.OldestProof);

        // Every pack of the second file is lost.
        List<StoredPiece> pieces = [];
        Assert.Equal(FsStatus.Ok, volume.ListStored(TreeImage.Find(volume, bench.InVault + "/second")!.Value.Node, pieces));
        foreach (StoredPiece piece in pieces.DistinctBy(static piece => piece.Pack))
        {
            await bench.Store.Inner.DeleteAsync(Drive.Vault.VaultNames.Pack(piece.Pack), CancellationToken.None);
        }

        VerifyReport lost = await runner.VerifyAsync("docs", 100, CancellationToken.None);
        Assert.Equal([bench.InVault + "/second"], lost.Damaged.Select(static one => one.Path));
        Assert.Null(lost.OldestProof);
    }

    private static void Populate(EngineBench bench)
    {
        bench.Write("a", 1, 100);
        bench.Write("folder/large", 2, (9 << 20) + 77);
        bench.Write("folder/b", 3, 70_000);
        Posix.SetXattr(Path.Combine(bench.Source, "a"), "user.tag", "value"u8);
        Posix.Link(Path.Combine(bench.Source, "a"), Path.Combine(bench.Source, "folder/a"));
        Posix.SymbolicLink("nowhere", Path.Combine(bench.Source, "link"));
        using FileStream sparse = File.Create(Path.Combine(bench.Source, "sparse"));
        sparse.SetLength(10 << 20);
        sparse.Position = (2 << 20) + 8192;
        sparse.Write(new byte[100_000], 0, 100_000);
    }

    /// <summary>Until a save of what was done before has come to its end.</summary>
    private static async Task WaitForQuietAsync(string state)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        (long, int) before = default;
        for (int same = 0; same < 15 && await timer.WaitForNextTickAsync();)
        {
            (long, int) now = (Directory.EnumerateFiles(state, "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length), 0);
            same = now == before ? same + 1 : 0;
            before = now;
        }
    }

    /// <summary>A drive that does not keep some attributes.</summary>
    private sealed class RefusingVolume(IVolume inner) : VolumeWrapper(inner)
    {
        public override FsStatus SetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, AttributeSetOptions options) =>
            name.SequenceEqual("user.strange"u8) ? FsStatus.NotSupported : base.SetExtendedAttribute(node, name, value, options);
    }
}
