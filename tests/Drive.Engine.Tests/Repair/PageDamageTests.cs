using Drive.Engine.Repair;
using Xunit.Abstractions;

namespace Drive.Engine.Tests.Repair;

/// <summary>
/// Every page of the local database damaged in turn. A mount shows the exact tree, or refuses, or breaks where the page is read; then a repair gives
/// the exact tree, with every byte that was synced.
/// </summary>
public sealed class PageDamageTests(ITestOutputHelper output)
{
    private const int PageBytes = 4096;

    public enum Harm
    {
        Zeroed,
        Random,
        FlippedBit,
    }

    [Theory]
    [InlineData(Harm.Zeroed)]
    [InlineData(Harm.Random)]
    [InlineData(Harm.FlippedBit)]
    public async Task Every_page_of_the_database_may_be_damaged(Harm harm)
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 11, isClosed: true);
        await RunAsync(state, harm, "metadata.db");
    }

    [Theory]
    [InlineData(Harm.Zeroed)]
    [InlineData(Harm.FlippedBit)]
    public async Task Every_page_of_the_write_ahead_log_may_be_damaged(Harm harm)
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 12, isClosed: false, committed: 12, synced: 12);
        await RunAsync(state, harm, "metadata.db-wal");
    }

    private async Task RunAsync(DamagedState state, Harm harm, string file)
    {
        Random random = new(5);
        int pages = 0;
        int repaired = 0;
        for (int page = 0; ; page++, pages++)
        {
            Drive.Engine.VolumeSettings image = state.Image();
            if (!Damage(state.FileOf(image, file), page, harm, random))
            {
                break;
            }

            if (await state.CompareAsync(image) is { } finding)
            {
                repaired++;
                output.WriteLine($"Page {page}: {finding.Split('\n')[0]}");
                RebuildReport report = await state.RepairAsync(image);
                Assert.True(report.IsComplete, $"Page {page}: {report}");
                string? left = await state.CompareAsync(image);
                Assert.True(left is null, $"{harm}, {file}, page {page}, after the repair: {left}");
            }

            DamagedState.Forget(image);
        }

        output.WriteLine($"{pages} pages; {pages - repaired} times the mount showed the exact tree by itself, {repaired} times after a repair.");
        Assert.True(pages > 5, $"{pages} pages");
    }

    private static bool Damage(string path, int page, Harm harm, Random random)
    {
        using FileStream file = new(path, System.IO.FileMode.Open, FileAccess.ReadWrite);
        long start = (long)page * PageBytes;
        if (start >= file.Length)
        {
            return false;
        }

        byte[] bytes = new byte[Math.Min(PageBytes, file.Length - start)];
        file.Position = start;
        file.ReadExactly(bytes);
        switch (harm)
        {
            case Harm.Zeroed:
                bytes.AsSpan().Clear();
                break;
            case Harm.Random:
                random.NextBytes(bytes);
                break;
            default:
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                break;
        }

        file.Position = start;
        file.Write(bytes);
        return true;
    }
}
