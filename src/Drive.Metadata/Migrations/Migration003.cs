using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Migrations;

/// <summary>When each commit was made and by whom. Commits of before have no row here until the log is read again.</summary>
internal sealed class Migration003 : IMigration
{
    public int Version => 3;

    public void Apply(Database database) =>
        database.Execute("CREATE TABLE moment(seq INTEGER NOT NULL PRIMARY KEY, time INTEGER NOT NULL, device TEXT NOT NULL) STRICT;");
}
