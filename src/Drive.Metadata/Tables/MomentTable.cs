using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>When commits were made, by seq.</summary>
internal sealed class MomentTable(Database database)
{
    private const string Columns = "seq, time, device";

    private readonly Statement _put = database.Prepare($"INSERT OR REPLACE INTO moment({Columns}) VALUES (?1, ?2, ?3)");
    private readonly Statement _find = database.Prepare($"SELECT {Columns} FROM moment WHERE seq = ?1");
    private readonly Statement _read = database.Prepare($"SELECT {Columns} FROM moment WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq DESC LIMIT ?3");
    private readonly Statement _seqs = database.Prepare("SELECT seq FROM moment WHERE seq >= ?1 AND seq < ?2 ORDER BY seq LIMIT ?3");
    private readonly Statement _remove = database.Prepare("DELETE FROM moment WHERE seq = ?1");
    private readonly Statement _atOrBefore = database.Prepare($"SELECT {Columns} FROM moment WHERE time <= ?1 ORDER BY seq DESC");

    /// <summary>Seqs from one to before another, ascending.</summary>
    public List<long> ReadSeqs(long first, long end, int countMax)
    {
        List<long> seqs = [];
        _seqs.Bind(1, first).Bind(2, end).Bind(3, countMax).ReadInto(seqs, static from => from.Long(0));
        return seqs;
    }

    public void Remove(long seq) => _remove.Bind(1, seq).Run();

    public void Put(MomentRow row) => _put.Bind(1, row.Seq).Bind(2, row.Time).Bind(3, row.Device.Value).Run();

    public MomentRow? Find(long seq) => _find.Bind(1, seq).ReadFirst(Read);

    /// <summary>Newest first.</summary>
    public List<MomentRow> Read(long first, long last, int countMax) => _read.Bind(1, first).Bind(2, last).Bind(3, countMax).ReadAll(Read);

    public MomentRow? FindAt(long time, KeptHistory kept)
    {
        _atOrBefore.Bind(1, time);
        try
        {
            while (_atOrBefore.Step())
            {
                if (kept.Keeps(_atOrBefore.Long(0)))
                {
                    return Read(_atOrBefore);
                }
            }

            return null;
        }
        finally
        {
            _atOrBefore.Reset();
        }
    }

    private static MomentRow Read(Statement from) => new(from.Long(0), from.Long(1), new DeviceId(from.Text(2)));
}
