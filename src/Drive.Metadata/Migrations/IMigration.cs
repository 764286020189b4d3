using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Migrations;

/// <summary>One step of the schema, from <see cref="Version"/> − 1 to <see cref="Version"/>. Runs in a transaction of its own. Never edited after a release.</summary>
internal interface IMigration
{
    int Version { get; }

    void Apply(Database database);
}
