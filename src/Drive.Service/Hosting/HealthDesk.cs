using Drive.Control;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Engine.Checks;
using Drive.Service.Logs;
using Drive.Service.Setup;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Hosting;

/// <summary>Looks at a vault, over the volume that this process has open. It owns none of what it is given.</summary>
internal sealed class HealthDesk(Volume volume, string place, ILogger logger) : IHealth
{
    /// <inheritdoc/>
    public Task<CheckResult> CheckAsync(CheckOrder order, CancellationToken cancellationToken) => VaultErrors.TranslatedAsync(place, async () =>
    {
        CheckReport report = await volume.CheckAsync(new CheckRequest(Math.Clamp(order.ReadShare, 0, 1), order.Repair, order.SearchPacks), logger.CheckProgress, cancellationToken);
        return new CheckResult
        {
            Sound = report.IsSound,
            Seq = report.Seq,
            TreeSound = report.IsTreeSound,
            UnknownBlocks = report.UnknownBlocks,
            Blocks = report.Blocks,
            Packs = report.Packs,
            PacksRead = report.PacksRead,
            BytesRead = report.BytesRead,
            BadPacks = [.. report.BadPacks.Select(static bad => new BadPackInfo(bad.Name, bad.Problem, bad.Blocks, bad.Lost, bad.Restored))],
            BadLog = [.. report.BadLog.Select(static bad => new BadLogInfo(bad.Name, bad.Problem))],
            BadFiles = [.. report.BadFiles.Select(static bad => new BadFileInfo(bad.Path, bad.LostBytes))],
            BadFileCount = report.BadFileCount,
        };
    });

    /// <inheritdoc/>
    public Task<DiskCost> MeasureAsync(PathRequest request, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            NodeId node = volume.FindPath(request.Path) ?? throw new DriveException(DriveError.NotFound, $"'{request.Path}' is not on the drive.");
            DiskUse use = volume.MeasureUse(node);
            return new DiskCost(Cost(use.Total), [.. use.Folders.Select(Cost)]);
        },
        cancellationToken);

    private static FolderCost Cost(FolderUse use) => new(use.Name, use.Files, use.Bytes, use.StoredBytes, use.HistoryBytes, use.SavedByDedup, use.SavedByCompression);
}
