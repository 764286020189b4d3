using System.Text;
using Drive.Backup.Restores;
using Drive.Control;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Disk.Trees;
using Drive.Engine;
using Drive.Engine.History;
using Drive.Vault;
using Drive.Vault.Log;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Service.Hosting;

/// <summary>The past of an open volume, in the words of the control messages. Refusals become <see cref="DriveException"/>.</summary>
internal sealed class HistoryDesk(string name, Volume volume)
{
    private readonly TimeMachine _machine = volume.TimeMachine;

    /// <summary>The state that was meant.</summary>
    public StateInfo Find(string when) => Translated(() => Show(_machine.Find(when)));

    /// <summary>What a path was.</summary>
    public PathVersions Versions(string path) => Translated(() =>
    {
        IReadOnlyList<PathVersion> versions = _machine.Versions(path);
        return versions.Count > 0
            ? new PathVersions(path, [.. versions.Select(Show)])
            : throw new DriveException(DriveError.NotFound, $"History knows nothing of '{path}': it was never in the store under this name, or so long ago that it is not kept.");
    });

    /// <summary>Brings something back.</summary>
    public RestoreReply Restore(RestoreRequest request, CancellationToken cancellationToken) => Translated(() =>
    {
        StateOfPast from = request.At is { } when ? _machine.Find(when) : FindBeforeEnd(request.Path);
        return Show(from, _machine.Restore(from, request.Path, request.To, request.Overwrite, cancellationToken), null);
    });

    /// <summary>
    /// Copies something to a folder of this machine. The daemon writes there itself, with its own rights, which are those of who asks: nobody else can connect.
    /// </summary>
    public Task<RestoreReply> CopyOutAsync(CopyRequest request, CancellationToken cancellationToken) => Task.Factory.StartNew(
        () => Translated(() => CopyOut(request, cancellationToken)), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Sets something back.</summary>
    public async Task<RestoreReply> RewindAsync(RestoreRequest request, CancellationToken cancellationToken)
    {
        StateOfPast to = Translated(() => _machine.Find(request.At ?? ""));
        (RestoreCount count, StateOfPast before) = await TranslatedAsync(() => _machine.RewindAsync(to, request.Path, cancellationToken));
        return Show(to, count, before);
    }

    /// <summary>What differs between two states.</summary>
    public CompareReply Compare(CompareRequest request, CancellationToken cancellationToken) => Translated(() =>
    {
        StateOfPast from = _machine.Find(request.From);
        StateOfPast? to = request.To is { } when ? _machine.Find(when) : null;
        IReadOnlyList<TreeChange> changes = _machine.Compare(from, to, request.Path, cancellationToken);
        return new CompareReply(Show(from), to is null ? null : Show(to), [.. changes.Select(Show)]);
    });

    /// <summary>The named states.</summary>
    public SnapshotList List() => new([.. _machine.Snapshots.Select(Show)]);

    /// <summary>Names the state of now.</summary>
    public async Task<SnapshotInfo> NameAsync(string? name, CancellationToken cancellationToken) => Show(await TranslatedAsync(() => _machine.NameAsync(name, cancellationToken)));

    /// <summary>Takes a name away.</summary>
    public async Task<SnapshotList> DropAsync(string name, CancellationToken cancellationToken)
    {
        await TranslatedAsync(async () =>
        {
            await _machine.DropAsync(name, cancellationToken);
            return true;
        });
        return List();
    }

    private RestoreReply CopyOut(CopyRequest request, CancellationToken cancellationToken)
    {
        if (!SeesFolder(request))
        {
            throw new DriveException(
                DriveError.NotReady,
                $"The daemon of '{name}' sees another folder at '{request.Folder}' than you do, since it runs in a container or with a /tmp of its own: say another --to DIR, or copy out of '.snapshots' on the drive.");
        }

        StateOfPast from = request.At is { } when ? _machine.Find(when) : FindBeforeEnd(request.Path);
        (IVolume past, NodeAttributes node) = _machine.Open(from, request.Path);
        string copy = Path.Combine(request.Folder, request.Path.Length > 0 ? Path.GetFileName(request.Path) : $"{name}@{from.Seq}");
        if (!request.Overwrite && TargetTree.Exists(SourcePath.Of(copy)))
        {
            throw new DriveException(DriveError.InUse, $"'{copy}' is there already: add --overwrite to replace it, or say another --to DIR.");
        }

        using TreeCopy tree = new(past, request.Overwrite, TimeProvider.System, cancellationToken);
        tree.Run(node, copy);
        return tree.Errors.Count == 0
            ? new RestoreReply(Show(from), tree.Files, tree.Folders, tree.Bytes, 0, null)
            : throw new DriveException(DriveError.LocalDisk, $"Not all could be copied: {tree.Errors.First()}{(tree.Errors.Count > 1 ? $" (and {tree.Errors.Count - 1} more)" : "")}");
    }

    private static bool SeesFolder(CopyRequest request)
    {
        try
        {
            SourceNode folder = SourceTree.Look(SourcePath.Of(request.Folder), follows: true);
            return folder.Device == request.Device && folder.Inode == request.Inode;
        }
        catch (TreeException)
        {
            return false;
        }
    }

    private StateOfPast FindBeforeEnd(string path)
    {
        IReadOnlyList<PathVersion> versions = _machine.Versions(path);
        if (versions is [.., { End: VersionEnd.None }])
        {
            throw new DriveException(DriveError.InUse, $"'{path}' is there: 'drive restore PATH --at TIME' brings an older version back; 'drive history PATH' shows them.");
        }

        return versions.Select(_machine.StateOf).LastOrDefault(static seq => seq is not null) is { } last
            ? _machine.Describe(last)
            : throw new DriveException(DriveError.NotFound, $"History knows nothing of '{path}': it was never in the store under this name, or so long ago that it is not kept.");
    }

    private VersionInfo Show(PathVersion version) => new()
    {
        Since = Epochs.IsProvisional(version.From) ? null : Show(_machine.Describe(version.From)),
        State = _machine.StateOf(version),
        Kind = FileMode.IsDirectory(version.Row.Mode) ? "folder" : FileMode.IsRegular(version.Row.Mode) ? "file" : FileMode.IsSymbolicLink(version.Row.Mode) ? "link" : "other",
        Size = version.Row.Size,
        Modified = DateTimeOffset.UnixEpoch.AddTicks(version.Row.ModifyTime / 100),
        End = Word(version.End),
        Ended = version.End == VersionEnd.None || Epochs.IsProvisional(version.To) ? null : Show(_machine.Describe(version.To)),
    };

    private static StateInfo Show(StateOfPast state) => new(state.Seq, state.Time, state.Device);

    private static RestoreReply Show(StateOfPast from, RestoreCount count, StateOfPast? before) =>
        new(Show(from), count.Files, count.Folders, count.Bytes, count.Removed, before is null ? null : Show(before));

    private static ChangeInfo Show(TreeChange change) => new(
        Word(change.Kind), Encoding.UTF8.GetString(change.Path), change.From is { } from ? Encoding.UTF8.GetString(from) : null, change.Before, change.After, change.IsDirectory);

    private static SnapshotInfo Show(VaultSnapshot snapshot) => new(snapshot.Name, snapshot.Seq, TimeMachine.TimeOf(snapshot));

#pragma warning disable CA1308 // words for people, not for comparison
    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
#pragma warning restore CA1308

    private static T Translated<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (FsException refusal)
        {
            throw Translate(refusal);
        }
    }

    private static async Task<T> TranslatedAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (FsException refusal)
        {
            throw Translate(refusal);
        }
        catch (VaultException refusal)
        {
            throw new DriveException(DriveError.NotReady, refusal.Message, refusal);
        }
    }

    private static DriveException Translate(FsException refusal) => new(
        refusal.Status switch
        {
            FsStatus.NotFound or FsStatus.Stale => DriveError.NotFound,
            FsStatus.Exists => DriveError.InUse,
            FsStatus.Invalid => DriveError.Usage,
            FsStatus.Unreachable => DriveError.StoreUnreachable,
            FsStatus.NoSpace => DriveError.LocalDisk,
            FsStatus.ReadOnly => DriveError.NotReady,
            _ => DriveError.Failed,
        },
        refusal.Message,
        refusal);
}
