using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine.Repair;
using Drive.Stores.Memory;
using Drive.Testing.Disk;
using Drive.Testing.Stores;
using Drive.Vault;
using Xunit.Abstractions;

namespace Drive.Engine.Tests.Repair;

/// <summary>Files of the local state that are gone, cut, garbage or too old, and a rebuild that is interrupted.</summary>
public sealed class LostFileTests(ITestOutputHelper output)
{
    public enum Loss
    {
        Missing,
        MissingWithoutWal,
        Empty,
        Garbage,
        Header,
    }

    [Theory]
    [InlineData(Loss.Missing)]
    [InlineData(Loss.MissingWithoutWal)]
    [InlineData(Loss.Empty)]
    [InlineData(Loss.Garbage)]
    [InlineData(Loss.Header)]
    public async Task A_lost_database_is_rebuilt_by_the_mount(Loss loss)
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 21, isClosed: false);
        VolumeSettings image = state.Image();
        string file = state.FileOf(image, "metadata.db");
        byte[] before = File.ReadAllBytes(file);
        switch (loss)
        {
            case Loss.Missing:
                File.Delete(file);
                break;
            case Loss.MissingWithoutWal:
                File.Delete(file);
                File.Delete(file + "-wal");
                break;
            case Loss.Empty:
                File.WriteAllBytes(file, []);
                break;
            case Loss.Garbage:
                File.WriteAllBytes(file, VolumeFiles.Bytes(1, before.Length));
                File.Delete(file + "-wal");
                break;
            default:
                before.AsSpan(0, 100).Clear();
                File.WriteAllBytes(file, before);
                File.Delete(file + "-wal");
                break;
        }

        byte[]? damaged = File.Exists(file) ? File.ReadAllBytes(file) : null;
        Assert.Null(await state.CompareAsync(image));
        string[] aside = [.. Directory.GetFiles(image.StateDirectory, "metadata.db.damaged-*").Where(static name => !name.EndsWith("-wal", StringComparison.Ordinal))];
        Assert.Equal(damaged is null ? 0 : 1, aside.Length);
        if (damaged is not null && loss != Loss.Empty)
        {
            Assert.Equal(damaged, File.ReadAllBytes(aside[0]));
        }
    }

    [Fact]
    public async Task A_write_ahead_log_may_be_cut_anywhere()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 22, isClosed: false, committed: 15, synced: 15);
        long length = new FileInfo(state.FileOf(state.Image(), "metadata.db-wal")).Length;
        int cuts = 0;
        for (long cut = 0; cut < length; cut += 4096 + 24, cuts++)
        {
            VolumeSettings image = state.Image();
            using (FileStream wal = new(state.FileOf(image, "metadata.db-wal"), System.IO.FileMode.Open))
            {
                wal.SetLength(cut);
            }

            string? finding = await state.CompareAsync(image);
            Assert.True(finding is null, $"Cut at {cut} of {length}: {finding}");
            DamagedState.Forget(image);
        }

        output.WriteLine($"{cuts} cuts.");
    }

    [Fact]
    public async Task A_repair_of_sound_state_changes_nothing_and_what_waits_is_sent_afterwards()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 23, isClosed: true);
        VolumeSettings image = state.Image();
        RebuildReport report = await state.RepairAsync(image);
        Assert.True(report is { IsComplete: true, Lost.Count: 0, FoundFiles: 0, SavePoints: > 0, UnsentBytes: > 300_000 }, report.ToString());
        Assert.Null(await state.CompareAsync(image));

        await using (Volume volume = await state.Fixture.OpenAsync(image))
        {
            await volume.WaitAsync((Testing.ManualTime)state.Fixture.Time);
            Assert.Equal(0, volume.GetStatus().LocalOnly.Bytes);
        }

        await using Volume second = await state.Fixture.RecoverAsync("second");
        List<string> differences = state.Expected.Differences(await Testing.Model.TreeSnapshot.CaptureAsync(second));
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [Fact]
    public async Task A_rebuild_may_be_interrupted_at_any_change_of_the_disk()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 24, isClosed: false, committed: 10, synced: 10);
        int point = 0;
        for (; ; point++)
        {
            VolumeSettings image = state.Image();
            FaultyDisk disk = new(new LocalDisk());
            disk.FailChange(point, FaultyDisk.InputOutputError, forEver: true);
            bool isDone = true;
            try
            {
                await state.RepairAsync(image, disk: disk);
            }
            catch (IOException)
            {
                isDone = false;
            }

            string? finding = await state.CompareAsync(image);
            Assert.True(finding is null, $"Interrupted at change {point}: {finding}");
            DamagedState.Forget(image);
            if (isDone)
            {
                break;
            }
        }

        output.WriteLine($"{point} points.");
        Assert.True(point > 5);
    }

    [Fact]
    public async Task Without_the_store_a_damaged_database_is_kept_and_the_mount_says_what_to_do()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 25, isClosed: true);
        VolumeSettings image = state.Image();
        File.WriteAllBytes(state.FileOf(image, "metadata.db"), VolumeFiles.Bytes(1, 20_000));
        FaultyStore store = (FaultyStore)state.Fixture.Store;
        store.IsUnreachable = true;
        await Assert.ThrowsAsync<LocalStateException>(() => state.Fixture.OpenAsync(image));
        Assert.Equal(VolumeFiles.Bytes(1, 20_000), File.ReadAllBytes(state.FileOf(image, "metadata.db")));
        store.IsUnreachable = false;
        Assert.Null(await state.CompareAsync(image));
    }

    [Fact]
    public async Task A_rebuild_does_not_believe_a_store_that_was_rolled_back()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 26, isClosed: true);
        VolumeSettings image = state.Image();
        File.Delete(state.FileOf(image, "metadata.db"));
        MemoryStore old = await ((FaultyStore)state.Fixture.Store).Inner.CloneAsync();
        string last = "";
        await foreach (Core.Stores.ObjectInfo info in old.ListAsync("log/", CancellationToken.None))
        {
            last = string.CompareOrdinal(info.Name.Value, last) > 0 ? info.Name.Value : last;
        }

        await old.DeleteAsync(new Core.Stores.ObjectName(last), CancellationToken.None);
        VaultIntegrityException error = await Assert.ThrowsAsync<VaultIntegrityException>(() => state.RepairAsync(image, old));
        Assert.Equal(IntegrityKind.RolledBack, error.Kind);
        Assert.Null(await state.CompareAsync(image));
    }

    [Fact]
    public async Task Content_whose_names_are_lost_gets_a_folder()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 27, isClosed: true);
        VolumeSettings image = state.Image();
        File.WriteAllBytes(state.FileOf(image, "metadata.db"), VolumeFiles.Bytes(1, 20_000));
        BreakJournal(state, image);
        await Assert.ThrowsAsync<LocalStateException>(() => state.Fixture.OpenAsync(image));
        RebuildReport report = await state.RepairAsync(image);
        Assert.True(report is { IsComplete: false, FoundFolder: not null, FoundFiles: > 1 }, report.ToString());

        await using Volume volume = await state.Fixture.OpenAsync(image);
        NodeId folder = volume.Find(NodeId.Root, report.FoundFolder!);
        Testing.DirectoryCollector found = new();
        Assert.Equal(FsStatus.Ok, volume.OpenDirectory(folder, out HandleId handle));
        volume.ReadDirectory(handle, 0, found);
        byte[] note = VolumeFiles.Bytes(28, 5000);
        byte[] big = VolumeFiles.Bytes(27, 300_000);
        bool isNoteThere = false;
        bool isBigThere = false;
        foreach ((byte[] name, NodeAttributes attributes, _) in found.Entries.Where(static entry => entry.Name[0] == 'n'))
        {
            byte[] content = await volume.ReadFileAsync(attributes.Node);
            isNoteThere |= content.AsSpan().SequenceEqual(note);
            isBigThere |= content.AsSpan().SequenceEqual(big);
        }

        Assert.True(isNoteThere && isBigThere, string.Join('\n', found.Entries.Select(static entry => System.Text.Encoding.UTF8.GetString(entry.Name))));
        await volume.WaitAsync((Testing.ManualTime)state.Fixture.Time);
    }

    [Fact]
    public async Task What_a_damaged_database_still_tells_is_taken_when_the_journal_is_gone()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 29, isClosed: true);
        VolumeSettings image = state.Image();
        BreakJournal(state, image);
        RebuildReport report = await state.RepairAsync(image);
        Assert.False(report.IsComplete);
        string? finding = await state.CompareAsync(image);

        // Records that nothing points to may be there besides; nothing may be missing or other.
        Assert.True(finding is null || finding.Split('\n').All(line => line.Contains("lost+found", StringComparison.Ordinal) || line.StartsWith("    ", StringComparison.Ordinal)
            || line == "/"), finding);
    }

    [Fact]
    public async Task Bytes_that_are_gone_from_the_log_are_named()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 30, isClosed: true);
        VolumeSettings image = state.Image();
        string[] segments = [.. Directory.GetFiles(Path.Combine(image.StateDirectory, "dirty")).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(segments);
        segments.ToList().ForEach(File.Delete);
        await Assert.ThrowsAsync<LocalStateException>(() => state.Fixture.OpenAsync(image));
        RebuildReport report = await state.RepairAsync(image);
        Assert.False(report.IsComplete);
        Assert.Contains(report.Lost, static range => range.Path == "/big file");
        Assert.Equal(300_000, report.Lost.Where(static range => range.Path == "/big file").Sum(static range => range.Length));
    }

    /// <summary>Breaks the header of every record of the journal that can be found by its place: node 0.</summary>
    private static void BreakJournal(DamagedState state, VolumeSettings image)
    {
        int broken = 0;
        foreach (string path in Directory.GetFiles(Path.Combine(image.StateDirectory, "dirty")))
        {
            byte[] bytes = File.ReadAllBytes(path);
            for (int position = 40; position + 48 <= bytes.Length;)
            {
                int length = BitConverter.ToInt32(bytes, position + 4);
                int whole = 48 + length + ((length + 65535) / 65536 * 16);
                if (BitConverter.ToUInt64(bytes, position + 8) == 0)
                {
                    // Header or content, in turn: what follows is found in both cases.
                    bytes[position + (++broken % 2 == 0 ? 16 : 48)] ^= 1;
                }

                position += whole;
            }

            File.WriteAllBytes(path, bytes);
        }
    }
}
