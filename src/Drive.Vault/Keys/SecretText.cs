using System.Security.Cryptography;
using System.Text;
using Drive.Core.Rows;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>
/// A secret as people write it: 256 bits and 19 bits of checksum in 11 groups of 5, Crockford's base 32
/// (no I, L, O, U; the first three are read as 1, 1, 0). Case, spaces and dashes don't matter. Each kind has a checksum of its own, so none is taken for another.
/// </summary>
public sealed class SecretText
{
    /// <summary>The recovery key: opens the vault for good.</summary>
    public static readonly SecretText Recovery = new("recovery key", Labels.RecoveryChecksum);

    /// <summary>A pairing code: lets one device in.</summary>
    public static readonly SecretText Pairing = new("pairing code", Labels.PairingChecksum);

    /// <summary>The account key: what a passphrase needs beside it.</summary>
    public static readonly SecretText Account = new("account key", Labels.AccountChecksum);

    private readonly string _noun;
    private readonly byte[] _checksumKey;

    private SecretText(string noun, string checksumLabel)
    {
        _noun = noun;
        _checksumKey = Encoding.ASCII.GetBytes(checksumLabel);
    }

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Symbols = 55;
    private const int ChecksumBits = 19;

    /// <summary>Whether the text is one of this kind without typing errors; says nothing of any vault.</summary>
    public bool IsWellFormed(string text)
    {
        try
        {
            using SecretBytes _ = Parse(text);
            return true;
        }
        catch (VaultException)
        {
            return false;
        }
    }

    /// <summary>Whether somebody meant to type one of any kind: dashes between groups of its characters, about as long.</summary>
    public static bool LooksLikeOne(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int symbols = text.Count(static c => Value(c) >= 0);
        return symbols is >= Symbols - 8 and <= Symbols + 8 && text.Contains('-', StringComparison.Ordinal) && text.All(static c => Value(c) >= 0 || c is ' ' or '-' or '\t');
    }

    internal string Format(ReadOnlySpan<byte> key)
    {
        Span<byte> bits = stackalloc byte[35];
        key.CopyTo(bits);
        uint checksum = Checksum(key) << (24 - ChecksumBits);
        bits[32] = (byte)(checksum >> 16);
        bits[33] = (byte)(checksum >> 8);
        bits[34] = (byte)checksum;
        var text = new StringBuilder(Symbols + 10);
        for (int symbol = 0; symbol < Symbols; symbol++)
        {
            if (symbol > 0 && symbol % 5 == 0)
            {
                text.Append('-');
            }

            int value = 0;
            for (int bit = symbol * 5; bit < (symbol * 5) + 5; bit++)
            {
                value = (value << 1) | ((bits[bit / 8] >> (7 - (bit % 8))) & 1);
            }

            text.Append(Alphabet[value]);
        }

        CryptographicOperations.ZeroMemory(bits);
        return text.ToString();
    }

    internal SecretBytes Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        using var bits = new SecretBytes(35);
        int symbols = 0;
        foreach (char c in text)
        {
            if (c is ' ' or '-' or '\t' or '\r' or '\n')
            {
                continue;
            }

            int value = Value(c);
            if (value < 0)
            {
                throw Malformed("it contains a character that none has");
            }

            if (symbols == Symbols)
            {
                throw Malformed($"it is longer than {Symbols} characters");
            }

            for (int i = 0; i < 5; i++)
            {
                int bit = (symbols * 5) + i;
                bits.Span[bit / 8] |= (byte)(((value >> (4 - i)) & 1) << (7 - (bit % 8)));
            }

            symbols++;
        }

        if (symbols < Symbols)
        {
            throw Malformed($"it has {symbols} characters in place of {Symbols}");
        }

        uint checksum = (uint)((bits.Span[32] << 16) | (bits.Span[33] << 8) | bits.Span[34]) >> (24 - ChecksumBits);
        return checksum == Checksum(bits.Span[..Bytes32.Size])
            ? new SecretBytes(bits.Span[..Bytes32.Size])
            : throw Malformed("a character is mistyped, or two are swapped");
    }

    private static int Value(char c) => char.ToUpperInvariant(c) switch
    {
        'O' => 0,
        'I' or 'L' => 1,
        char upper => Alphabet.IndexOf(upper, StringComparison.Ordinal),
    };

    private uint Checksum(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        HMACSHA256.HashData(_checksumKey, key, hash);
        return (uint)((hash[0] << 16) | (hash[1] << 8) | hash[2]) >> (24 - ChecksumBits);
    }

    private VaultException Malformed(string what) =>
        new(VaultErrorKind.MalformedSecret, $"This is not a {_noun}: {what}. Compare it with what you wrote down.");
}
