using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Moves the seqs of a versioned table's rows. The conditions repeat those of the partial indexes, else SQLite would not use them.</summary>
internal sealed class Versions(Database database, string table)
{
    /// <summary><see cref="Core.Rows.Epochs.Open"/> in SQL.</summary>
    public const string Open = "9223372036854775807";

    public const string FromIsProvisional = "from_seq >= 4611686018427387904";

    public const string ToIsProvisional = "to_seq >= 4611686018427387904 AND to_seq < 9223372036854775807";

    private readonly Statement _moveFrom = database.Prepare(
        $"UPDATE {table} INDEXED BY {table}_opened SET from_seq = ?2 WHERE from_seq = ?1 AND {FromIsProvisional}");
    private readonly Statement _moveTo = database.Prepare(
        $"UPDATE {table} INDEXED BY {table}_closed SET to_seq = ?2 WHERE to_seq = ?1 AND {ToIsProvisional}");
    private readonly Statement _deleteBetween = database.Prepare(
        $"DELETE FROM {table} INDEXED BY {table}_opened WHERE from_seq = ?1 AND {FromIsProvisional} AND to_seq = ?2");

    private readonly Statement _provisional = database.Prepare(
        $"""
        SELECT from_seq FROM {table} INDEXED BY {table}_opened WHERE {FromIsProvisional}
        UNION SELECT to_seq FROM {table} INDEXED BY {table}_closed WHERE {ToIsProvisional}
        """);

    /// <summary>The provisional seqs that rows carry. Costs as much as there are such rows.</summary>
    public void FindProvisional(SortedSet<long> seqs)
    {
        try
        {
            while (_provisional.Step())
            {
                seqs.Add(_provisional.Long(0));
            }
        }
        finally
        {
            _provisional.Reset();
        }
    }

    private readonly Statement _deleteOpened = database.Prepare(
        $"DELETE FROM {table} INDEXED BY {table}_opened WHERE from_seq = ?1 AND {FromIsProvisional}");
    private readonly Statement _reopen = database.Prepare(
        $"UPDATE {table} INDEXED BY {table}_closed SET to_seq = {Open} WHERE to_seq = ?1 AND {ToIsProvisional}");

    /// <summary>Takes the last epoch back: rows that it began go, rows that it ended hold on.</summary>
    public void Undo(long at)
    {
        _deleteOpened.Bind(1, at).Run();
        _reopen.Bind(1, at).Run();
    }

    /// <summary>What began or ended at one seq now does so at another.</summary>
    public void Move(long from, long to)
    {
        _moveTo.Bind(1, from).Bind(2, to).Run();
        _moveFrom.Bind(1, from).Bind(2, to).Run();
    }

    /// <summary>
    /// Makes two neighbouring epochs one. Rows that lived only between them go; then no key has a row ending at both (its intervals
    /// do not overlap), so the move keeps the primary key unique.
    /// </summary>
    public void Collapse(long first, long second)
    {
        _deleteBetween.Bind(1, first).Bind(2, second).Run();
        Move(first, second);
    }
}
