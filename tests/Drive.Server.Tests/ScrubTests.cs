using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Server.Storage;
using Drive.Testing;
using Drive.Testing.Disk;

namespace Drive.Server.Tests;

public sealed class ScrubTests
{
    private const string Root = "/srv";
    private const string Folder = "/srv/vaults/ana/vault";

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_flipped_bit_a_cut_object_a_missing_one_and_a_foreign_name_are_found_and_nothing_else()
    {
        await using Served served = await Served.StartAsync();
        await using IObjectStore store = served.Server.Open("vault");
        foreach (string name in new[] { "good", "packs/a/flipped", "packs/a/cut", "packs/a/gone", "removed", "empty" })
        {
            await store.PutIfAbsentAsync(new ObjectName(name), new byte[name == "empty" ? 0 : 3_000_000], None);
        }

        await store.DeleteAsync(new ObjectName("removed"), None);
        List<string> said = [];
        Assert.True(Scrub.Run(new LocalDisk(), served.Server.Root, said.Add, None), string.Join('\n', said));
        string folder = Path.Combine(served.Server.Root, "vaults", RunningServer.User, "vault");
        using (FileStream file = File.OpenWrite(Path.Combine(folder, "packs/a/flipped")))
        {
            file.Position = 2_000_000;
            file.WriteByte(1);
        }

        using (FileStream file = File.OpenWrite(Path.Combine(folder, "packs/a/cut")))
        {
            file.SetLength(2_999_999);
        }

        File.Delete(Path.Combine(folder, "packs/a/gone"));
        File.WriteAllText(Path.Combine(folder, "packs/UPPER"), "");
        said.Clear();
        Assert.False(Scrub.Run(new LocalDisk(), served.Server.Root, said.Add, None));
        Assert.Equal(
            [
                "ana/vault: packs/UPPER is no name of an object",
                "ana/vault: packs/a/cut has 2999999 bytes, 3000000 were put",
                "ana/vault: packs/a/flipped has other bytes than were put",
                "ana/vault: packs/a/gone is missing",
                "ana/vault: 4 objects, 4 damaged, 0 without a record, 0 damaged lines in the record.",

                // What looked wrong was read twice.
                "1 vaults, 4 objects, 14999998 bytes read, 4 damaged.",
            ],
            said);
    }

    [Fact]
    public async Task Beside_a_server_at_work_there_is_no_false_alarm()
    {
        await using Served served = await Served.StartAsync();
        await using IObjectStore store = served.Server.Open("vault");
        await store.GetLengthAsync(new ObjectName("x"), None);
        using CancellationTokenSource enough = new();
        Task[] writers = [.. Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            Random random = new(writer);
            for (int round = 0; !enough.IsCancellationRequested; round++)
            {
                ObjectName name = new($"packs/{writer}/{random.Next(20)}");
                byte[] content = new byte[random.Next(20_000)];
                random.NextBytes(content);
                await store.PutIfAbsentAsync(name, content, None);
                if (random.Next(2) == 0)
                {
                    await store.DeleteAsync(new ObjectName($"packs/{writer}/{random.Next(20)}"), None);
                }
            }
        }))];
        List<string> said = [];
        for (int round = 0; round < 40; round++)
        {
            Assert.True(Scrub.Run(new LocalDisk(), served.Server.Root, said.Add, None), string.Join('\n', said));
        }

        await enough.CancelAsync();
        await Task.WhenAll(writers);
    }

    [Fact]
    public async Task Wherever_the_machine_dies_what_was_answered_is_whole_and_a_scrub_finds_nothing_damaged()
    {
        for (int number = 0; ; number++)
        {
            MemoryDisk memory = new();
            FaultyDisk disk = new(memory);
            SeededRandom random = new(number);
            disk.FailChange(number, FaultyDisk.InputOutputError, forEver: true);
            Dictionary<string, byte[]?> known = [];
            bool isDone = await WorkAsync(disk, random, known);
            foreach (CrashKind kind in Enum.GetValues<CrashKind>())
            {
                for (int image = 0; image < 3; image++)
                {
                    MemoryDisk after = memory.Crash(kind, new Random((number * 10) + image));
                    await CheckAsync(after, known, random, $"change {number}, {kind}, image {image}");
                }
            }

            if (isDone)
            {
                Assert.InRange(number, 30, 1000);
                return;
            }
        }
    }

    [Fact]
    public async Task A_failed_record_makes_the_put_undecided_and_the_next_start_makes_it_good()
    {
        MemoryDisk memory = new();
        FaultyDisk disk = new(memory);
        UserSpace space = new();
        await using (StoredVault vault = await StoredVault.OpenAsync(disk, Folder, create: true, space, new SeededRandom(1), None))
        {
            disk.Fault = static call => call.Operation == DiskOperation.Sync && call.Path.EndsWith(SumJournal.FileName, StringComparison.Ordinal) ? FaultyDisk.InputOutputError() : null;
            await Assert.ThrowsAsync<UndecidedException>(() => vault.PutAsync(new ObjectName("x"), new byte[10], None));

            // A flush that failed is not believed later.
            disk.Fault = static _ => null;
            await Assert.ThrowsAsync<UndecidedException>(() => vault.PutAsync(new ObjectName("y"), new byte[10], None));
            await Assert.ThrowsAsync<IOException>(() => vault.DeleteAsync(new ObjectName("x"), None));
        }

        await using StoredVault again = await StoredVault.OpenAsync(memory, Folder, create: false, space, new SeededRandom(2), None);
        Assert.True(await again.PutAsync(new ObjectName("z"), new byte[10], None));
        List<string> said = [];
        Assert.True(Scrub.Run(memory, Root, said.Add, None));
        Assert.Contains("ana/vault: 3 objects, 0 damaged, 0 without a record, 0 damaged lines in the record.", said);
    }

    /// <summary>Puts and removes until the disk is off. What is known: content that was answered for, null for what may or may not be there.</summary>
    private static async Task<bool> WorkAsync(IDisk disk, IRandomSource random, Dictionary<string, byte[]?> known)
    {
        try
        {
            await using StoredVault vault = await StoredVault.OpenAsync(disk, Folder, create: true, new UserSpace(), random, None);
            foreach ((string name, int length) in new[] { ("a", 5000), ("packs/b", 100), ("packs/c", 0), ("a", -1), ("a", 7), ("packs/b", -1), ("d", 3) })
            {
                bool wasKnown = known.Remove(name);
                known[name] = null;
                if (length < 0)
                {
                    Assert.True(await vault.DeleteAsync(new ObjectName(name), None));
                    known.Remove(name);
                }
                else
                {
                    byte[] content = new byte[length];
                    random.Fill(content);
                    Assert.True(await vault.PutAsync(new ObjectName(name), content, None), $"{name} {wasKnown}");
                    known[name] = content;
                }
            }

            return true;
        }
        catch (Exception exception) when (exception is StoreException or IOException or UndecidedException)
        {
            return false;
        }
    }

    private static async Task CheckAsync(MemoryDisk disk, Dictionary<string, byte[]?> known, IRandomSource random, string where)
    {
        List<string> said = [];
        Assert.True(Scrub.Run(disk, Root, said.Add, None), where + ": " + string.Join('\n', said));
        UserSpace space = new();
        await using StoredVault vault = await StoredVault.OpenAsync(disk, Folder, create: true, space, random, None);
        long used = 0;
        foreach ((string name, byte[]? content) in known)
        {
            byte[]? got = await vault.Store.GetAsync(new ObjectName(name), 10_000, None);
            Assert.True(content is null || got.AsSpan().SequenceEqual(content), $"{where}: {name}");
            Assert.True(content is null || got is not null, $"{where}: {name}");
            used += got is null ? 0 : UserSpace.Of(got.Length);
        }

        Assert.Equal(used, space.Used);
        said.Clear();
        Assert.True(Scrub.Run(disk, Root, said.Add, None), where);
        Assert.Contains(" 0 without a record", said[0], StringComparison.Ordinal);
    }
}
