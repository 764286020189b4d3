using System.Globalization;
using System.Text;
using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Workloads;

/// <summary>What programs do that care for their data: SQLite in three modes, and an editor that saves safely.</summary>
internal sealed class Programs(int rows, int saves, Recorder recorder)
{
    private const int SavedBytes = 16 << 10;

    private static readonly Measure OneTransaction = new("SQLite, one big transaction", "row/s", Target.RatioAtLeast(0.8));
    private static readonly Measure EachRow = new("SQLite, a commit a row", "row/s", Target.RatioAtLeast(0.7));
    private static readonly Measure WriteAhead = new("SQLite, a commit a row, WAL", "row/s", Target.RatioAtLeast(0.9));
    private static readonly Measure Save = new("save 16 KiB safely: write, fsync, rename", "op/s", Target.RatioAtLeast(0.8));

    private readonly Noise _noise = new(5);

    public void Run(Side side)
    {
        side.Settle();
        if (Shell.Has("sqlite3"))
        {
            Database(OneTransaction, side, "", rows * 40, isOneTransaction: true);
            Database(EachRow, side, "", rows, isOneTransaction: false);
            Database(WriteAhead, side, "PRAGMA journal_mode=WAL;", rows, isOneTransaction: false);
        }

        string path = Path.Combine(side.Root, "document");
        recorder.Time(Save, side, saves, () =>
        {
            for (int i = 0; i < saves; i++)
            {
                string temporary = path + ".tmp";
                int file = Posix.Open(temporary, Posix.CreateNew);
                Posix.Write(file, _noise.Next(SavedBytes));
                Posix.Sync(file);
                Posix.Close(file);
                Posix.Rename(temporary, path);
            }
        });
        File.Delete(path);
        side.Settle();
    }

    private void Database(Measure measure, Side side, string pragma, int count, bool isOneTransaction)
    {
        string path = Path.Combine(side.Root, "data.db");
        StringBuilder script = new(pragma);
        script.Append("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, body BLOB);").Append(isOneTransaction ? "BEGIN;" : "");
        for (int i = 0; i < count; i++)
        {
            script.Append(CultureInfo.InvariantCulture, $"INSERT INTO t(name, body) VALUES('row {i}', randomblob(200));");
        }

        script.Append(isOneTransaction ? "COMMIT;" : "");
        recorder.Time(measure, side, count, () => Shell.Run("sqlite3", [path], input: script.ToString()));
        foreach (string file in Directory.GetFiles(side.Root, "data.db*"))
        {
            File.Delete(file);
        }
    }
}
