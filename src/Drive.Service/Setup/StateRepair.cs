using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Engine;
using Drive.Engine.Repair;
using Drive.Metadata;
using Drive.Service.Logs;
using Drive.Service.Settings;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Setup;

/// <summary>A range of a file that a repair found to be gone.</summary>
public sealed record LostBytes(string Path, long Offset, long Length);

/// <summary>What a repair did, for the command.</summary>
public sealed record RepairResult
{
    public required string Name { get; init; }

    /// <summary>Whether store and dirty log prove that nothing that was synced is missing.</summary>
    public required bool Complete { get; init; }

    /// <summary>The commit of the vault that the state stands at.</summary>
    public required long Seq { get; init; }

    /// <summary>Local commits that were taken from the dirty log.</summary>
    public required int SavePoints { get; init; }

    /// <summary>Bytes that are kept here and not in the store yet.</summary>
    public required long UnsentBytes { get; init; }

    /// <summary>Ranges that are gone.</summary>
    public required IReadOnlyList<LostBytes> Lost { get; init; }

    /// <summary>Folder in the drive with content whose names are lost, or null.</summary>
    public required string? FoundFolder { get; init; }

    /// <summary>Files in it.</summary>
    public required int FoundFiles { get; init; }

    /// <summary>Whether what was pinned is pinned again; else that can't be read any more.</summary>
    public required bool PinsKept { get; init; }

    /// <summary>Where the old database is now, or null when there was none.</summary>
    public required string? OldDatabase { get; init; }
}

/// <summary>Builds a vault's local state anew while no daemon has it open.</summary>
internal sealed class StateRepair(DrivePaths paths, StoreOpener stores, IDisk disk, TimeProvider time, IRandomSource random)
{
    public async Task<RepairResult> RunAsync(VaultEntry entry, VaultKeys keys, bool withHistory, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        string lockPath = paths.StateOf(entry.VaultId) + ".lock";
        disk.CreateDirectory(Path.GetDirectoryName(lockPath)!);
        using IDisposable held = disk.TryLock(lockPath, $"process {Environment.ProcessId}", out _)
            ?? throw new DriveException(DriveError.InUse, $"'{entry.Name}' is mounted: 'drive umount {entry.Name}' first, then repair.");
        VolumeSettings settings = new() { StateDirectory = paths.StateOf(entry.VaultId), CacheDirectory = paths.CacheOf(entry.VaultId) };
        try
        {
            await using IObjectStore store = stores.Open(entry.Store, entry.LogStore);
            RebuildReport report = await StateRebuild.RunAsync(
                settings, keys, store, disk, time, random, loggers.CreateLogger<StateRepair>(), withHistory ? RebuildMode.AskedForHistory : RebuildMode.Asked, cancellationToken);
            return new RepairResult
            {
                Name = entry.Name,
                Complete = report.IsComplete,
                Seq = report.Seq,
                SavePoints = report.SavePoints,
                UnsentBytes = report.UnsentBytes,
                Lost = [.. report.Lost.Select(static range => new LostBytes(range.Path, range.Offset, range.Length))],
                FoundFolder = report.FoundFolder,
                FoundFiles = report.FoundFiles,
                PinsKept = report.ArePinsKnown,
                OldDatabase = report.Aside,
            };
        }
        catch (Exception exception) when (exception is not DriveException && Translate(exception, entry) is { } known)
        {
            throw known;
        }
    }

    /// <summary>What a command says when the local state is damaged; null when it is something else.</summary>
    public static DriveException? Translate(Exception exception, VaultEntry entry) => exception switch
    {
        LocalStateException or MetadataCorruptException or MetadataKeyException or Cache.Dirty.CorruptLogException => new DriveException(
            DriveError.LocalDisk, $"{exception.Message} Nothing was changed: 'drive repair {entry.Name}' builds the local state anew and says what it finds.", exception),
        MetadataVersionException => new DriveException(DriveError.LocalDisk, exception.Message, exception),
        _ => VaultErrors.Translate(exception, entry.Where),
    };
}
