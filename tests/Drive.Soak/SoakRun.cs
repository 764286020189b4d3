using System.Diagnostics;

namespace Drive.Soak;

/// <summary>One soak: a vault of its own, a real daemon, some workers on its mount, samples meanwhile, and a last look at every byte: here, and on a machine that has nothing but the store.</summary>
internal sealed class SoakRun(TimeSpan duration, int workerCount, TimeSpan pause, int seed, string? at, Action<string> say)
{
    /// <summary>So many samples in a run, however long it is: enough for quarters to have medians.</summary>
    private const int Samples = 240;

    private static readonly TimeSpan SampleMin = TimeSpan.FromMilliseconds(250);

    public SoakReport Run()
    {
        string root = at is null ? Directory.CreateTempSubdirectory("drive-soak-").FullName : Directory.CreateDirectory(at).FullName;
        say($"seed {seed}, {workerCount} workers, {duration.TotalMinutes:0.##} minutes, in {root}");
        using DriveProgram drive = new(Path.Combine(root, "home"), Path.Combine(root, "mount"));
        string key = drive.Do("up", drive.Mount);
        SoakReport report = Load(drive);
        drive.Do("wait", "--timeout", "600");
        drive.Do("umount");

        string store = Path.Combine(root, "store");
        Directory.Move(Path.Combine(drive.Home, "data", "vault"), store);
        using DriveProgram other = new(Path.Combine(root, "other-home"), Path.Combine(root, "other-mount"));
        other.DoWith(key, "recover", store, "--name", "other");
        other.Do("mount", "other", other.Mount);
        foreach (Worker worker in report.Workers)
        {
            report.Note(worker.CheckAll(other.Mount));
        }

        other.Do("umount", other.Mount);
        if (at is null && report.IsExact)
        {
            Directory.Delete(root, recursive: true);
        }

        return report;
    }

    private SoakReport Load(DriveProgram drive)
    {
        Worker[] workers = [.. Enumerable.Range(0, workerCount).Select(number => new Worker(drive.Mount, number, seed + number, pause))];
        SoakReport report = new(workers);
        using CancellationTokenSource ending = new();
        Thread[] threads = [.. workers.Select(worker => new Thread(() => worker.Run(ending.Token)) { IsBackground = true })];
        Array.ForEach(threads, static thread => thread.Start());

        Sampler sampler = new(drive);
        TimeSpan interval = duration / Samples < SampleMin ? SampleMin : duration / Samples;
        Stopwatch watch = Stopwatch.StartNew();
        using PeriodicTimer timer = new(interval);
        while (watch.Elapsed < duration && workers.All(static worker => worker.Failure is null))
        {
            timer.WaitForNextTickAsync().AsTask().GetAwaiter().GetResult();
            Sample sample = sampler.Take(watch.Elapsed, workers.Sum(static worker => worker.Calls));
            report.Samples.Add(sample);
            if (report.Samples.Count % 10 == 0)
            {
                say(sample.ToString());
                drive.Do("status");
            }
        }

        ending.Cancel();
        Array.ForEach(threads, static thread => thread.Join());
        foreach (Worker worker in workers)
        {
            report.Note(worker.Failure);
            report.Note(worker.CheckAll(drive.Mount));
        }

        return report;
    }
}
