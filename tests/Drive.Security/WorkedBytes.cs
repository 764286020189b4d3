using System.Buffers.Binary;
using System.Text;
using Drive.Core.Stores;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Security;

/// <summary>
/// The example of docs/security.md: a whole vault with one file, each object in hex with its fields named, and what the objects hold when they are opened. <see cref="MakeAsync"/>
/// makes a new one; <see cref="CheckAsync"/> reads one back as text, opens it a second way, and has the product's own client recover from it.
/// </summary>
public static class WorkedBytes
{
    private const string FileName = "hello.txt";
    private const int NameWidth = 22;
    private const int HexWidth = 64;
    private const string ObjectPrefix = "object ";
    private const string OpenedPrefix = "opened ";
    private const string KeyPrefix = "recovery key ";
    private static readonly byte[] Content = "hello, drive"u8.ToArray();

    /// <summary>The example as it stands in the page: random, so each call gives another.</summary>
    public static async Task<string> MakeAsync()
    {
        KnownVault vault = await KnownVault.StartAsync(Environment.TickCount);
        await vault.WriteAsync((FileName, Content));
        return Render(vault.RecoveryKey, [.. vault.Puts.OrderBy(static put => RankOf(put.Key)).ThenBy(static put => put.Key, StringComparer.Ordinal)]);
    }

    /// <summary>Null when the example is true; else what is not.</summary>
    public static async Task<string?> CheckAsync(string text)
    {
        (string recoveryKey, List<KeyValuePair<string, byte[]>> objects) = Parse(text);
        string again = Render(recoveryKey, objects);
        if (again != text)
        {
            int line = again.Split('\n').Zip(text.Split('\n')).TakeWhile(static pair => pair.First == pair.Second).Count();
            return $"line {line + 1} of the example should be: {again.Split('\n').ElementAtOrDefault(line)}";
        }

        var store = new MemoryStore();
        foreach ((string name, byte[] content) in objects)
        {
            await store.PutIfAbsentAsync(new ObjectName(name), content, CancellationToken.None);
        }

        RecoveredVault recovered = await VaultSetup.RecoverAsync(store, recoveryKey, "reader", null, new ManualTime(), new SeededRandom(1), CancellationToken.None);
        using VaultKeys keys = recovered.Keys;
        using var client = new LightClient(store, keys, VaultState.BeforeGenesis(keys), new RowTree());
        await client.CatchUpAsync(CancellationToken.None);
        byte[] read = await client.ReadFileAsync(FileName, CancellationToken.None);
        return read.AsSpan().SequenceEqual(Content) ? null : "the file reads otherwise";
    }

    private static string Render(string recoveryKey, IReadOnlyList<KeyValuePair<string, byte[]>> objects)
    {
        var text = new StringBuilder();
        text.Append(KeyPrefix).Append(recoveryKey).Append('\n');
        var opener = new SecondOpener(recoveryKey, objects.First(static pair => pair.Key == "vault").Value);
        foreach ((string name, byte[] bytes) in objects)
        {
            text.Append('\n').Append(ObjectPrefix).Append(name).Append('\n');
            Append(text, Fields(name, bytes));
            IReadOnlyList<(string, byte[])> opened = Opened(opener, name, bytes);
            if (opened.Count > 0)
            {
                text.Append(OpenedPrefix).Append(name).Append('\n');
                Append(text, opened);
            }
        }

        return text.ToString();
    }

    private static IReadOnlyList<(string, byte[])> Fields(string name, byte[] bytes)
    {
        var fields = new FieldReader(bytes);
        if (name == "vault")
        {
            fields.Take("DRVVAULT", 8);
            fields.Take("version", 2);
            fields.Take("suite", 1);
            fields.Take("flags", 1);
            fields.Take("vault id", 32);
            return fields.ToEnd("checksum");
        }

        if (name.StartsWith("slots/", StringComparison.Ordinal))
        {
            fields.Take("DRVS", 4);
            fields.Take("suite", 1);
            fields.Take("kind", 1);
            fields.Take("vault id", 32);
            fields.Take("iterations", 4);
            fields.Take("salt", 32);
            fields.Take("C", 32);
            fields.Take("ciphertext", bytes.Length - 106 - 16);
            return fields.ToEnd("tag");
        }

        fields.Take("DRVO", 4);
        fields.Take("suite", 1);
        fields.Take("class", 1);
        fields.Take("vault id", 32);
        fields.Take("key epoch", 4);
        fields.Take("object id", 32);
        fields.Take("C", 32);
        if (name.StartsWith("log/", StringComparison.Ordinal))
        {
            fields.Take("ciphertext", bytes.Length - 106 - 16 - 64);
            fields.Take("tag", 16);
            fields.Take("signature: r", 32);
            return fields.ToEnd("signature: s");
        }

        (int segment, int directory) = PackLengths(bytes);
        fields.Take("segment 0: ciphertext", segment - 16);
        fields.Take("segment 0: tag", 16);
        fields.Take("directory: ciphertext", directory - 16);
        fields.Take("directory: tag", 16);
        fields.Take("directory's number", 4);
        return fields.ToEnd("directory's length");
    }

    private static IReadOnlyList<(string, byte[])> Opened(SecondOpener opener, string name, byte[] bytes)
    {
        if (name.StartsWith("slots/", StringComparison.Ordinal))
        {
            return opener.OpenSlot(bytes);
        }

        if (name.StartsWith("log/", StringComparison.Ordinal))
        {
            return [("sub(1, log)", opener.SubKey("log")), ("object's key", opener.ObjectKey(bytes, "log")), .. opener.OpenCommit(bytes)];
        }

        if (name == "vault")
        {
            return [];
        }

        (int segment, int directory) = PackLengths(bytes);
        return
        [
            ("sub(1, pack)", opener.SubKey("pack")),
            ("object's key", opener.ObjectKey(bytes, "pack")),
            ("segment 0", opener.OpenSegment(bytes, 0, bytes[106..(106 + segment)], last: false)),
            ("directory", opener.OpenSegment(bytes, 1, bytes[(106 + segment)..(106 + segment + directory)], last: true)),
        ];
    }

    private static (int Segment, int Directory) PackLengths(byte[] pack)
    {
        int directory = BinaryPrimitives.ReadInt32BigEndian(pack.AsSpan(pack.Length - 4));
        return (pack.Length - 8 - directory - 106, directory);
    }

    private static (string RecoveryKey, List<KeyValuePair<string, byte[]>> Objects) Parse(string text)
    {
        string recoveryKey = "";
        List<KeyValuePair<string, byte[]>> objects = [];
        StringBuilder? hex = null;
        string name = "";
        foreach (string line in text.Split('\n').Append(ObjectPrefix))
        {
            if (!line.StartsWith("  ", StringComparison.Ordinal) && line.Length > 0)
            {
                if (hex is not null)
                {
                    objects.Add(new(name, Convert.FromHexString(hex.ToString())));
                }

                hex = line.StartsWith(ObjectPrefix, StringComparison.Ordinal) ? new StringBuilder() : null;
                name = line.StartsWith(ObjectPrefix, StringComparison.Ordinal) ? line[ObjectPrefix.Length..] : "";
                recoveryKey = line.StartsWith(KeyPrefix, StringComparison.Ordinal) ? line[KeyPrefix.Length..] : recoveryKey;
            }
            else if (line.Length > 0)
            {
                hex?.Append(line.AsSpan(2 + NameWidth + 1));
            }
        }

        return (recoveryKey, objects);
    }

    private static void Append(StringBuilder text, IReadOnlyList<(string Name, byte[] Bytes)> fields)
    {
        foreach ((string name, byte[] bytes) in fields)
        {
            string hex = Convert.ToHexStringLower(bytes);
            for (int at = 0; at < hex.Length; at += HexWidth)
            {
                text.Append("  ").Append((at == 0 ? name : "").PadRight(NameWidth)).Append(' ').Append(hex.AsSpan(at, Math.Min(HexWidth, hex.Length - at))).Append('\n');
            }
        }
    }

    private static int RankOf(string name) => name == "vault" ? 0 : name.StartsWith("slots/", StringComparison.Ordinal) ? 1 : name.StartsWith("log/", StringComparison.Ordinal) ? 2 : 3;
}
