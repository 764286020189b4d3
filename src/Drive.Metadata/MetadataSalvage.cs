using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>
/// What can still be read of a damaged database: settings, and what no commit holds. Each table is read from its first row up to where it breaks, then
/// from its last row back; rows whose seals do not open are left out. It works on a copy: a damaged file is evidence and is not touched.
/// </summary>
public sealed class MetadataSalvage
{
    /// <summary>Settings that open.</summary>
    public Dictionary<string, byte[]> Settings { get; } = [];

    /// <summary>Uncommitted rows and dirty rows, as changes of the committed state.</summary>
    public MetadataBatch Uncommitted { get; } = new();

    /// <summary>What this device keeps the content of; null when that table can't be read.</summary>
    public IReadOnlyList<NodeId>? Pins { get; private set; }

    /// <summary>Whether every table could be read from end to end.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Reads a copy of a database, whose files the caller deletes afterwards; null when nothing opens.</summary>
    public static MetadataSalvage? Read(string copy, ReadOnlySpan<byte> key)
    {
        using RowSeal seal = new(key);
        Database? database = null;
        try
        {
            database = Database.Open(copy, new MetadataOptions());
            MetadataSalvage found = new();
            found.ReadSettings(database, seal);
            found.ReadRows(database, seal);
            found.Pins = ReadPins(database);
            return found;
        }
        catch (Exception error) when (IsDamage(error))
        {
            return null;
        }
        finally
        {
            database?.Dispose();
        }
    }

    private void ReadSettings(Database database, RowSeal seal)
    {
        SettingTable table = new(database, seal);
        Each(database, "SELECT key, 0 FROM setting", "key", "", row =>
        {
            string name = row.Text(0);
            if (table.Read(name) is { } value)
            {
                Settings[name] = value;
            }
        });
    }

    private void ReadRows(Database database, RowSeal seal)
    {
        Counters counters = new(database);
        NodeTable nodes = new(database, seal, counters);
        EntryTable entries = new(database, seal, counters);
        XattrTable xattrs = new(database, seal);
        const string Provisional = $"(({Versions.FromIsProvisional}) OR ({Versions.ToIsProvisional}))";
        Each(database, $"SELECT {NodeTable.Columns}, to_seq FROM node", "node, to_seq", Provisional, row =>
        {
            if (row.Long(12) == Epochs.Open)
            {
                NodeRow read = nodes.ReadRow(row);
                if (read.LinkCount > 0)
                {
                    Uncommitted.PutNode(read, isNew: false);
                }
            }
            else if (nodes.Find(new NodeId((ulong)row.Long(0))) is null)
            {
                Uncommitted.RemoveNode(new NodeId((ulong)row.Long(0)));
            }
        });
        Each(database, $"SELECT {EntryTable.Columns}, to_seq FROM entry", "parent, name_hash, to_seq", Provisional, row =>
        {
            EntryRow read = entries.ReadRow(row);
            if (row.Long(4) == Epochs.Open)
            {
                Uncommitted.PutEntry(read);
            }
            else if (entries.Find(read.Parent, read.Name) is null)
            {
                Uncommitted.RemoveEntry(read.Parent, read.Name);
            }
        });
        Each(database, "SELECT node, content, to_seq FROM xattr", "node, to_seq, name_hash", Provisional, row =>
        {
            XattrRow read = xattrs.ReadRow(row);
            if (row.Long(2) == Epochs.Open)
            {
                Uncommitted.PutXattr(read);
            }
            else if (xattrs.Read(read.Node).TrueForAll(now => !now.Name.AsSpan().SequenceEqual(read.Name)))
            {
                Uncommitted.RemoveXattr(read.Node, read.Name);
            }
        });
        Each(database, $"SELECT {DirtyTable.Columns} FROM dirty", "node, start", "", row => Uncommitted.PutDirty(DirtyTable.ReadRow(row)));
    }

    /// <summary>All or nothing: with a part of them nobody would know that the rest is gone.</summary>
    private static List<NodeId>? ReadPins(Database database)
    {
        try
        {
            return new PinTable(database).Read();
        }
        catch (Exception error) when (IsDamage(error))
        {
            return null;
        }
    }

    /// <summary>Runs over a table from both ends. A row twice does no harm.</summary>
    private void Each(Database database, string select, string key, string where, Action<Statement> read)
    {
        string condition = where.Length == 0 ? "" : " WHERE " + where;
        string backward = string.Join(", ", key.Split(", ").Select(static column => column + " DESC"));
        if (!Run(database, $"{select} NOT INDEXED{condition} ORDER BY {key}", read))
        {
            Run(database, $"{select} NOT INDEXED{condition} ORDER BY {backward}", read);
        }
    }

    private bool Run(Database database, string sql, Action<Statement> read)
    {
        try
        {
            Statement statement = database.Prepare(sql);
            while (statement.Step())
            {
                try
                {
                    read(statement);
                }
                catch (Exception error) when (IsDamage(error))
                {
                    IsWhole = false;
                }
            }

            statement.Reset();
            return true;
        }
        catch (Exception error) when (IsDamage(error))
        {
            IsWhole = false;
            return false;
        }
    }

    private static bool IsDamage(Exception error) => error is MetadataCorruptException or InvalidOperationException or IOException or ArgumentException;
}
