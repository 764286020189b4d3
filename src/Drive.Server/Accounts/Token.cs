using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Drive.Core.Platform;

namespace Drive.Server.Accounts;

/// <summary>
/// A token: "drv", 8 hex digits that name it, 64 that are secret. Letters and digits only, so that it goes through shells, headers and unit files as it is.
/// </summary>
internal static class Token
{
    private const string Start = "drv";
    private const int IdBytes = 4;
    private const int SecretBytes = 32;
    private const int Length = 3 + (2 * (IdBytes + SecretBytes));

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>A new one.</summary>
    public static string Make(IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[IdBytes + SecretBytes];
        random.Fill(bytes);
        return Start + Convert.ToHexStringLower(bytes);
    }

    /// <summary>Its public part, or null when the text is no token.</summary>
    public static string? IdOf(string text) =>
        text.Length == Length && text.StartsWith(Start, StringComparison.Ordinal) && text.AsSpan(Start.Length).IndexOfAnyExcept(Digits) < 0
            ? text.Substring(Start.Length, 2 * IdBytes)
            : null;

    /// <summary>What is kept of it. 256 random bits need no slow hash.</summary>
    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(token)));

    /// <summary>Whether the two are equal, in a time that does not tell where they differ.</summary>
    public static bool AreEqual(string hash, string other) => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(hash), Encoding.ASCII.GetBytes(other));
}
