using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Pinned nodes. Local and without versions.</summary>
internal sealed class PinTable(Database database)
{
    private readonly Statement _read = database.Prepare("SELECT node FROM pin ORDER BY node");
    private readonly Statement _put = database.Prepare("INSERT OR IGNORE INTO pin(node) VALUES (?1)");
    private readonly Statement _remove = database.Prepare("DELETE FROM pin WHERE node = ?1");

    public List<NodeId> Read()
    {
        List<NodeId> nodes = [];
        while (_read.Step())
        {
            nodes.Add(new NodeId((ulong)_read.Long(0)));
        }

        _read.Reset();
        return nodes;
    }

    public void Put(NodeId node) => _put.Bind(1, (long)node.Value).Run();

    public void Remove(NodeId node) => _remove.Bind(1, (long)node.Value).Run();
}
