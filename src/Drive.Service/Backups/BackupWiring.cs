using Drive.Backup;
using Drive.Backup.Patterns;
using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Backups;

/// <summary>Puts the backups of one open vault together.</summary>
internal sealed class BackupWiring(DrivePaths paths, IDisk disk, TimeProvider time, IRandomSource random)
{
    private const string KeyLabel = "backup";

    /// <summary>The backups of a vault. Nothing runs by itself before <see cref="BackupDesk.Start"/>.</summary>
    public BackupDesk Open(VaultEntry entry, string mountpoint, Volume volume, VaultKeys keys, bool isStoreLocal, ILogger logger)
    {
        string device = DeviceFolder(keys, volume);
        string[] never = [.. new[] { paths.State, paths.Cache, paths.Run, mountpoint, StoreOpener.FolderOf(entry.Store), entry.LogStore is { } log ? StoreOpener.FolderOf(log) : null }.OfType<string>().Where(static path => path.Length > 0).Distinct()];
        BackupSets sets = new(paths.BackupsOf(entry.VaultId), disk);
        BackupPlace place = new() { DeviceName = device, Key = keys.DeriveLocalKey(KeyLabel), NeverBackedUp = never };
        BackupRunner runner = new(volume, volume, sets, place, time, random);
        BackupWork work = new()
        {
            RunAsync = (set, isParanoid, progress, cancellation) => runner.RunAsync(set, new BackupOptions { IsParanoid = isParanoid, Rules = Rules }, progress, cancellation),
            KeepAsync = (set, report, cancellation) => SetSnapshots.KeepAsync(volume.TimeMachine, device, set, report, time, cancellation),
            FindAway = () => Away(volume.GetStatus()),
            FindRestAsync = cancellation => FindRestAsync(isStoreLocal, cancellation),
            Watch = (set, changed) => new ChangeWatch(set, Rules, never, changed),
        };
        FailureNotices notices = new(entry.Name, (set, notice, cancellation) => NoticeSender.SendAsync(set, notice, Environment.GetEnvironmentVariable, time, cancellation), time, logger);
        return new BackupDesk(entry.Where, sets, new BackupScheduler(sets, work, notices, time, logger), runner, time);
    }

    private IgnoreRules Rules(BackupSet set, string path) => IgnoreRules.ForSet(set, path, paths.Home);

    private static string? Away(VolumeStatus status) => status switch
    {
        { ReadOnlyReason: { } reason } => reason,
        { Store: StoreCondition.Reachable } => null,
        _ => "It waits for the store, which does not answer now.",
    };

    private async Task<string?> FindRestAsync(bool isStoreLocal, CancellationToken cancellationToken) =>
        PowerSupply.BatteryPercent(PowerSupply.Folder) is { } percent and < PowerSupply.PercentMin ? $"It waits for mains: the battery has {percent} %, and below {PowerSupply.PercentMin} % it is spared. 'drive backup run' runs it all the same."
        : !isStoreLocal && await MeteredLink.IsMeteredAsync(time, cancellationToken) ? "It waits for a link that is not metered. 'drive backup run' runs it all the same."
        : null;

    // Of two devices of one name the elder one has the folder of that name.
    private static string DeviceFolder(VaultKeys keys, Volume volume) =>
        volume.Head.Members.Any(member => member.Kind == MemberKind.Device && member.Number < keys.DeviceNumber && member.Name == keys.DeviceName) ? $"{keys.DeviceName} ({keys.DeviceNumber})" : keys.DeviceName;
}
