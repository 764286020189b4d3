using System.Globalization;

namespace Drive.Benchmarks;

/// <summary>What a run is to do.</summary>
internal sealed record Options
{
    public const string Usage = """
        Usage: benchmarks/run [--cloud | --backup | --growth] [OPTION...]
          --bytes SIZE      of the large file, e.g. 64MiB (1GiB; --cloud 256MiB); --backup: of the tree (300MiB, at least 1 KiB a file)
          --files N         small files (10000; --cloud 1000; --backup 20000; --growth 1000000)
          --rounds N        rounds; tables show medians (3)
          --only A,B        of large, small, tree, programs, mount; with --backup of unchanged, changed, restore; with --growth of tree, directory, sparse, commits, packs
          --peers A,B       of rclone, gocryptfs, bindfs; with --backup of unmounted, restic, borg; 'none' for none (all that are installed)
          --quick           64MiB, 500 files, one round: shows that it works, not how fast
          --transport T     the way of the drive's requests from the kernel, device or uring; the latter as root, and allowed until the machine starts anew (what the machine offers)
          --latency TIME    --cloud: of the store (30ms)
          --rate SIZE       --cloud: of the link, by the second (50MiB)
          --at DIRECTORY    where to work, on the disk that is to be measured (the directory for temporary files)
          --json FILE       all figures (artifacts/benchmarks/MODE.json)
          --chart FILE      a picture, SVG (artifacts/benchmarks/MODE.svg)
        """;

    public required string Program { get; init; }

    public string Mode { get; init; } = "local";

    public long? Bytes { get; init; }

    public int? Files { get; init; }

    public int Rounds { get; init; } = 3;

    public IReadOnlyList<string> Only { get; init; } = [];

    public IReadOnlyList<string>? Peers { get; init; }

    public string? Transport { get; init; }

    public string Latency { get; init; } = "30ms";

    public string Rate { get; init; } = "50MiB";

    public string At { get; init; } = Path.GetTempPath();

    public string? Json { get; init; }

    public string? Chart { get; init; }

    public bool Wants(string name) => Only.Count == 0 || Only.Contains(name);

    /// <summary>From the command line; a <see cref="FormatException"/> says what is wrong with it.</summary>
    public static Options Parse(string[] arguments)
    {
        Options options = new() { Program = "" };
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            string Value() => ++i < arguments.Length ? arguments[i] : throw new FormatException($"{name} wants a value.");
            options = name switch
            {
                "--drive" => options with { Program = Value() },
                "--cloud" => options with { Mode = "cloud" },
                "--backup" => options with { Mode = "backup" },
                "--growth" => options with { Mode = "growth" },
                "--quick" => options with { Bytes = options.Bytes ?? 64 << 20, Files = options.Files ?? 500, Rounds = 1 },
                "--bytes" => options with { Bytes = Size(Value()) },
                "--files" => options with { Files = (int)Number(Value()) },
                "--rounds" => options with { Rounds = (int)Number(Value()) },
                "--only" => options with { Only = Value().Split(',') },
                "--peers" => options with { Peers = Value().Split(',') },
                "--transport" => options with { Transport = Value() },
                "--latency" => options with { Latency = Value() },
                "--rate" => options with { Rate = Value() },
                "--at" => options with { At = Path.GetFullPath(Value()) },
                "--json" => options with { Json = Path.GetFullPath(Value()) },
                "--chart" => options with { Chart = Path.GetFullPath(Value()) },
                _ => throw new FormatException($"There is no option {name}."),
            };
        }

        return options.Program.Length > 0 ? options : throw new FormatException("Where is the program? benchmarks/run says so.");
    }

    private static long Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number > 0
            ? number
            : throw new FormatException($"'{text}' is no number above 0.");

    private static long Size(string text)
    {
        foreach ((string unit, int shift) in new[] { ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40) })
        {
            if (text.EndsWith(unit, StringComparison.Ordinal))
            {
                return Number(text[..^unit.Length]) << shift;
            }
        }

        throw new FormatException($"'{text}' is no size: write it with a unit, such as 64MiB.");
    }
}
