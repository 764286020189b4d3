using System.Buffers;

namespace Drive.Control;

/// <summary>The name that this machine gives a vault: it becomes part of file names, unit names and command lines, so it is kept plain.</summary>
public static class VaultName
{
    /// <summary>The name that <c>drive up</c> gives.</summary>
    public const string Default = "drive";

    /// <summary>The longest name.</summary>
    public const int CharactersMax = 32;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    /// <summary>Whether it is 1 to 32 of a-z A-Z 0-9 - _ . and starts with a letter or digit.</summary>
    public static bool IsValid(ReadOnlySpan<char> name) =>
        name.Length is >= 1 and <= CharactersMax && char.IsAsciiLetterOrDigit(name[0]) && !name.ContainsAnyExcept(Allowed);

    /// <summary>The name, or a refusal that says the rule.</summary>
    public static string Check(string name) => IsValid(name)
        ? name
        : throw new DriveException(DriveError.Usage, $"'{name}' can't name a vault: use 1 to {CharactersMax} letters, digits, '-', '_' or '.', and start with a letter or digit.");
}
