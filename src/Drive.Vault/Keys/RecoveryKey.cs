using System.Security.Cryptography;
using System.Text;
using Drive.Core.Rows;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>
/// The recovery key as people write it: 256 bits and 19 bits of checksum in 11 groups of 5, Crockford's base 32
/// (no I, L, O, U; the first three are read as 1, 1, 0). Case, spaces and dashes don't matter.
/// </summary>
public static class RecoveryKey
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Symbols = 55;
    private const int ChecksumBits = 19;

    /// <summary>Whether the text is a recovery key without typing errors; says nothing of any vault.</summary>
    public static bool IsWellFormed(string text)
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

    internal static string Format(ReadOnlySpan<byte> key)
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

    internal static SecretBytes Parse(string text)
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
                throw Malformed("it contains a character that no recovery key has");
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

    private static uint Checksum(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        HMACSHA256.HashData(Encoding.ASCII.GetBytes(Labels.RecoveryChecksum), key, hash);
        return (uint)((hash[0] << 16) | (hash[1] << 8) | hash[2]) >> (24 - ChecksumBits);
    }

    private static VaultException Malformed(string what) =>
        new(VaultErrorKind.MalformedSecret, $"This is not a recovery key: {what}. Compare it with what you wrote down.");
}
