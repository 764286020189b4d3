using System.Globalization;
using Drive.Backup;
using Drive.Backup.Patterns;
using Drive.Backup.Schedules;
using Drive.Control;
using Drive.Core.History;
using Drive.Core.Volumes;
using Drive.Service.Setup;

namespace Drive.Service.Backups;

/// <summary>
/// What people ask about the backup sets of this machine in one vault. Refusals become <see cref="DriveException"/>. Owner: the open drive; it owns the scheduler.
/// </summary>
internal sealed class BackupDesk(string store, BackupSets sets, BackupScheduler scheduler, BackupRunner runner, TimeProvider time) : IBackups, IAsyncDisposable
{
    /// <summary>A set that only runs when told is an error after so many days. Arbitrary.</summary>
    private const int StaleDaysByHand = 30;

    /// <summary>Lets schedules run. Without it sets run only when told.</summary>
    public void Start() => scheduler.Start();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => scheduler.DisposeAsync();

    /// <summary>How all sets stand; in what cannot be read there are none.</summary>
    public IReadOnlyList<BackupStanding> StandAll()
    {
        try
        {
            return [.. sets.All().Select(Stand)];
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or FormatException)
        {
            return [new BackupStanding { Name = "backup", State = "failed", IsError = true, Problem = exception.Message }];
        }
    }

    /// <inheritdoc/>
    public Task<BackupSetList> ListSetsAsync(CancellationToken cancellationToken) => AnswerAsync(() => Task.FromResult(new BackupSetList([.. sets.All().Select(BackupWords.Tell)])));

    /// <inheritdoc/>
    public Task<BackupStandings> StandAsync(string? name, CancellationToken cancellationToken) =>
        AnswerAsync(() => Task.FromResult(new BackupStandings(name is null ? [.. sets.All().Select(Stand)] : [Stand(Get(name))])));

    /// <inheritdoc/>
    public Task<BackupStandings> AddSetAsync(BackupSetInfo set, CancellationToken cancellationToken) => AnswerAsync(() =>
    {
        BackupSet added = Check(set);
        if (sets.Find(added.Name) is not null)
        {
            throw new DriveException(DriveError.InUse, $"There is a set '{added.Name}' already: 'drive backup remove {added.Name}' first (what is in the vault stays), or take another name.");
        }

        sets.Put(added);
        scheduler.LookSoon();
        return Task.FromResult(new BackupStandings([Stand(added)]));
    });

    /// <inheritdoc/>
    public Task<BackupStandings> SetPausedAsync(string name, bool isPaused, CancellationToken cancellationToken) => AnswerAsync(() =>
    {
        BackupSet changed = Get(name) with { IsPaused = isPaused };
        sets.Put(changed);
        scheduler.LookSoon();
        return Task.FromResult(new BackupStandings([Stand(changed)]));
    });

    /// <inheritdoc/>
    public Task<BackupSetList> RemoveSetAsync(string name, CancellationToken cancellationToken) => AnswerAsync(() =>
    {
        if (scheduler.Stand(Get(name)).Running is not null)
        {
            throw new DriveException(DriveError.InUse, $"'{name}' runs just now: remove it when that is through; 'drive backup status {name}' shows how far it is.");
        }

        if (sets.Reports(name).Any(BackupWords.IsOpen))
        {
            throw new DriveException(DriveError.NotReady, $"A run of '{name}' is suspicious, and the vault forgets nothing for it: look, then 'drive backup accept {name}', and remove it after that.");
        }

        sets.Remove(name);
        scheduler.LookSoon();
        return Task.FromResult(new BackupSetList([.. sets.All().Select(BackupWords.Tell)]));
    });

    /// <inheritdoc/>
    public Task<BackupRunInfo> RunSetAsync(BackupRunRequest request, Action<BackupProgressInfo> progress, CancellationToken cancellationToken) => AnswerAsync(async () =>
    {
        BackupReport report = await scheduler.RunNowAsync(Get(request.Name), request.Paranoid, where => progress(BackupWords.Tell(where)), cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return BackupWords.Tell(report);
    });

    /// <inheritdoc/>
    public Task<BackupVerifyInfo> VerifySetAsync(BackupVerifyRequest request, CancellationToken cancellationToken) => AnswerAsync(async () =>
    {
        if (request.Percent is < 1 or > 100)
        {
            throw new DriveException(DriveError.Usage, $"{request.Percent} is no share: write --percent with a number from 1 to 100.");
        }

        string? name = request.Name is { } asked ? Get(asked).Name : null;
        VerifyReport report = await runner.VerifyAsync(name, request.Percent, cancellationToken);
        if (report is { DamagedCount: 0, BytesRead: > 0 })
        {
            Proven(name, report.Ended);
        }

        return BackupWords.Tell(report);
    });

    /// <inheritdoc/>
    public Task<BackupStandings> AcceptSetAsync(string name, CancellationToken cancellationToken) => AnswerAsync(async () =>
    {
        BackupSet set = Get(name);
        if (!sets.Reports(name).Any(BackupWords.IsOpen))
        {
            throw new DriveException(DriveError.NotFound, $"No run of '{name}' is suspicious: there is nothing to accept.");
        }

        await runner.AcceptAsync(name, cancellationToken);
        return new BackupStandings([Stand(set)]);
    });

    /// <summary>The set that a request describes, or a refusal that says what is wrong with it.</summary>
    internal BackupSet Check(BackupSetInfo asked)
    {
        if (!VaultName.IsValid(asked.Name))
        {
            throw new DriveException(DriveError.Usage, $"'{asked.Name}' can't name a set: use 1 to {VaultName.CharactersMax} letters, digits, '-', '_' or '.', and start with a letter or digit.");
        }

        string[] paths = [.. asked.Paths.Select(static path => Path.IsPathRooted(path) ? path.Length > 1 ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) : path : throw Usage($"'{path}' is no absolute path."))];
        if (paths.Length == 0)
        {
            throw Usage("A set needs at least one folder: 'drive backup add NAME PATH...'.");
        }

        if (paths.FirstOrDefault(static path => !Path.Exists(path)) is { } missing)
        {
            throw new DriveException(DriveError.NotFound, $"'{missing}' is not there: look at the path.");
        }

        if (paths.SelectMany((path, i) => paths.Where((other, j) => i != j && IsIn(path, other)).Select(other => (Inner: path, Outer: other))).FirstOrDefault() is { Inner: { } inner, Outer: var outer })
        {
            throw Usage(inner == outer ? $"'{inner}' is named twice: leave one out." : $"'{inner}' lies in '{outer}': leave it out, it is backed up with that.");
        }

        if (asked.Webhook is { } address && !(Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"))
        {
            throw Usage($"'{address}' is no address of the web: write https://….");
        }

        Schedule? schedule = Parsed(asked.Schedule, Schedule.Parse);
        DateTimeOffset now = time.GetUtcNow();
        return new BackupSet
        {
            Name = asked.Name,
            Paths = paths,
            Excludes = asked.Excludes,
            Presets = [.. asked.Presets.Select(static name => Parsed(name, Preset.Get)!.Name).Distinct()],
            FileBytesMax = asked.MaxSize,
            IsOneFileSystem = asked.OneFileSystem,
            Schedule = schedule?.ToString(),
            Keep = Parsed(asked.Keep, RetentionRule.Parse)?.ToString(),
            IsPaused = asked.Paused,
            Created = now,
            StaleDays = asked.StaleDays ?? schedule?.StaleDays(now) ?? StaleDaysByHand,
            OnFailure = asked.OnFailure,
            Webhook = asked.Webhook,
        };
    }

    private static bool IsIn(string path, string folder) => folder == "/" || path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);

    private static T? Parsed<T>(string? text, Func<string, T> parse)
        where T : class
    {
        try
        {
            return text is null ? null : parse(text);
        }
        catch (FormatException refusal)
        {
            throw new DriveException(DriveError.Usage, refusal.Message, refusal);
        }
    }

    private static DriveException Usage(string message) => new(DriveError.Usage, message);

    // What was read back stands in the report of the run that it belongs to.
    private void Proven(string? name, DateTimeOffset when)
    {
        foreach (BackupSet set in name is null ? sets.All() : [Get(name)])
        {
            if (sets.Reports(set.Name) is [var last, ..] && last.Outcome != BackupOutcome.Failed)
            {
                sets.AddReport(last with { Proven = when });
            }
        }
    }

    private BackupStanding Stand(BackupSet set)
    {
        (BackupProgress? running, string? waits, DateTimeOffset? next) = scheduler.Stand(set);
        return BackupWords.Stand(set, sets.Reports(set.Name), running, waits, next, time.GetUtcNow());
    }

    private BackupSet Get(string name) => sets.Find(name) ?? throw new DriveException(DriveError.NotFound, sets.All() is { Count: > 0 } others
        ? $"There is no set '{name}': there are {string.Join(", ", others.Select(static set => set.Name))}."
        : $"There is no set '{name}', nor any other: 'drive backup add {name} PATH...' makes it.");

    private Task<T> AnswerAsync<T>(Func<Task<T>> work) => VaultErrors.TranslatedAsync(store, async () =>
    {
        try
        {
            return await work();
        }
        catch (FsException refusal)
        {
            throw new DriveException(refusal.Status == FsStatus.Unreachable ? DriveError.StoreUnreachable : DriveError.Failed, refusal.Message, refusal);
        }
        catch (Exception refusal) when (refusal is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new DriveException(DriveError.LocalDisk, refusal.Message, refusal);
        }
    });
}
