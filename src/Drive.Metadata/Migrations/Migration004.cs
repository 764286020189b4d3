using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Migrations;

/// <summary>
/// The packs that the log names and what becomes of them (a length of before is only about right), and from which commit on this database knows the past: from the first one, or from the
/// checkpoint that it began with.
/// </summary>
internal sealed class Migration004 : IMigration
{
    public int Version => 4;

    public void Apply(Database database) => database.Execute("""
        CREATE TABLE pack(
            pack BLOB NOT NULL PRIMARY KEY, length INTEGER NOT NULL,
            condemned INTEGER NOT NULL, swept INTEGER NOT NULL, to_delete INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO pack(pack, length, condemned, swept, to_delete) SELECT pack, max(pack_offset + plain_length), 0, 0, 0 FROM block GROUP BY pack;

        CREATE TABLE known_past(id INTEGER PRIMARY KEY CHECK (id = 1), from_seq INTEGER NOT NULL) STRICT;
        INSERT INTO known_past(id, from_seq)
            SELECT 1, CASE WHEN coalesce((SELECT last_seq FROM state), 0) = 0 THEN 1 ELSE (SELECT min(from_seq) FROM node) END;
        """);
}
