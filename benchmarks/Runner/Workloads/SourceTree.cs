using System.Globalization;
using System.Text;
using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Workloads;

/// <summary>A tree of source text as people have it, made from a seed: unpacked, kept in git, searched; and a folder of mixed files, copied in.</summary>
internal sealed class SourceTree(int files, long mixedBytes, Recorder recorder)
{
    private const string Needle = "a needle that stands in one file";
    private static readonly string[] Words = ["public", "static", "return", "value", "index", "buffer", "if", "(", ")", "{", "}", ";", "=", "offset", "length", "await", "node", "string", "// why", "\n"];

    private static readonly Measure Untar = new("untar a source tree", "file/s", Target.RatioAtLeast(0.6));
    private static readonly Measure Commit = new("git add + commit", "s", Target.RatioAtMost(2));
    private static readonly Measure Status = new("git status", "s", Target.RatioAtMost(3));
    private static readonly Measure Checkout = new("git checkout, every second file differs", "s", Target.RatioAtMost(1.7));
    private static readonly Measure Grep = new("grep -r, kernel caches dropped", "file/s", Target.RatioAtLeast(0.7));
    private static readonly Measure Copy = new("copy in a folder of mixed files", "MiB/s", Target.RatioAtLeast(0.6));

    private static readonly Dictionary<string, string> GitVariables = new()
    {
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_AUTHOR_NAME"] = "b",
        ["GIT_AUTHOR_EMAIL"] = "b@example.org",
        ["GIT_COMMITTER_NAME"] = "b",
        ["GIT_COMMITTER_EMAIL"] = "b@example.org",
    };

    private string _archive = "";
    private string _mixed = "";
    private double _mixedMiB;

    /// <summary>Makes the archive and the mixed files in a folder that no side lies in; others for each round, else a store that knows equal blocks would have nothing to do.</summary>
    public void Prepare(string home, int round)
    {
        if (Directory.Exists(Path.Combine(home, "source")))
        {
            Directory.Delete(Path.Combine(home, "source"), recursive: true);
        }

        Random random = new(3 + round);
        string tree = Directory.CreateDirectory(Path.Combine(home, "source", "tree")).FullName;
        for (int i = 0; i < files; i++)
        {
            string folder = Directory.CreateDirectory(Path.Combine(tree, $"part{i / 400}", $"unit{i / 20 % 20}")).FullName;

            // From some hundred bytes to 64 KiB, most of them small, 5 KiB on average.
            int length = (int)(400 * Math.Pow(160, random.NextDouble() * random.NextDouble()));
            File.WriteAllText(Path.Combine(folder, $"file{i}.cs"), Text(random, length) + (i == files / 2 ? Needle : ""));
        }

        _archive = Path.Combine(home, "source", "tree.tar");
        Shell.Run("tar", ["-cf", _archive, "-C", Path.Combine(home, "source"), "tree"]);
        _mixed = Directory.CreateDirectory(Path.Combine(home, "source", "mixed")).FullName;
        Noise noise = new(1000 + round);
        long total = 0;
        for (int i = 0; total < mixedBytes; i++)
        {
            // From 1 KiB to 8 MiB, equally likely at each scale: many small ones, most bytes in few large ones.
            int length = (int)Math.Min(1024 * Math.Pow(8192, random.NextDouble()), mixedBytes - total + 1);
            using FileStream file = File.Create(Path.Combine(Directory.CreateDirectory(Path.Combine(_mixed, $"{i / 50}")).FullName, $"{i}.dat"));
            for (int left = length; left > 0; left -= Noise.MiB)
            {
                file.Write(noise.Next(Math.Min(left, Noise.MiB)));
            }

            total += length;
        }

        _mixedMiB = total / (double)Noise.MiB;
    }

    public void Run(Side side)
    {
        string root = Path.Combine(side.Root, "work");
        string tree = Path.Combine(root, "tree");
        Directory.CreateDirectory(root);
        side.Settle();
        recorder.Time(Untar, side, files, () => Shell.Run("tar", ["-xf", _archive, "-C", root]));
        if (Machine.CanDropCaches)
        {
            side.Settle();
            Machine.DropCaches();
            recorder.Time(Grep, side, files, () => Shell.Line("grep -rF -- \"$1\" \"$2\" > /dev/null", Needle, tree));
        }

        if (Shell.Has("git"))
        {
            RunGit(side, tree);
        }

        side.Settle();
        recorder.Time(Copy, side, _mixedMiB, () => Shell.Run("cp", ["-r", _mixed, Path.Combine(root, "mixed")]));
        side.Settle();
        recorder.Try(Copy, side, () => Shell.Run("rm", ["-rf", root]));
        side.Settle();
    }

    private void RunGit(Side side, string tree)
    {
        recorder.Try(Commit, side, () => Git(tree, "init", "-q"));
        recorder.Time(Commit, side, 1, () =>
        {
            Git(tree, "add", "-A");
            Git(tree, "commit", "-qm", "one");
        });
        recorder.TimeShort(Status, side, 1, () => Git(tree, "status", "--porcelain"));
        recorder.Try(Checkout, side, () =>
        {
            foreach (string path in Directory.EnumerateFiles(tree, "*.cs", SearchOption.AllDirectories).Where(static path => path[^4] % 2 == 0))
            {
                File.AppendAllText(path, "changed\n");
            }

            Git(tree, "commit", "-qam", "two");
        });
        recorder.Time(Checkout, side, 1, () => Git(tree, "checkout", "-q", "HEAD~1"));
    }

    private static void Git(string tree, params string[] arguments) => Shell.Run("git", ["-C", tree, .. arguments], GitVariables);

    private static string Text(Random random, int length)
    {
        StringBuilder text = new(length + 20);
        while (text.Length < length)
        {
            text.Append(Words[random.Next(Words.Length)]).Append(' ');
            if (random.Next(4) == 0)
            {
                text.Append(random.Next(100_000).ToString("x", CultureInfo.InvariantCulture)).Append(' ');
            }
        }

        return text.Append('\n').ToString();
    }
}
