using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tests;

public sealed class StatementTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("drive-statement-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_statement_is_compiled_once_whatever_is_bound_to_it()
    {
        using Database database = Database.Open(Path.Combine(_directory, "test.db"), new MetadataOptions());
        database.Execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b INTEGER NOT NULL); CREATE INDEX t_some ON t(a) WHERE b = 7; INSERT INTO t VALUES (1, 7), (2, 7), (3, 8);");
        Statement limited = database.Prepare("SELECT a FROM t WHERE a > ?1 ORDER BY a LIMIT ?2");
        Statement indexed = database.Prepare("SELECT a FROM t WHERE a > ?1 AND b = ?2 ORDER BY a");
        for (int i = 1; i <= 3; i++)
        {
            Assert.Equal(i, limited.Bind(1, 0).Bind(2, i).ReadAll(static row => row.Int(0)).Count);
            Assert.Equal(3 - i, indexed.Bind(1, 0).Bind(2, i + 6).ReadAll(static row => row.Int(0)).Count);
        }

        Assert.Equal((0, 0), (limited.TimesCompiledAgain, indexed.TimesCompiledAgain));
    }
}
