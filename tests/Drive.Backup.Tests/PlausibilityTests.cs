using Drive.Backup.Runs;
using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Tests;

/// <summary>When a run is taken for the work of ransomware, and what follows.</summary>
public sealed class PlausibilityTests
{
    [Theory]
    [InlineData(0, 0, 0, false)]
    [InlineData(99, 99, 0, false)]
    [InlineData(100, 50, 0, false)]
    [InlineData(100, 51, 0, true)]
    [InlineData(100, 0, 51, true)]
    [InlineData(100, 26, 25, true)]
    [InlineData(1_000_000, 499_999, 1, false)]
    [InlineData(1_000_000, 500_000, 1, true)]
    public void More_than_half_of_at_least_a_hundred_files_is_suspicious(long known, long changed, long gone, bool suspicious) =>
        Assert.Equal(suspicious, Plausibility.Judge(known, changed, gone) is not null);

    [Fact]
    public async Task A_run_that_finds_most_files_changed_is_kept_flagged_and_freezes_the_past_until_it_is_accepted()
    {
        await using BackupBench bench = new();
        Write(bench, 120, "before");
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync()).Outcome);
        Write(bench, 61, "encrypted");
        BackupReport report = await bench.RunAsync();
        Assert.Equal(BackupOutcome.Suspicious, report.Outcome);
        Assert.Contains("61 of 120", report.Reason, StringComparison.Ordinal);
        Assert.Contains("docs", bench.Import.Freeze, StringComparison.Ordinal);
        await bench.AssertExactAsync();

        // A quiet run after it decides nothing.
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync()).Outcome);
        Assert.NotNull(bench.Import.Freeze);
        using BackupRunner runner = bench.Runner();
        await runner.AcceptAsync("docs", CancellationToken.None);
        Assert.Null(bench.Import.Freeze);
        Assert.NotNull(bench.Sets.Reports("docs").Single(static one => one.Outcome == BackupOutcome.Suspicious).Accepted);
    }

    [Fact]
    public async Task The_past_stays_frozen_while_another_sets_run_is_suspicious()
    {
        await using BackupBench bench = new();
        foreach (string set in (string[])["one", "two"])
        {
            bench.Sets.Put(bench.Set with { Name = set });
            bench.Sets.AddReport(new BackupReport { Set = set, Outcome = BackupOutcome.Suspicious, Started = bench.Time.GetUtcNow(), Ended = bench.Time.GetUtcNow() });
        }

        await bench.Import.FreezeHistoryAsync("both", CancellationToken.None);
        using BackupRunner runner = bench.Runner();
        await runner.AcceptAsync("one", CancellationToken.None);
        Assert.NotNull(bench.Import.Freeze);
        await runner.AcceptAsync("two", CancellationToken.None);
        Assert.Null(bench.Import.Freeze);
    }

    [Fact]
    public async Task A_suspicious_run_that_was_ended_is_suspicious_when_it_is_gone_on_with()
    {
        await using BackupBench bench = new();
        Write(bench, 300, "before");
        await bench.RunAsync();
        Write(bench, 300, "encrypted");
        using CancellationTokenSource ending = new();
        int read = 0;
        bench.Reading = _ =>
        {
            if (++read == 250)
            {
                ending.Cancel();
            }
        };
        using (BackupRunner runner = bench.Runner())
        {
            Assert.Equal(BackupOutcome.Failed, (await runner.RunAsync(bench.Set, new BackupOptions(), null, ending.Token)).Outcome);
        }

        Assert.Null(bench.Import.Freeze);
        bench.Reading = null;
        Assert.Equal(BackupOutcome.Suspicious, (await bench.RunAsync()).Outcome);
        await bench.AssertExactAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Files_that_a_run_found_gone_before_it_was_ended_are_gone_for_the_runs_that_go_on_with_it(bool renamed)
    {
        await using BackupBench bench = new();
        Write(bench, 300, "before");
        await bench.RunAsync();
        foreach (string file in Enumerable.Range(0, 6).SelectMany(folder => Directory.GetFiles(bench.At($"{folder}"))))
        {
            if (renamed)
            {
                File.Move(file, file + ".locked");
            }
            else
            {
                File.Delete(file);
            }
        }

        await RunAndEndAsync(bench);
        await RunAndEndAsync(bench);
        Assert.Null(bench.Import.Freeze);
        BackupReport report = await bench.RunAsync();
        Assert.Equal(BackupOutcome.Suspicious, report.Outcome);
        Assert.Equal((258, 0, renamed ? 261 : 3), (report.GoneFiles, report.ChangedFiles, report.NewFiles));
        Assert.Contains("0 of 300 files changed and 258 are gone", report.Reason, StringComparison.Ordinal);
        await bench.AssertExactAsync();

        // Past is past.
        report = await bench.RunAsync();
        Assert.Equal((BackupOutcome.Done, 0, 0), (report.Outcome, report.GoneFiles, report.NewFiles));
    }

    [Fact]
    public async Task What_was_gone_when_a_run_was_ended_and_is_back_is_not_gone()
    {
        await using BackupBench bench = new();
        Write(bench, 300, "before");
        await bench.RunAsync();
        Directory.Move(bench.At("0"), bench.Home + "/away");
        await RunAndEndAsync(bench);
        Directory.Move(bench.Home + "/away", bench.At("0"));
        BackupReport report = await bench.RunAsync();
        Assert.Equal((BackupOutcome.Done, 0), (report.Outcome, report.GoneFiles));
        await bench.AssertExactAsync();
    }

    [Fact]
    public async Task What_was_changed_when_a_run_was_ended_is_that_also_when_it_is_read_anew()
    {
        await using BackupBench bench = new();
        Write(bench, 300, "before");
        await bench.RunAsync();
        Write(bench, 300, "encrypted");

        // Nothing stands still while it is read, but for size and time of change: the run that goes on must read all again.
        await RunAndEndAsync(bench, file => File.SetUnixFileMode(file, File.GetUnixFileMode(file) ^ UnixFileMode.OtherRead));
        BackupReport report = await bench.RunAsync();
        Assert.Equal((BackupOutcome.Suspicious, 300), (report.Outcome, report.ChangedFiles));
        await bench.AssertExactAsync();
    }

    [Fact]
    public async Task Files_that_the_first_run_finds_are_no_change()
    {
        await using BackupBench bench = new();
        Write(bench, 200, "new");
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync()).Outcome);
    }

    /// <summary>A run that is ended in folder 6, behind two files that fill a batch each: when the second one is read, what stands before the first one is remembered.</summary>
    private static async Task RunAndEndAsync(BackupBench bench, Action<string>? reading = null)
    {
        await File.WriteAllBytesAsync(bench.At("5/x"), new byte[RunBatch.BytesMax]);
        await File.WriteAllBytesAsync(bench.At("5/y"), new byte[RunBatch.BytesMax]);
        bench.Write("6/z", "new");
        using CancellationTokenSource ending = new();
        bench.Reading = path =>
        {
            string file = SourcePath.Show(path);
            reading?.Invoke(file);
            if (file == bench.At("6/z"))
            {
                ending.Cancel();
            }
        };
        using (BackupRunner runner = bench.Runner())
        {
            Assert.Equal(BackupOutcome.Failed, (await runner.RunAsync(bench.Set, new BackupOptions(), null, ending.Token)).Outcome);
        }

        bench.Reading = null;
    }

    private static void Write(BackupBench bench, int files, string text)
    {
        for (int i = 0; i < files; i++)
        {
            bench.Write($"{i % 7}/{i}", $"{text} {i}");
        }
    }
}
