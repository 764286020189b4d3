using System.Text;

using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Settings by key; values are sealed together with their key, so that none stands for another.</summary>
internal sealed class SettingTable(Database database, RowSeal seal)
{
    private readonly Statement _read = database.Prepare("SELECT value FROM setting WHERE key = ?1");
    private readonly Statement _put = database.Prepare("INSERT OR REPLACE INTO setting(key, value) VALUES (?1, ?2)");
    private readonly Statement _remove = database.Prepare("DELETE FROM setting WHERE key = ?1");

    public byte[]? Read(string key)
    {
        try
        {
            if (!_read.Bind(1, key).Step())
            {
                return null;
            }

            byte[] plain = seal.Open(SealKind.Setting, NodeId.None, _read.Blob(0));
            byte[] prefix = Prefix(key);
            if (!plain.AsSpan().StartsWith(prefix))
            {
                throw new MetadataCorruptException($"The setting '{key}' of the local database holds the value of another..");
            }

            return plain[prefix.Length..];
        }
        finally
        {
            _read.Reset();
        }
    }

    public void Put(string key, byte[]? value)
    {
        if (value is null)
        {
            _remove.Bind(1, key).Run();
        }
        else
        {
            _put.Bind(1, key).Bind(2, seal.Seal(SealKind.Setting, NodeId.None, [.. Prefix(key), .. value])).Run();
        }
    }

    private static byte[] Prefix(string key) => Encoding.UTF8.GetBytes(key + '\0');
}
