using Drive.Core.Rows;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>The packs that the log names. A row stays when its pack is gone: an object of that name in the store is garbage then.</summary>
internal sealed class PackTable(Database database)
{
    private readonly Statement _put = database.Prepare("INSERT OR IGNORE INTO pack(pack, length, condemned, swept, to_delete) VALUES (?1, ?2, 0, 0, 0)");
    private readonly Statement _condemn = database.Prepare(
        "INSERT INTO pack(pack, length, condemned, swept, to_delete) VALUES (?1, 0, ?2, 0, 0) ON CONFLICT(pack) DO UPDATE SET condemned = ?2");
    private readonly Statement _sweep = database.Prepare("UPDATE pack SET swept = ?2, to_delete = ?3 WHERE pack = ?1");
    private readonly Statement _deleted = database.Prepare("UPDATE pack SET to_delete = 0 WHERE pack = ?1");
    private readonly Statement _all = database.Prepare("SELECT pack, length, condemned, swept, to_delete FROM pack");
    private readonly Statement _find = database.Prepare("SELECT pack, length, condemned, swept, to_delete FROM pack WHERE pack = ?1");
    private readonly Statement _knownFrom = database.Prepare("SELECT from_seq FROM known_past");
    private readonly Statement _putKnownFrom = database.Prepare("UPDATE known_past SET from_seq = ?1");
    private readonly Statement _condemned = database.Prepare("SELECT pack FROM pack WHERE condemned > 0");

    public long ReadKnownFrom()
    {
        long seq = _knownFrom.Step() ? _knownFrom.Long(0) : throw new MetadataCorruptException("The local database has lost what it knows of the past.");
        _knownFrom.Reset();
        return seq;
    }

    public void PutKnownFrom(long seq) => _putKnownFrom.Bind(1, seq).Run();

    /// <summary>For a database that knows of packs only what its blocks tell.</summary>
    public void PutThoseOfBlocks() => database.Execute(
        "INSERT OR IGNORE INTO pack(pack, length, condemned, swept, to_delete) SELECT pack, max(pack_offset + plain_length), 0, 0, 0 FROM block GROUP BY pack;");

    public void Put(PackRow row) => _put.Bind(1, row.Pack.Value.AsSpan()).Bind(2, row.Length).Run();

    public void Condemn(PackId pack, long seq) => _condemn.Bind(1, pack.Value.AsSpan()).Bind(2, seq).Run();

    public void Sweep(PackId pack, long seq, bool isDeletedHere) => _sweep.Bind(1, pack.Value.AsSpan()).Bind(2, seq).Bind(3, isDeletedHere ? 1 : 0).Run();

    public void SetDeleted(PackId pack) => _deleted.Bind(1, pack.Value.AsSpan()).Run();

    public List<PackFate> ReadAll() => _all.ReadAll(Read);

    public PackFate? Find(PackId pack) => _find.Bind(1, pack.Value.AsSpan()).ReadFirst(Read);

    public HashSet<PackId> ReadCondemned()
    {
        HashSet<PackId> packs = [];
        while (_condemned.Step())
        {
            packs.Add(new PackId(_condemned.Id(0)));
        }

        _condemned.Reset();
        return packs;
    }

    private static PackFate Read(Statement from) => new(new PackId(from.Id(0)), from.Long(1), from.Long(2), from.Long(3), from.Long(4) != 0);
}
