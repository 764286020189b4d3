using Drive.Testing.Disk;

namespace Drive.Backup.Tests;

/// <summary>Sets and reports on the disk.</summary>
public sealed class BackupSetsTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private readonly string _home = Directory.CreateTempSubdirectory("drive-sets-").FullName;

    [Fact]
    public void A_set_comes_back_as_it_was_put_and_is_the_owners_alone()
    {
        BackupSets sets = new(Path.Combine(_home, "sets"));
        Assert.Empty(sets.All());
        Assert.Null(sets.Find("docs"));
        BackupSet set = new()
        {
            Name = "docs",
            Paths = ["/home/me/docs", "/etc"],
            Excludes = ["*.tmp"],
            Presets = ["caches"],
            FileBytesMax = 5,
            IsOneFileSystem = true,
            Schedule = "daily 02:00",
            Keep = "daily=3",
            IsPaused = true,
            StaleDays = 9,
            OnFailure = "notify",
            Webhook = "https://host/x",
        };
        sets.Put(set);
        sets.Put(set with { Name = "another" });
        BackupSets again = new(Path.Combine(_home, "sets"));
        Assert.Equivalent(set, again.Find("docs"), strict: true);
        Assert.Equal(["another", "docs"], again.All().Select(static one => one.Name));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_home, "sets", "docs", "set.json")));
        again.Remove("another");
        Assert.Equal(["docs"], sets.All().Select(static one => one.Name));
    }

    [Fact]
    public void The_last_hundred_reports_are_kept_newest_first_and_one_is_replaced_by_its_start()
    {
        BackupSets sets = new(Path.Combine(_home, "sets"));
        for (int i = 0; i < 105; i++)
        {
            sets.AddReport(Report(i));
        }

        sets.AddReport(Report(104) with { Accepted = Noon });
        IReadOnlyList<BackupReport> reports = sets.Reports("docs");
        Assert.Equal(BackupSets.ReportsMax, reports.Count);
        Assert.Equal(Enumerable.Range(5, 100).Reverse().Select(static i => Noon.AddHours(i)), reports.Select(static one => one.Started));
        Assert.Equal(Noon, reports[0].Accepted);
        Assert.Empty(sets.Reports("other"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public void A_name_that_is_no_name_is_refused(string name)
    {
        BackupSets sets = new(Path.Combine(_home, "sets"));
        Assert.Throws<ArgumentException>(() => sets.Put(new BackupSet { Name = name, Paths = ["/x"] }));
        Assert.Null(sets.Find(name));
        Assert.Empty(sets.Reports(name));
        sets.Remove(name);
        Assert.True(Directory.Exists(_home));
    }

    [Fact]
    public void A_damaged_file_says_what_to_do()
    {
        BackupSets sets = new(Path.Combine(_home, "sets"));
        sets.Put(new BackupSet { Name = "docs", Paths = ["/x"] });
        File.WriteAllText(Path.Combine(_home, "sets", "docs", "set.json"), "{");
        Assert.Contains("move it away", Assert.Throws<InvalidDataException>(() => sets.Find("docs")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_put_is_there_after_a_power_loss()
    {
        MemoryDisk disk = new();
        disk.CreateDirectory("/state");
        new BackupSets("/state/sets", disk).Put(new BackupSet { Name = "docs", Paths = ["/x"] });
        disk = disk.Crash(CrashKind.PowerLosesAll, new Random(1));
        Assert.Equal(["/x"], new BackupSets("/state/sets", disk).Find("docs")!.Paths);
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static BackupReport Report(int hour) => new() { Set = "docs", Outcome = BackupOutcome.Done, Started = Noon.AddHours(hour), Ended = Noon.AddHours(hour) };
}
