using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Migrations;

/// <summary>Nodes whose content this device keeps here. Local, without versions: other devices know nothing of it.</summary>
internal sealed class Migration002 : IMigration
{
    public int Version => 2;

    public void Apply(Database database) => database.Execute("CREATE TABLE pin(node INTEGER NOT NULL PRIMARY KEY) STRICT;");
}
