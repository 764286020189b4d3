using System.Text;

using SQLitePCL;

namespace Drive.Metadata.Tests;

/// <summary>What lies on the disk: after a crash, without the key, damaged, or written by another program.</summary>
public sealed class FileTests : StoreFixture
{
    [Fact]
    public void An_abrupt_end_keeps_every_applied_batch()
    {
        for (int i = 1; i <= 20; i++)
        {
            Apply(0, b => { b.PutNode(File((ulong)i), true); b.PutSetting("last", BitConverter.GetBytes(i)); });
            string image = CopyFiles($"image{i}.db");
            using MetadataStore crashed = MetadataStore.Open(image, Key, new MetadataOptions());
            Assert.False(crashed.WasCleanlyClosed);
            Assert.NotNull(crashed.FindNode(Id((ulong)i)));
            Assert.Equal(BitConverter.GetBytes(i), crashed.ReadSetting("last")!);
        }
    }

    [Fact]
    public void A_torn_write_ahead_log_holds_a_prefix_of_the_batches()
    {
        for (int i = 1; i <= 10; i++)
        {
            Apply(0, b => { b.PutNode(File((ulong)i), true); b.PutSetting("last", BitConverter.GetBytes(i)); });
        }

        long length = new FileInfo(Path + "-wal").Length;
        for (int cut = 1; cut <= 8; cut++)
        {
            string image = CopyFiles($"torn{cut}.db");
            using (var wal = new FileStream(image + "-wal", System.IO.FileMode.Open))
            {
                wal.SetLength(length - (length / 16 * cut));
            }

            using MetadataStore torn = MetadataStore.Open(image, Key, new MetadataOptions());
            int last = torn.ReadSetting("last") is { } value ? BitConverter.ToInt32(value) : 0;
            for (int i = 1; i <= 10; i++)
            {
                Assert.Equal(i <= last, torn.FindNode(Id((ulong)i)) is not null);
            }
        }
    }

    [Fact]
    public void A_clean_stop_is_known_as_such()
    {
        Assert.True(Store.WasCleanlyClosed);
        Reopen();
        Assert.True(Store.WasCleanlyClosed);
    }

    [Fact]
    public void Names_targets_and_xattrs_are_nowhere_in_the_files()
    {
        const string canary = "CANARY-7351";
        Apply(0, b =>
        {
            b.PutNode(File(5) with { LinkTarget = Utf8("to-" + canary) }, true);
            b.PutEntry(Entry(1, canary + ".txt", 5, 1));
            b.PutEntry(Entry(1, canary + ".old", 5, 2));
            b.PutXattr(Xattr(5, "user." + canary, canary + "-value"));
            b.PutSetting("plain-key", Utf8(canary));
        });
        Apply(0, b => b.RemoveEntry(Id(1), Utf8(canary + ".old")));
        CopyFiles("before-close.db");
        Store.Dispose();

        string[] files = System.IO.Directory.GetFiles(Directory);
        Assert.Contains(files, file => file.EndsWith("-wal", StringComparison.Ordinal));
        Assert.All(files, file => Assert.DoesNotContain(canary, Encoding.Latin1.GetString(System.IO.File.ReadAllBytes(file)), StringComparison.OrdinalIgnoreCase));
        Assert.Contains(files, file => Encoding.Latin1.GetString(System.IO.File.ReadAllBytes(file)).Contains("plain-key", StringComparison.Ordinal));
    }

    [Fact]
    public void Another_key_is_refused()
    {
        Store.Dispose();
        byte[] other = [.. Key.Reverse()];

        Assert.Throws<MetadataKeyException>(() => MetadataStore.Open(Path, other, new MetadataOptions()));
        Store = MetadataStore.Open(Path, Key, new MetadataOptions());
    }

    [Fact]
    public void A_newer_schema_is_refused()
    {
        Store.Dispose();
        Sql("PRAGMA user_version = 99");

        MetadataVersionException e = Assert.Throws<MetadataVersionException>(() => MetadataStore.Open(Path, Key, new MetadataOptions()));
        Assert.Contains("99", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_owner_is_refused()
    {
        // POSIX locks do not hold against their own process; SQLite keeps its own book of those, and that is what answers here.
        Assert.Throws<IOException>(() => MetadataStore.Open(Path, Key, new MetadataOptions()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    public void A_file_that_is_no_database_is_told_as_damaged(int length)
    {
        string path = System.IO.Path.Combine(Directory, "other.db");
        byte[] noise = new byte[length];
        new Random(4).NextBytes(noise);
        System.IO.File.WriteAllBytes(path, noise);
        if (length == 0)
        {
            MetadataStore.Open(path, Key, new MetadataOptions()).Dispose();
        }
        else
        {
            Assert.Throws<MetadataCorruptException>(() => MetadataStore.Open(path, Key, new MetadataOptions()));
        }
    }

    [Fact]
    public void Damaged_pages_are_told_as_damage_and_never_as_other_rows()
    {
        Apply(0, b =>
        {
            for (int i = 0; i < 2000; i++)
            {
                b.PutEntry(Entry(1, "some longer name " + i, (ulong)(i + 10), i + 1));
                b.PutNode(File((ulong)(i + 10), i), true);
            }
        });
        Store.Dispose();
        byte[] good = System.IO.File.ReadAllBytes(Path);
        var random = new Random(11);
        int refused = 0;
        for (int round = 0; round < 40; round++)
        {
            byte[] bad = [.. good];
            int page = random.Next(1, good.Length / 4096);
            random.NextBytes(bad.AsSpan(page * 4096, 4096));
            System.IO.File.WriteAllBytes(Path, bad);
            try
            {
                using MetadataStore damaged = MetadataStore.Open(Path, Key, new MetadataOptions());
                List<Core.Rows.EntryRow> rows = [];
                damaged.ReadEntries(Id(1), 0, 5000, rows);
                Assert.All(rows, row => Assert.StartsWith("some longer name ", Encoding.UTF8.GetString(row.Name), StringComparison.Ordinal));
                for (int i = 0; i < 2000; i++)
                {
                    damaged.FindNode(Id((ulong)(i + 10)));
                }
            }
            catch (MetadataCorruptException)
            {
                refused++;
            }

            System.IO.File.Delete(Path + "-wal");
        }

        Assert.InRange(refused, 20, 40);
        System.IO.File.WriteAllBytes(Path, good);
    }

    [Fact]
    public void A_damaged_file_is_found_at_open_after_an_unclean_stop()
    {
        Apply(0, b =>
        {
            for (int i = 0; i < 500; i++)
            {
                b.PutNode(File((ulong)(i + 10), i), true);
            }
        });
        Store.Dispose();
        Sql("UPDATE state SET is_clean = 0");
        using (var file = new FileStream(Path, System.IO.FileMode.Open))
        {
            file.Position = file.Length - 4096;
            file.Write(new byte[4096]);
        }

        Assert.Throws<MetadataCorruptException>(() => MetadataStore.Open(Path, Key, new MetadataOptions()));
    }

    [Fact]
    public void A_sealed_column_put_into_another_row_is_told_as_damage()
    {
        Apply(0, b => { b.PutEntry(Entry(1, "a", 5, 1)); b.PutEntry(Entry(2, "b", 6, 2)); b.PutSetting("a", [1]); b.PutSetting("b", [2]); });
        Store.Dispose();
        Sql("UPDATE entry SET name = (SELECT name FROM entry WHERE parent = 1) WHERE parent = 2");
        Sql("UPDATE setting SET value = (SELECT value FROM setting WHERE key = 'a') WHERE key = 'b'");
        Store = MetadataStore.Open(Path, Key, new MetadataOptions());

        Assert.Throws<MetadataCorruptException>(() => Store.ReadEntries(Id(2), 0, 9, []));
        Assert.Throws<MetadataCorruptException>(() => Store.ReadSetting("b"));
        Assert.Equal([1], Store.ReadSetting("a")!);
    }

    [Fact]
    public void Only_the_owner_may_read_the_files()
    {
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(Path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(Path + "-wal"));
        }
    }

    [Fact]
    public void A_disposed_store_says_so()
    {
        Store.Dispose();

        Assert.Throws<ObjectDisposedException>(() => Store.FindNode(Id(1)));
        Assert.Throws<ObjectDisposedException>(() => Store.Apply(new MetadataBatch()));
    }

    [Fact]
    public void The_version_of_sqlite_is_known() => Assert.Matches(@"^3\.\d+\.\d+$", MetadataStore.SqliteVersion);

    [Fact]
    public async Task Look_ups_from_several_threads_see_whole_batches()
    {
        Apply(0, b => b.PutNode(File(99, 100), true));
        using var cancellation = new CancellationTokenSource();
        Task[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            while (!cancellation.IsCancellationRequested)
            {
                long a = Store.FindNode(Id(10))?.Size ?? 0;
                long b = Store.FindNode(Id(11))?.Size ?? 0;
                Assert.True(b >= a);
                Assert.Equal(0, (Store.CountFiles().Bytes - 100) % 2);
            }
        }))];
        for (int i = 0; i < 50; i++)
        {
            Apply(0, b => { b.PutNode(File(10, i), false); b.PutNode(File(11, i), false); });
        }

        await cancellation.CancelAsync();
        await Task.WhenAll(readers);
    }

    private void Sql(string sql)
    {
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_open(Path, out sqlite3 database));
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_exec(database, sql));
        database.Dispose();
    }
}
