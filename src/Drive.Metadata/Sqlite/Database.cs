using Drive.Core.Platform;

using Drive.Core;
using SQLitePCL;

namespace Drive.Metadata.Sqlite;

/// <summary>
/// One SQLite connection that owns its file alone (locking_mode EXCLUSIVE): it writes and it checkpoints, so the WAL-reset fault of
/// SQLite before 3.51.3, which needs two connections, cannot meet it. Commits are durable on return (WAL, synchronous FULL) unless
/// <see cref="FlushCommits"/> said that they need not be; a durable one makes all before it durable. Not for several threads.
/// </summary>
internal sealed class Database : IDisposable
{
    // SQLITE_DBCONFIG_ENABLE_QPSG
    private const int EnableQueryPlannerStability = 1007;

    private readonly sqlite3 _handle;
    private readonly List<Statement> _statements = [];
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;
    private bool _flushes = true;

    static Database() => Batteries_V2.Init();

    private Database(sqlite3 handle)
    {
        _handle = handle;
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
    }

    public static string Version => raw.sqlite3_libversion().utf8_to_string();

    public static Database Open(string path, MetadataOptions options)
    {
        int code = raw.sqlite3_open_v2(
            path, out sqlite3 handle, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX, options.Vfs);
        try
        {
            Check(handle, code);
            Check(handle, raw.sqlite3_extended_result_codes(handle, 1));
            Execute(handle, "PRAGMA locking_mode = EXCLUSIVE");
            Execute(handle, "PRAGMA page_size = 4096");
            Execute(handle, "PRAGMA mmap_size = 0");
            Execute(handle, "PRAGMA temp_store = MEMORY");
            Execute(handle, "PRAGMA trusted_schema = OFF");
            Execute(handle, "PRAGMA cell_size_check = ON");

            // Else SQLite compiles each statement with 'LIMIT ?' anew for each value that is bound, in the hope of a better plan: that cost more than running it.
            Check(handle, raw.sqlite3_db_config(handle, EnableQueryPlannerStability, 1, out _));
            Execute(handle, $"PRAGMA cache_size = -{options.CacheKiB}");
            SetWal(handle);
            Execute(handle, Mistakes.Has(Mistake.DatabaseNotFlushed) ? "PRAGMA synchronous = OFF" : "PRAGMA synchronous = FULL");
            Execute(handle, $"PRAGMA wal_autocheckpoint = {options.CheckpointPages}");
            // 64 MiB: one huge batch must not leave a huge WAL behind.
            Execute(handle, "PRAGMA journal_size_limit = 67108864");
            return new Database(handle);
        }
        catch
        {
            handle?.Dispose();
            throw;
        }
    }

    /// <summary>A statement that lives as long as the connection.</summary>
    public Statement Prepare(string sql)
    {
        Check(_handle, raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out sqlite3_stmt handle));
        var statement = new Statement(_handle, handle);
        _statements.Add(statement);
        return statement;
    }

    public void Execute(string sql) => Execute(_handle, sql);

    public void Begin() => _begin.Run();

    public void Commit() => _commit.Run();

    /// <summary>
    /// Whether the next commits are durable on return. If not, a power cut leaves the state after one of the commits since the last durable one, whole (WAL, synchronous NORMAL).
    /// Not within a transaction.
    /// </summary>
    public void FlushCommits(bool flush)
    {
        if (_flushes != flush)
        {
            Execute(flush && !Mistakes.Has(Mistake.DatabaseNotFlushed) && !Mistakes.Has(Mistake.DatabaseLeftBehind) ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            _flushes = flush;
        }
    }

    /// <summary>Ends a transaction without its changes; SQLite may have done so already.</summary>
    public void Rollback()
    {
        if (raw.sqlite3_get_autocommit(_handle) == 0)
        {
            _rollback.Run();
        }
    }

    /// <summary>All pages, those that are still in the WAL as well.</summary>
    public long LengthBytes() => Ask("PRAGMA page_count") * Ask("PRAGMA page_size");

    /// <summary>The schema's version; nothing is checked besides the first page.</summary>
    public int ReadVersion()
    {
        Statement statement = Prepare("PRAGMA user_version");
        int version = statement.Step() ? statement.Int(0) : 0;
        statement.Reset();
        return version;
    }

    /// <summary>The first finding of a check of all pages, or null.</summary>
    public string? QuickCheck()
    {
        Statement check = Prepare("PRAGMA quick_check(1)");
        string finding = check.Step() ? check.Text(0) : "no answer";
        check.Reset();
        return finding == "ok" ? null : finding;
    }

    public void Dispose()
    {
        foreach (Statement statement in _statements)
        {
            statement.Dispose();
        }

        _handle.Dispose();
    }

    private long Ask(string pragma)
    {
        Statement statement = Prepare(pragma);
        statement.Step();
        long answer = statement.Long(0);
        statement.Reset();
        return answer;
    }

    internal static void Check(sqlite3 handle, int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            throw Error(handle, code);
        }
    }

    private static Exception Error(sqlite3 handle, int code)
    {
        string text = $"{(handle is null || handle.IsInvalid ? "" : raw.sqlite3_errmsg(handle).utf8_to_string())} (SQLite {code})";
        return (code & 0xFF) switch
        {
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_FORMAT => new MetadataCorruptException(
                $"The local database is damaged: {text}.."),
            raw.SQLITE_FULL => new DiskFullException($"No room for the local database: {text}"),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new IOException($"Another process holds the local database: {text}"),
            raw.SQLITE_CONSTRAINT or raw.SQLITE_MISUSE or raw.SQLITE_ERROR or raw.SQLITE_RANGE or raw.SQLITE_MISMATCH =>
                new InvalidOperationException($"The local database refused a change: {text}"),
            raw.SQLITE_NOMEM => new InsufficientMemoryException($"No memory for the local database: {text}"),
            _ => new IOException($"The local database failed: {text}"),
        };
    }

    private static void Execute(sqlite3 handle, string sql) => Check(handle, raw.sqlite3_exec(handle, sql));

    /// <summary>SQLite answers with the mode that it has now, and with no error when that is another one.</summary>
    private static void SetWal(sqlite3 handle)
    {
        Check(handle, raw.sqlite3_prepare_v2(handle, "PRAGMA journal_mode = WAL", out sqlite3_stmt statement));
        using var pragma = new Statement(handle, statement);
        if (!pragma.Step() || pragma.Text(0) != "wal")
        {
            throw new IOException("The local database cannot use a write-ahead log on this disk. Put the state directory on a local disk.");
        }
    }
}
