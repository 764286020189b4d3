using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Drive.Core.Stores;

namespace Drive.Server.Storage;

/// <summary>
/// A line about an object: <c>+ SHA256 LENGTH NAME CHECK</c> when it was made, <c>- NAME CHECK</c> when it was about to be removed. CHECK is the first 8 hex digits of the
/// SHA-256 of what stands before it with its space, so that a torn or changed line is known.
/// </summary>
internal readonly record struct SumRecord(ObjectName Name, long Length, string? Sum)
{
    private const int CheckDigits = 8;

    /// <summary>An object that is there and durable.</summary>
    public static SumRecord Made(ObjectName name, long length, string sum) => new(name, length, sum);

    /// <summary>An object that goes now.</summary>
    public static SumRecord Removed(ObjectName name) => new(name, 0, null);

    /// <summary>The line, with its end.</summary>
    public string Encode()
    {
        string text = Sum is null ? $"- {Name} " : string.Create(CultureInfo.InvariantCulture, $"+ {Sum} {Length} {Name} ");
        return $"{text}{CheckOf(text)}\n";
    }

    /// <summary>From a line without its end; null when it is damaged.</summary>
    public static SumRecord? Parse(string line)
    {
        int start = line.Length - CheckDigits;
        if (start < 4 || CheckOf(line[..start]) != line[start..])
        {
            return null;
        }

        return line[..(start - 1)].Split(' ') switch
        {
            ["-", string name] when ObjectName.IsValid(name) => Removed(new ObjectName(name)),
            ["+", { Length: 64 } sum, string length, string name]
                when ObjectName.IsValid(name) && long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) =>
                Made(new ObjectName(name), bytes, sum),
            _ => null,
        };
    }

    private static string CheckOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)))[..CheckDigits];
}
