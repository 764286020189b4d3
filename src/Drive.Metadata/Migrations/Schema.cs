using System.Globalization;

using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Migrations;

/// <summary>Brings a database to this program's schema, step by step; <c>user_version</c> says where it stands.</summary>
internal static class Schema
{
    private static readonly IMigration[] Migrations = [new Migration001(), new Migration002(), new Migration003(), new Migration004()];

    public static int CurrentVersion => Migrations[^1].Version;

    public static void Migrate(Database database)
    {
        int version = database.ReadVersion();
        if (version > CurrentVersion)
        {
            throw new MetadataVersionException(
                $"The local database has schema {version}, this program knows up to {CurrentVersion}: a newer version of Drive wrote it. Install that version.");
        }

        foreach (IMigration migration in Migrations)
        {
            if (migration.Version > version)
            {
                database.Begin();
                try
                {
                    migration.Apply(database);
                    database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {migration.Version}"));
                    database.Commit();
                }
                catch
                {
                    database.Rollback();
                    throw;
                }
            }
        }
    }
}
