namespace Drive.Control;

/// <summary>
/// Where things lie on this machine, by the XDG base directories; with DRIVE_HOME all of it under one directory. Nothing is made here.
/// </summary>
public sealed record DrivePaths
{
    /// <summary>Which vaults there are, and their keys when no keyring holds them.</summary>
    public required string Config { get; init; }

    /// <summary>Metadata, the dirty log, locks and the log files: what must not be lost.</summary>
    public required string State { get; init; }

    /// <summary>The block cache: may be deleted while nothing is mounted.</summary>
    public required string Cache { get; init; }

    /// <summary>The vault that the first <c>drive up</c> makes.</summary>
    public required string Data { get; init; }

    /// <summary>Control sockets.</summary>
    public required string Run { get; init; }

    /// <summary>The user's home directory.</summary>
    public required string Home { get; init; }

    /// <summary>Whether DRIVE_HOME put all of it in one place, so nothing (no keyring either) may lie elsewhere.</summary>
    public bool IsSelfContained { get; init; }

    /// <summary>The file that lists the vaults.</summary>
    public string ConfigFile => Path.Combine(Config, "vaults.json");

    /// <summary>Key files, one a vault.</summary>
    public string Keys => Path.Combine(Config, "keys");

    /// <summary>Where running daemons say where they are.</summary>
    public string Daemons => Path.Combine(State, "daemons");

    /// <summary>Log files, one a vault.</summary>
    public string Logs => Path.Combine(State, "logs");

    /// <summary>The paths of this process.</summary>
    public static DrivePaths FromEnvironment() =>
        Resolve(Environment.GetEnvironmentVariable, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    /// <summary>The paths that an environment gives. Relative XDG values are ignored, as its specification asks.</summary>
    public static DrivePaths Resolve(Func<string, string?> environment, string home)
    {
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(home);
        if (environment("DRIVE_HOME") is { Length: > 0 } driveHome)
        {
            string root = Path.GetFullPath(driveHome);
            return new DrivePaths
            {
                Config = Path.Combine(root, "config"),
                State = Path.Combine(root, "state"),
                Cache = Path.Combine(root, "cache"),
                Data = Path.Combine(root, "data"),
                Run = Path.Combine(root, "run"),
                Home = home,
                IsSelfContained = true,
            };
        }

        string state = Base("XDG_STATE_HOME", ".local/state");
        return new DrivePaths
        {
            Config = Base("XDG_CONFIG_HOME", ".config"),
            State = state,
            Cache = Base("XDG_CACHE_HOME", ".cache"),
            Data = Base("XDG_DATA_HOME", ".local/share"),
            Run = environment("XDG_RUNTIME_DIR") is { } run && Path.IsPathRooted(run) && Directory.Exists(run)
                ? Path.Combine(run, "drive")
                : Path.Combine(state, "run"),
            Home = home,
        };

        string Base(string variable, string fallback) => environment(variable) is { } value && Path.IsPathRooted(value)
            ? Path.Combine(value, "drive")
            : Path.Combine(home, fallback, "drive");
    }

    /// <summary>The state directory of one vault on this machine.</summary>
    public string StateOf(string vaultId) => Path.Combine(State, "vaults", vaultId);

    /// <summary>What this machine backs up into one vault. Beside its state, which may be built anew.</summary>
    public string BackupsOf(string vaultId) => Path.Combine(State, "backups", vaultId);

    /// <summary>The block cache of one vault.</summary>
    public string CacheOf(string vaultId) => Path.Combine(Cache, vaultId);

    /// <summary>The log file of one vault's daemon.</summary>
    public string LogOf(string name) => Path.Combine(Logs, name + ".log");
}
