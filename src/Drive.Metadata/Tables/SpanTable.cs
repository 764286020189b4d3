using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>A versioned table in pages by its primary key, for what looks at the spans of all its rows: forgetting, and counting what is needed.</summary>
internal sealed class SpanTable
{
    private readonly (string Name, bool IsBlob)[] _key;
    private readonly Statement _first;
    private readonly Statement _page;
    private readonly Statement _delete;

    /// <summary>A table and its primary key; the names of blobs end with "_hash".</summary>
    public SpanTable(Database database, string table, params string[] key)
    {
        _key = [.. key.Select(static name => (name, name.EndsWith("_hash", StringComparison.Ordinal)))];
        string names = string.Join(", ", key);
        string values = string.Join(", ", Enumerable.Range(1, key.Length).Select(static i => $"?{i}"));
        _first = database.Prepare($"SELECT {names}, from_seq, to_seq FROM {table} ORDER BY {names} LIMIT ?{key.Length + 1}");
        _page = database.Prepare($"SELECT {names}, from_seq, to_seq FROM {table} WHERE ({names}) > ({values}) ORDER BY {names} LIMIT ?{key.Length + 1}");
        _delete = database.Prepare($"DELETE FROM {table} WHERE ({names}) = ({values})");
    }

    /// <summary>Deletes those of the next rows that no kept state needs. Returns the last key that was looked at, null at the end, and how many were deleted.</summary>
    public (object[]? Last, int Deleted) Forget(KeptHistory kept, object[]? after, int rowsMax)
    {
        Statement page = after is null ? _first : Bind(_page, after);
        List<object[]> forgotten = [];
        object[]? last = null;
        int read = 0;
        page.Bind(_key.Length + 1, rowsMax);
        try
        {
            while (page.Step())
            {
                read++;
                if (!kept.Holds(page.Long(_key.Length), page.Long(_key.Length + 1)))
                {
                    forgotten.Add(ReadKey(page));
                }

                if (read == rowsMax)
                {
                    last = ReadKey(page);
                }
            }
        }
        finally
        {
            page.Reset();
        }

        forgotten.ForEach(key => Bind(_delete, key).Run());
        return (last, forgotten.Count);
    }

    private object[] ReadKey(Statement from) => [.. _key.Select((column, i) => column.IsBlob ? (object)from.Blob(i).ToArray() : from.Long(i))];

    private static Statement Bind(Statement to, object[] key)
    {
        for (int i = 0; i < key.Length; i++)
        {
            _ = key[i] is byte[] blob ? to.Bind(i + 1, blob) : to.Bind(i + 1, (long)key[i]);
        }

        return to;
    }
}
