using Drive.Benchmarks.Platform;

namespace Drive.Benchmarks.Backups;

/// <summary>A program that keeps backups of a folder in a store on this disk, encrypted and compressed. Everything of it lies below its home.</summary>
internal abstract class BackupSide(string name, string home) : IDisposable
{
    public string Name { get; } = name;

    /// <summary>Whether a whole tree can be brought back by it.</summary>
    public virtual bool Restores => true;

    protected string Home { get; } = home;

    /// <summary>Where its store lies.</summary>
    protected string Store => Path.Combine(Home, "store");

    /// <summary>Makes an empty store.</summary>
    public abstract void Begin(string tree);

    /// <summary>Backs the tree up, and returns when it is safe in the store.</summary>
    public abstract ChildUsage BackUp(string tree);

    /// <summary>Whatever is to be done before a restore, and is no part of it.</summary>
    public virtual void BeforeRestore()
    {
    }

    /// <summary>Brings the last state of the tree to an empty folder; says where it lies there.</summary>
    public abstract (ChildUsage Usage, string Tree) Restore(string tree, string to);

    /// <summary>Bytes of the store.</summary>
    public long StoreBytes() => new DirectoryInfo(Store).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length);

    public virtual void Dispose()
    {
    }
}

/// <summary>restic with its defaults: encrypted always, and compressed ("auto").</summary>
internal sealed class ResticSide(string home) : BackupSide(Program, home)
{
    public const string Program = "restic";

    private readonly Dictionary<string, string> _variables = new()
    {
        ["RESTIC_REPOSITORY"] = Path.Combine(home, "store"),
        ["RESTIC_PASSWORD"] = "benchmark",
        ["RESTIC_CACHE_DIR"] = Path.Combine(home, "cache"),
    };

    public override void Begin(string tree)
    {
        Directory.CreateDirectory(Home);
        Call("init", "--repository-version", "2");
    }

    public override ChildUsage BackUp(string tree) => Call("backup", "--quiet", "--compression", "auto", tree);

    public override (ChildUsage Usage, string Tree) Restore(string tree, string to) =>
        (Call("restore", "latest", "--quiet", "--target", to), to + tree);

    private ChildUsage Call(params string[] arguments) => Child.Run(Program, arguments, _variables, Home);
}

/// <summary>borg with a key in the repository and BLAKE2, and zstd at its lowest level, which is nearest to what the drive does.</summary>
internal sealed class BorgSide(string home) : BackupSide(Program, home)
{
    public const string Program = "borg";

    private readonly Dictionary<string, string> _variables = new()
    {
        ["BORG_REPO"] = Path.Combine(home, "store"),
        ["BORG_PASSPHRASE"] = "benchmark",
        ["BORG_BASE_DIR"] = Path.Combine(home, "base"),
    };

    private int _archives;

    public override void Begin(string tree)
    {
        Directory.CreateDirectory(Path.Combine(Home, "base"));
        Call(Home, "init", "--encryption", "repokey-blake2");
    }

    public override ChildUsage BackUp(string tree) => Call(Home, "create", "--compression", "zstd,1", $"::{++_archives}", tree);

    public override (ChildUsage Usage, string Tree) Restore(string tree, string to) => (Call(to, "extract", $"::{_archives}"), to + tree);

    private ChildUsage Call(string directory, params string[] arguments) => Child.Run(Program, arguments, _variables, directory);
}
