using Drive.Control;

namespace Drive.Cli;

/// <summary>Finds the daemons that run, by name or by mount point.</summary>
internal static class Running
{
    /// <summary>The daemon of a vault, or null when it is not mounted.</summary>
    public static async Task<ControlClient?> FindAsync(DrivePaths paths, string name, CancellationToken cancellationToken) =>
        DaemonRecords.Find(paths, name) is { } record ? await ControlClient.TryConnectAsync(record, cancellationToken) : null;

    /// <summary>All daemons that answer.</summary>
    public static async Task<IReadOnlyList<ControlClient>> AllAsync(DrivePaths paths, CancellationToken cancellationToken)
    {
        List<ControlClient> clients = [];
        foreach (DaemonRecord record in DaemonRecords.All(paths))
        {
            if (await ControlClient.TryConnectAsync(record, cancellationToken) is { } client)
            {
                clients.Add(client);
            }
        }

        return clients;
    }

    /// <summary>The record that a name or a mount point means, running or stale; null when there is none. A name goes before a path.</summary>
    public static DaemonRecord? Record(DrivePaths paths, string nameOrDirectory)
    {
        IReadOnlyList<DaemonRecord> records = DaemonRecords.All(paths);
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(nameOrDirectory));
        return records.FirstOrDefault(record => record.Name == nameOrDirectory) ?? records.FirstOrDefault(record => record.Mountpoint == full);
    }

    /// <summary>The daemon whose drive a path lies on, and the path below its mount point; a refusal when there is none.</summary>
    public static async Task<(ControlClient Drive, string Below)> AtPathAsync(DrivePaths paths, string path, CancellationToken cancellationToken)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        DaemonRecord? record = DaemonRecords.All(paths)
            .Where(record => full == record.Mountpoint || full.StartsWith(record.Mountpoint + '/', StringComparison.Ordinal))
            .MaxBy(static record => record.Mountpoint.Length);
        return record is not null && await ControlClient.TryConnectAsync(record, cancellationToken) is { } drive
            ? (drive, full[record.Mountpoint.Length..].Trim('/'))
            : throw new DriveException(DriveError.NotFound, $"'{path}' does not lie on a mounted drive: 'drive list' shows where drives are mounted.");
    }

    /// <summary>The one that is mounted; a refusal when none is, or when it is not clear which.</summary>
    public static async Task<ControlClient> OnlyAsync(DrivePaths paths, string command, CancellationToken cancellationToken)
    {
        IReadOnlyList<ControlClient> all = await AllAsync(paths, cancellationToken);
        if (all.Count == 1)
        {
            return all[0];
        }

        foreach (ControlClient client in all)
        {
            client.Dispose();
        }

        throw all.Count == 0
            ? new DriveException(DriveError.NotFound, "Nothing is mounted: 'drive up' or 'drive mount NAME DIR' first; 'drive list' shows the vaults.")
            : new DriveException(DriveError.Usage, $"Which one? Mounted are {string.Join(", ", all.Select(client => client.Daemon.Name))}: 'drive {command} NAME'.");
    }

    /// <summary>The daemon of a named vault, or a refusal.</summary>
    public static async Task<ControlClient> GetAsync(DrivePaths paths, string name, CancellationToken cancellationToken) =>
        await FindAsync(paths, name, cancellationToken)
        ?? throw new DriveException(DriveError.NotFound, $"'{name}' is not mounted: 'drive mount {name} DIR' first; 'drive list' shows the vaults.");
}
