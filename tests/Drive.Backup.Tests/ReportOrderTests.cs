namespace Drive.Backup.Tests;

public sealed class ReportOrderTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Reports_stand_in_the_order_in_which_they_were_kept_and_a_changed_one_stays_in_its_place()
    {
        string folder = Directory.CreateTempSubdirectory("drive-sets-").FullName;
        try
        {
            BackupSets sets = new(folder);

            // The clock was years ahead once.
            foreach (int hours in (int[])[1, 80_000, 2, 3, 4])
            {
                sets.AddReport(Report(hours));
            }

            sets.AddReport(Report(2) with { Reason = "changed" });
            Assert.Equal([4, 3, 2, 80_000, 1], sets.Reports("s").Select(static report => (report.Started - Now).TotalHours));
            Assert.Equal("changed", sets.Reports("s")[2].Reason);
            Assert.Equal([1, 1, 1, 0, 0], sets.Reports("s").Select(static report => report.Unreadable.Count));
            Assert.All(sets.Reports("s"), static report => Assert.Equal(1, report.UnreadableCount));
            for (int i = 0; i < 120; i++)
            {
                sets.AddReport(Report(100 + i));
            }

            Assert.Equal(BackupSets.ReportsMax, sets.Reports("s").Count);
            Assert.Equal(219, (sets.Reports("s")[0].Started - Now).TotalHours);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static BackupReport Report(int hours) =>
        new() { Set = "s", Outcome = BackupOutcome.Incomplete, Started = Now.AddHours(hours), Ended = Now.AddHours(hours), Unreadable = [new UnreadablePath("/x", "why")], UnreadableCount = 1 };
}
