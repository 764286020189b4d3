using Drive.Core.Rows;
using Drive.Core.Volumes;

using SQLitePCL;

namespace Drive.Metadata.Sqlite;

/// <summary>A prepared statement. Parameters count from 1, columns from 0. Every use ends with <see cref="Reset"/> or <see cref="Run"/>.</summary>
internal sealed class Statement(sqlite3 database, sqlite3_stmt handle) : IDisposable
{
    // SQLITE_STMTSTATUS_REPREPARE
    private const int CompiledAgain = 5;

    /// <summary>How often SQLite compiled it again since it was prepared, for tests.</summary>
    public int TimesCompiledAgain => raw.sqlite3_stmt_status(handle, CompiledAgain, 0);

    public Statement Bind(int parameter, long value)
    {
        Database.Check(database, raw.sqlite3_bind_int64(handle, parameter, value));
        return this;
    }

    public Statement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        Database.Check(database, raw.sqlite3_bind_blob(handle, parameter, value));
        return this;
    }

    public Statement Bind(int parameter, string value)
    {
        Database.Check(database, raw.sqlite3_bind_text(handle, parameter, value));
        return this;
    }

    public Statement BindNull(int parameter)
    {
        Database.Check(database, raw.sqlite3_bind_null(handle, parameter));
        return this;
    }

    /// <summary>Whether there is a (next) row. After an error the statement is reset.</summary>
    public bool Step()
    {
        int code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        if (code != raw.SQLITE_DONE)
        {
            try
            {
                Database.Check(database, code);
            }
            finally
            {
                _ = raw.sqlite3_reset(handle);
            }
        }

        return false;
    }

    /// <summary>Runs a statement that gives no rows; the number of rows it changed.</summary>
    public int Run()
    {
        Step();
        int changed = raw.sqlite3_changes(database);
        _ = raw.sqlite3_reset(handle);
        return changed;
    }

    /// <summary>Makes it ready for the next use. An error was already thrown by <see cref="Step"/>.</summary>
    public void Reset() => _ = raw.sqlite3_reset(handle);

    public long Long(int column) => raw.sqlite3_column_int64(handle, column);

    public int Int(int column) => raw.sqlite3_column_int(handle, column);

    public bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;

    /// <summary>Valid until the next step or reset.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(handle, column);

    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string();

    /// <summary>An id of 32 bytes.</summary>
    public Bytes32 Id(int column)
    {
        ReadOnlySpan<byte> bytes = Blob(column);
        return bytes.Length == Bytes32.Size
            ? new Bytes32(bytes)
            : throw new MetadataCorruptException($"An id of {bytes.Length} bytes lies in the local database..");
    }

    /// <summary>The first row, then reset.</summary>
    public T? ReadFirst<T>(Func<Statement, T> read)
        where T : class
    {
        try
        {
            return Step() ? read(this) : null;
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Appends all rows, then resets; how many there were.</summary>
    public int ReadInto<T>(List<T> rows, Func<Statement, T> read)
    {
        int before = rows.Count;
        try
        {
            while (Step())
            {
                rows.Add(read(this));
            }

            return rows.Count - before;
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>All rows, then resets.</summary>
    public List<T> ReadAll<T>(Func<Statement, T> read)
    {
        List<T> rows = [];
        ReadInto(rows, read);
        return rows;
    }

    /// <summary>
    /// Rows until there are enough and the next one is another node's: a node's rows are never cut in two. Then resets.
    /// </summary>
    public List<T> ReadWholeNodes<T>(int countMax, Func<Statement, T> read, Func<T, NodeId> nodeOf)
    {
        List<T> rows = [];
        try
        {
            while (Step())
            {
                T row = read(this);
                if (rows.Count >= countMax && nodeOf(row) != nodeOf(rows[^1]))
                {
                    break;
                }

                rows.Add(row);
            }

            return rows;
        }
        finally
        {
            Reset();
        }
    }

    public void Dispose() => handle.Dispose();
}
