using System.Text;
using System.Buffers.Binary;
using Drive.Backup.Proofs;
using Drive.Backup.Remembering;
using Drive.Backup.Runs;
using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup;

/// <summary>
/// Runs sets: what changed in their folders goes straight into packs of the vault, and <c>/Backups/device/set</c> becomes what the folders are. One run or verification at a time; another one waits. A run that ends
/// early leaves what the next one goes on from.
/// </summary>
public sealed class BackupRunner(IVolume volume, IContentImport import, BackupSets sets, BackupPlace place, TimeProvider time, IRandomSource random) : IDisposable
{
    /// <summary>Where in the vault sets lie.</summary>
    public const string TopFolder = "Backups";

    private const string ProofsFile = "proofs";
    private const uint OwnerOnly = Core.Volumes.FileMode.Directory | 0x1C0;

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Called with the path before a file is read once more, for tests.</summary>
    internal Action<byte[]>? Reading { get; init; }

    /// <summary>
    /// Runs a set now, and keeps the report in the sets. What cannot be read is in the report; a store that is away is waited for. Cancelling ends it: the report says Failed then, and what was done stays done.
    /// </summary>
    public async Task<BackupReport> RunAsync(BackupSet set, BackupOptions options, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(options);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            BackupReport report = await RunAloneAsync(set, options, progress, cancellationToken);
            sets.AddReport(report);
            return report;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Reads back what is longest unproven of a set, or of all sets: <paramref name="percent"/> of its bytes, whole packs, and proves that the store has what was backed up.
    /// </summary>
    /// <exception cref="FsException">The store can't be asked; the message says what to do.</exception>
    public async Task<VerifyReport> VerifyAsync(string? set, int percent, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(percent, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            List<(string, NodeId)> tops = [];
            foreach (string name in set is null ? sets.All().Select(static one => one.Name) : [set])
            {
                if (FindTop(name) is { } top)
                {
                    tops.Add(($"/{TopFolder}/{DeviceFolder}/{name}", top.Node));
                }
            }

            ProofBook book = new(sets.Disk, Path.Combine(sets.Folder, ProofsFile));
            return await new Verification(volume, import, book, time).RunAsync(set, tops, percent, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A person says that the suspicious runs of a set are as they should be: nothing is suspicious then, and the vault forgets by its rule again, unless another set's runs are.</summary>
    /// <exception cref="FsException">The vault can't be changed now; the message says why.</exception>
    public async Task AcceptAsync(string set, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (!sets.All().Any(other => other.Name != set && sets.Reports(other.Name).Any(IsOpen)))
            {
                await import.ThawHistoryAsync(cancellationToken);
            }

            DateTimeOffset now = time.GetUtcNow();
            foreach (BackupReport report in sets.Reports(set).Where(IsOpen))
            {
                sets.AddReport(report with { Accepted = now });
            }
        }
        finally
        {
            _turn.Release();
        }

        static bool IsOpen(BackupReport report) => report is { Outcome: BackupOutcome.Suspicious, Accepted: null };
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private string DeviceFolder => place.DeviceName.Replace('/', '_') is { Length: > 0 } name and not ("." or "..") ? name : "device";

    private async Task<BackupReport> RunAloneAsync(BackupSet set, BackupOptions options, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        DateTimeOffset started = time.GetUtcNow();
        RunTally tally = new();
        FileReader reader = new() { Reading = Reading };
        try
        {
            byte[] seed = new byte[8];
            random.Fill(seed);
            RunSample sample = new(BinaryPrimitives.ReadUInt64LittleEndian(seed));
            SetPaths paths = new(set.Paths, [.. place.NeverBackedUp, .. DriveMounts.Read()]);
            using RunIndex index = new(sets.Disk, sets.FolderOf(set.Name), place.Key, random);
            BackupRun run = new(volume, import, set, options, paths, index, tally, reader, sample, progress);
            await run.RunAsync(MakeTop(set.Name), cancellationToken);
            long seq = await import.CommitTreeAsync(cancellationToken);
            string? suspicion = Plausibility.Judge(tally.Met + tally.Gone, tally.Changed, tally.Gone);
            if (suspicion is not null)
            {
                await import.FreezeHistoryAsync($"Backup '{set.Name}' of {place.DeviceName}: {suspicion}", cancellationToken);
            }

            // What is suspicious is frozen before it counts as how things are.
            index.Complete();
            SampleProof proof = new(import, sample);
            string? failure = await proof.RunAsync(options.ProofBytesMax, cancellationToken);
            BackupOutcome outcome = failure is not null ? BackupOutcome.Failed
                : suspicion is not null ? BackupOutcome.Suspicious
                : tally.UnreadableCount > 0 ? BackupOutcome.Incomplete
                : BackupOutcome.Done;
            return tally.Report(set.Name, outcome, started, time.GetUtcNow(), reader.ReadBytes, failure ?? suspicion) with
            {
                Seq = seq,
                Proven = failure is null && proof.ComparedBytes > 0 ? time.GetUtcNow() : null,
            };
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Failed("It was ended before it was through: the next run goes on from there.");
        }
        catch (Exception error) when (error is FsException or TreeException or IOException)
        {
            return Failed(error.Message);
        }

        BackupReport Failed(string reason) => tally.Report(set.Name, BackupOutcome.Failed, started, time.GetUtcNow(), reader.ReadBytes, reason);
    }

    private VaultEntry MakeTop(string set)
    {
        VaultTree tree = new(volume, import);
        VaultTree.Require(volume.GetAttributes(NodeId.Root, out NodeAttributes root));
        NodeId directory = NodeId.Root;
        foreach (string name in (string[])[TopFolder, DeviceFolder, set])
        {
            directory = tree.EnsureDirectory(directory, Encoding.UTF8.GetBytes(name), OwnerOnly, root.Uid, root.Gid);
        }

        tree.Tell();
        VaultTree.Require(volume.GetAttributes(directory, out NodeAttributes attributes));
        return VaultEntry.Of(attributes);
    }

    private VaultEntry? FindTop(string set)
    {
        VaultTree tree = new(volume, import);
        NodeId directory = NodeId.Root;
        VaultEntry? found = null;
        foreach (string name in (string[])[TopFolder, DeviceFolder, set])
        {
            found = tree.Find(directory, Encoding.UTF8.GetBytes(name));
            if (found is not { IsDirectory: true } entry)
            {
                return null;
            }

            directory = entry.Node;
        }

        return found;
    }
}
