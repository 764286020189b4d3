using Drive.Core.Platform;
using Drive.Core.Volumes;

namespace Drive.Backup;

/// <summary>
/// Runs sets: what changed in their folders goes straight into packs of the vault, and <c>/Backups/device/set</c> becomes what the folders are. One run at a time; a second one waits. A run that ends
/// early leaves what the next one goes on from.
/// </summary>
public sealed class BackupRunner(IVolume volume, IContentImport import, BackupSets sets, BackupPlace place, TimeProvider time, IRandomSource random)
{
    /// <summary>
    /// Runs a set now, and keeps the report in the sets. What cannot be read is in the report; a store that is away is waited for. Cancelling ends it: the report says Failed then, and what was done stays done.
    /// </summary>
    public Task<BackupReport> RunAsync(BackupSet set, BackupOptions options, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        _ = (volume, import, sets, place, time, random);
        throw new NotSupportedException("Not yet.");
    }

    /// <summary>
    /// Reads back what is longest unproven of a set, or of all sets: <paramref name="percent"/> of its bytes in the store, whole packs, and proves it.
    /// </summary>
    public Task<VerifyReport> VerifyAsync(string? set, int percent, CancellationToken cancellationToken) => throw new NotSupportedException("Not yet.");

    /// <summary>A person says that the suspicious runs of a set are as they should be: nothing is suspicious then, and the vault forgets by its rule again, unless another set's runs are.</summary>
    public Task AcceptAsync(string set, CancellationToken cancellationToken) => throw new NotSupportedException("Not yet.");
}
