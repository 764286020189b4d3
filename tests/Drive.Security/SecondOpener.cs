using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Drive.Security;

/// <summary>
/// Opens a vault's objects from its recovery key with nothing but the base library: written from docs/vault-format.md, using none of the product's code, so that the two
/// hold each other.
/// </summary>
public sealed class SecondOpener
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private readonly byte[] _recoveryKey;
    private readonly byte[] _vaultId;
    private readonly byte[] _vaultHash;

    public SecondOpener(string recoveryKey, byte[] vault)
    {
        _recoveryKey = ReadRecoveryKey(recoveryKey);
        _vaultId = vault[12..44];
        _vaultHash = SHA256.HashData(vault);
    }

    /// <summary>Known once the slot was opened.</summary>
    public byte[] MasterKey { get; private set; } = [];

    /// <summary>The payload of a recovery slot, in fields.</summary>
    public IReadOnlyList<(string Name, byte[] Bytes)> OpenSlot(byte[] slot)
    {
        byte[] prk = HKDF.Extract(HashAlgorithmName.SHA256, _recoveryKey, slot[42..74]);
        byte[] key = Expand(prk, [.. "drive/1/slot-key"u8, .. _vaultHash]);
        Require(Expand(prk, [.. "drive/1/slot-commit"u8, .. _vaultHash]), slot[74..106], "the slot's commitment");
        byte[] plain = Open(key, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], slot[106..], SHA256.HashData(slot.AsSpan(0, 74)));
        var fields = new FieldReader(plain);
        fields.Take("version", 1);
        fields.Take("genesis hash", 32);
        fields.Varint("least head: seq");
        fields.Take("least head: hash", 32);
        fields.Varint("least floor");
        fields.Varint("key epochs");
        fields.Varint("key epoch");
        MasterKey = fields.Take("master key", 32);
        fields.Take("recovery follows", 1);
        fields.Take("account secret", 32);
        fields.Take("recovery device", 16);
        fields.Take("public key X, Y", 64);
        fields.Take("private number", 32);
        return fields.ToEnd();
    }

    /// <summary>A commit's signer, form and body, in fields; the signature is not part of it.</summary>
    public IReadOnlyList<(string Name, byte[] Bytes)> OpenCommit(byte[] commit)
    {
        byte[] content = Open(ObjectKey(commit, "log"), Nonce(0, last: true), commit[106..^64], Associated(commit, 0, commit.Length - 106 - 64 - 16, flags: 1));
        var fields = new FieldReader(content);
        fields.Take("signer", 16);
        Unpack(fields, content.AsSpan(21));
        byte version = fields.Take("version", 1)[0];
        fields.Take("vault id", 32);
        fields.Varint("generation");
        fields.Varint("seq");
        fields.Take("previous commit", 32);
        fields.Take("device", 16);
        fields.Varint("incarnation");
        fields.Varint("device's own number");
        fields.Varint("key epoch");
        fields.Take("time", 8);
        fields.Take("state hash", 32);
        for (int packs = (int)fields.Varint("packs"); packs > 0; packs--)
        {
            fields.Take("pack id", 32);
            fields.Varint("pack length");
        }

        for (int changes = (int)fields.Varint("changes of members"); changes > 0; changes--)
        {
            if (fields.Peek() == 3)
            {
                fields.Take("announces", 1);
                fields.Take("announces: device", 16);
                fields.Take("announces: wrapping key", 64);
                continue;
            }

            if (fields.Peek() == 6)
            {
                fields.Take("appoints", 1);
                fields.Take("appoints: device", 16);
                continue;
            }

            fields.Take("enrols", 1);
            fields.Take("member: device", 16);
            fields.Take("member: kind", 1);
            fields.Varint("member: number");
            fields.Take("member: name", 1 + fields.Peek());
            fields.Take("member: public key", 64);
        }

        fields.Take("writer", 1);
        fields.Take("checkpoint follows", 1);
        fields.Take("floor follows", 1);
        for (int changes = version is 2 or 3 ? (int)fields.Varint("changes of history") : 0; changes > 0; changes--)
        {
            TakeHistory(fields);
        }

        return fields.ToEnd("rows");
    }

    /// <summary>A manifest's signer, form and body, in fields; the state in it is one of them.</summary>
    public IReadOnlyList<(string Name, byte[] Bytes)> OpenManifest(byte[] manifest)
    {
        byte[] content = Open(ObjectKey(manifest, "checkpoint"), Nonce(0, last: true), manifest[106..^64], Associated(manifest, 0, manifest.Length - 106 - 64 - 16, flags: 1));
        var fields = new FieldReader(content);
        fields.Take("signer", 16);
        Unpack(fields, content.AsSpan(21));
        byte version = fields.Take("version", 1)[0];
        fields.Take("state", (int)fields.Varint("state's length"));
        TakeParts(fields, "part");
        if (version == 2)
        {
            fields.Varint("known from");
            TakeParts(fields, "past part");
        }

        return fields.ToEnd();
    }

    /// <summary>A part of a checkpoint: each row by its tag and its span, and what it says.</summary>
    public IReadOnlyList<(string Name, byte[] Bytes)> OpenPart(byte[] part)
    {
        byte[] content = Open(ObjectKey(part, "checkpoint-part"), Nonce(0, last: true), part[106..], Associated(part, 0, part.Length - 106 - 16, flags: 1));
        var fields = new FieldReader(content);
        Unpack(fields, content.AsSpan(5));
        while (!fields.AtEnd)
        {
            TakeRow(fields);
        }

        return fields.ToEnd();
    }

    /// <summary>How the master key of an epoch was made known, in fields.</summary>
    public IReadOnlyList<(string Name, byte[] Bytes)> OpenKeyLink(byte[] link)
    {
        byte[] content = Open(ObjectKey(link, "key-link"), Nonce(0, last: true), link[106..], Associated(link, 0, link.Length - 106 - 16, flags: 1));
        var fields = new FieldReader(content);
        Unpack(fields, content.AsSpan(5));
        fields.Varint("key epoch");
        fields.Take("ephemeral key X, Y", 64);
        fields.Take("check", 32);
        for (int members = (int)fields.Varint("members"); members > 0; members--)
        {
            fields.Take("member", 16);
            fields.Take("wrapped", 48);
        }

        return fields.ToEnd();
    }

    private static void Unpack(FieldReader fields, ReadOnlySpan<byte> packed)
    {
        byte form = fields.Take("form", 1)[0];
        int length = BinaryPrimitives.ReadInt32BigEndian(fields.Take("body's length", 4));
        if (form == 1)
        {
            var body = new byte[length];
            BrotliDecoder.TryDecompress(packed, body, out _);
            fields.Replace(body);
        }
    }

    private static void TakeParts(FieldReader fields, string what)
    {
        for (int parts = (int)fields.Varint($"{what}s"); parts > 0; parts--)
        {
            fields.Take($"{what}: id", 32);
            fields.Take($"{what}: hash", 32);
            fields.Varint($"{what}: length");
        }
    }

    private static void TakeRow(FieldReader fields)
    {
        byte tag = fields.Take("row", 1)[0];
        bool isEnded = tag is >= 0x31 and <= 0x34;
        if (tag is >= 0x21 and <= 0x24 || isEnded)
        {
            fields.Varint("from");
        }

        if (isEnded)
        {
            fields.Varint("held for");
        }

        switch (tag)
        {
            case 5:
                fields.Take("block", 64);
                fields.Varint("pack offset");
                fields.Varint("first segment");
                for (long rest = (long)fields.Varint("plain length"); rest > 0; rest -= 65_536)
                {
                    fields.Varint("segment");
                }

                break;
            case 0x36:
                fields.Take("pack", 32);
                fields.Varint("pack length");
                break;
            case 0x37:
                fields.Varint("moment");
                fields.Take("time", 8);
                fields.Take("device", 16);
                break;
            default:
                TakeRow(fields, tag & 0xF, isEnded);
                break;
        }
    }

    private static void TakeRow(FieldReader fields, int kind, bool isEnded)
    {
        fields.Varint("node or parent");
        switch (kind)
        {
            case 1:
                bool isDirectory = (fields.Varint("mode") & 0xF000) == 0x4000;
                for (int numbers = isDirectory ? 4 : 5; numbers > 0; numbers--)
                {
                    fields.Varint("links, owners, device, size");
                }

                fields.Take("modify time", 8);
                for (int times = 3; times > 0; times--)
                {
                    fields.Varint("time");
                }

                if (fields.Take("link", 1)[0] == 1)
                {
                    fields.Take("target", (int)fields.Varint("target's length"));
                }

                if (isDirectory && isEnded)
                {
                    fields.Varint("directory's links");
                }

                break;
            case 2:
                fields.Take("name", (int)fields.Varint("name's length"));
                fields.Varint("node");
                break;
            case 3:
                fields.Varint("offset");
                fields.Varint("length");
                fields.Take("block", 32);
                fields.Varint("block offset");
                break;
            case 4:
                fields.Take("name", (int)fields.Varint("name's length"));
                fields.Take("value", (int)fields.Varint("value's length"));
                break;
            default:
                throw new InvalidDataException("a row that the page does not have");
        }
    }

    private static void TakeHistory(FieldReader fields)
    {
        switch (fields.Take("history", 1)[0])
        {
            case 1:
                fields.Take("names: snapshot", 1 + fields.Peek());
                fields.Varint("names: seq");
                fields.Take("names: time", 8);
                break;
            case 2:
                fields.Take("drops: snapshot", 1 + fields.Peek());
                break;
            case 3:
                foreach (string unit in (string[])["hours", "days", "weeks", "months", "years"])
                {
                    fields.Varint($"keeps: {unit}");
                }

                break;
            case 4:
                fields.Take("freezes: reason", (int)fields.Varint("freezes: length"));
                break;
            case 5:
                break;
            case 6:
                fields.Varint("forgets: below");
                for (int kept = (int)fields.Varint("forgets: kept"); kept > 0; kept--)
                {
                    fields.Varint("kept: more than the last");
                }

                break;
            case 7 or 8:
                for (int packs = (int)fields.Varint("condemned or swept"); packs > 0; packs--)
                {
                    fields.Take("pack id", 32);
                }

                break;
            case 9:
                fields.Take("lapsed: device", 16);
                break;
            default:
                throw new InvalidDataException("a change of history that the page does not have");
        }
    }

    /// <summary>The plain bytes of a pack's segment, and of its directory (<paramref name="last"/>).</summary>
    public byte[] OpenSegment(byte[] pack, long number, byte[] stored, bool last) =>
        Open(ObjectKey(pack, "pack"), Nonce(number, last), stored, Associated(pack, number, stored.Length - 16, last ? (byte)1 : (byte)0));

    /// <summary>The key that all objects of a kind come from: sub(1, label).</summary>
    public byte[] SubKey(string label) => Expand(
        HKDF.Extract(HashAlgorithmName.SHA256, MasterKey, _vaultId), [.. Encoding.ASCII.GetBytes("drive/1/" + label), 0, 0, 0, 1, .. _vaultHash]);

    /// <summary>The object's own key, after its commitment was compared.</summary>
    public byte[] ObjectKey(byte[] sealedObject, string label)
    {
        byte[] prk = HKDF.Extract(HashAlgorithmName.SHA256, SubKey(label), sealedObject[42..74]);
        Require(Expand(prk, "drive/1/object-commit"u8.ToArray()), sealedObject[74..106], "an object's commitment");
        return Expand(prk, "drive/1/object-key"u8.ToArray());
    }

    private static byte[] Expand(byte[] prk, byte[] info) => HKDF.Expand(HashAlgorithmName.SHA256, prk, 32, info);

    private static byte[] Nonce(long number, bool last)
    {
        var nonce = new byte[12];
        BinaryPrimitives.WriteInt64BigEndian(nonce.AsSpan(4), (number << 8) | (last ? 1L : 0L));
        return nonce;
    }

    private static byte[] Associated(byte[] sealedObject, long number, int plainLength, byte flags)
    {
        var rest = new byte[13];
        BinaryPrimitives.WriteInt64BigEndian(rest, number);
        BinaryPrimitives.WriteInt32BigEndian(rest.AsSpan(8), plainLength);
        rest[12] = flags;
        return [.. SHA256.HashData(sealedObject.AsSpan(0, 74)), .. rest];
    }

    private static byte[] Open(byte[] key, byte[] nonce, byte[] sealedPart, byte[] associated)
    {
        using var aes = new AesGcm(key, 16);
        var plain = new byte[sealedPart.Length - 16];
        aes.Decrypt(nonce, sealedPart.AsSpan(0, plain.Length), sealedPart.AsSpan(plain.Length), plain, associated);
        return plain;
    }

    private static void Require(byte[] expected, byte[] found, string what)
    {
        if (!expected.AsSpan().SequenceEqual(found))
        {
            throw new InvalidDataException($"{what} is not what the page says.");
        }
    }

    private static byte[] ReadRecoveryKey(string text)
    {
        var bits = new byte[35];
        int at = 0;
        foreach (char c in text.Where(static c => c != '-'))
        {
            int value = Alphabet.IndexOf(c, StringComparison.Ordinal);
            for (int i = 4; i >= 0; i--, at++)
            {
                bits[at / 8] |= (byte)(((value >> i) & 1) << (7 - (at % 8)));
            }
        }

        return bits[..32];
    }
}

/// <summary>Cuts bytes into named fields, one after another.</summary>
internal sealed class FieldReader(byte[] bytes)
{
    private readonly List<(string Name, byte[] Bytes)> _fields = [];
    private byte[] _bytes = bytes;
    private int _at;

    public bool AtEnd => _at == _bytes.Length;

    public byte Peek() => _bytes[_at];

    public byte[] Take(string name, int length)
    {
        byte[] field = _bytes.AsSpan(_at, length).ToArray();
        _at += length;
        _fields.Add((name, field));
        return field;
    }

    public ulong Varint(string name)
    {
        int length = 1;
        while ((_bytes[_at + length - 1] & 0x80) != 0)
        {
            length++;
        }

        ulong value = 0;
        byte[] field = Take(name, length);
        for (int i = 0; i < length; i++)
        {
            value |= (ulong)(field[i] & 0x7F) << (7 * i);
        }

        return value;
    }

    /// <summary>What follows was packed: goes on in these bytes.</summary>
    public void Replace(byte[] bytes)
    {
        _bytes = bytes;
        _at = 0;
    }

    /// <summary>All fields; the rest under a name, or none may be left.</summary>
    public IReadOnlyList<(string Name, byte[] Bytes)> ToEnd(string? restName = null)
    {
        if (restName is not null)
        {
            Take(restName, _bytes.Length - _at);
        }

        return _at == _bytes.Length ? _fields : throw new InvalidDataException($"{_bytes.Length - _at} bytes are left.");
    }
}
