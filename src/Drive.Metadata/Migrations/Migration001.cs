using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Migrations;

/// <summary>
/// The first schema. Versioned tables carry from_seq and to_seq; a current row has to_seq = 9223372036854775807, and a seq from 4611686018427387904
/// up is provisional (Drive.Core.Rows.Epochs). The indexes *_opened and *_closed hold only rows of epochs that are not committed.
/// </summary>
internal sealed class Migration001 : IMigration
{
    public int Version => 1;

    public void Apply(Database database)
    {
        database.Execute(Tables);
        foreach (string table in (string[])["node", "entry", "xattr"])
        {
            database.Execute($"""
                CREATE INDEX {table}_opened ON {table}(from_seq) WHERE from_seq >= 4611686018427387904;
                CREATE INDEX {table}_closed ON {table}(to_seq) WHERE to_seq >= 4611686018427387904 AND to_seq < 9223372036854775807;
                """);
        }
    }

    private const string Tables = """
        -- Counters that follow from the rows, and the mark of a clean stop: one row.
        CREATE TABLE state(
            id INTEGER PRIMARY KEY CHECK (id = 1),
            key_check BLOB NOT NULL,
            is_clean INTEGER NOT NULL,
            last_seq INTEGER NOT NULL,
            next_entry_id INTEGER NOT NULL,
            file_count INTEGER NOT NULL,
            file_bytes INTEGER NOT NULL) STRICT;

        CREATE TABLE node(
            node INTEGER NOT NULL, to_seq INTEGER NOT NULL, from_seq INTEGER NOT NULL,
            mode INTEGER NOT NULL, links INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, device INTEGER NOT NULL,
            size INTEGER NOT NULL, atime INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, btime INTEGER NOT NULL,
            target BLOB,
            PRIMARY KEY (node, to_seq)) STRICT, WITHOUT ROWID;
        CREATE INDEX node_orphan ON node(node) WHERE links = 0 AND to_seq = 9223372036854775807;

        CREATE TABLE entry(
            parent INTEGER NOT NULL, name_hash BLOB NOT NULL, to_seq INTEGER NOT NULL, from_seq INTEGER NOT NULL,
            node INTEGER NOT NULL, entry_id INTEGER NOT NULL, name BLOB NOT NULL,
            PRIMARY KEY (parent, name_hash, to_seq)) STRICT, WITHOUT ROWID;
        CREATE INDEX entry_listed ON entry(parent, entry_id) WHERE to_seq = 9223372036854775807;
        CREATE INDEX entry_past ON entry(parent, entry_id) WHERE to_seq < 9223372036854775807;

        -- to_seq before the rest of the key: the current rows of a node lie together whatever its history.
        CREATE TABLE extent(
            node INTEGER NOT NULL, to_seq INTEGER NOT NULL, start INTEGER NOT NULL, from_seq INTEGER NOT NULL,
            length INTEGER NOT NULL, block BLOB NOT NULL, block_offset INTEGER NOT NULL,
            PRIMARY KEY (node, to_seq, start)) STRICT, WITHOUT ROWID;

        CREATE TABLE xattr(
            node INTEGER NOT NULL, to_seq INTEGER NOT NULL, name_hash BLOB NOT NULL, from_seq INTEGER NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (node, to_seq, name_hash)) STRICT, WITHOUT ROWID;

        CREATE TABLE dirty(
            node INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL, kind INTEGER NOT NULL,
            segment INTEGER NOT NULL, position INTEGER NOT NULL, record_length INTEGER NOT NULL, inner_offset INTEGER NOT NULL,
            block BLOB,
            PRIMARY KEY (node, start)) STRICT, WITHOUT ROWID;

        CREATE TABLE block(
            block BLOB NOT NULL PRIMARY KEY, pack BLOB NOT NULL, pack_offset INTEGER NOT NULL, first_segment INTEGER NOT NULL,
            plain_length INTEGER NOT NULL, segments BLOB NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE setting(key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        """;
}
