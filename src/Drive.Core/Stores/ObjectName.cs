using System.Buffers;

namespace Drive.Core.Stores;

/// <summary>
/// A checked object name: 1 to 100 characters of a-z, 0-9, '-', '.', '/'; no empty part, no part that starts with a dot.
/// So it is the same on stores that fold case, and never climbs out of a folder.
/// </summary>
public readonly record struct ObjectName
{
    /// <summary>The longest name.</summary>
    public const int CharactersMax = 100;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-./");
    private readonly string? _value;

    /// <summary>A name; <see cref="ArgumentException"/> when it breaks the rules.</summary>
    public ObjectName(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!IsValid(value))
        {
            throw new ArgumentException($"'{value}' is no object name: 1 to {CharactersMax} of a-z 0-9 - . /", nameof(value));
        }

        _value = value;
    }

    /// <summary>The name's text.</summary>
    public string Value => _value ?? throw new InvalidOperationException("An object name was never set.");

    /// <summary>Whether the text follows the rules.</summary>
    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > CharactersMax || text.ContainsAnyExcept(Allowed))
        {
            return false;
        }

        foreach (Range part in text.Split('/'))
        {
            if (text[part].IsEmpty || text[part][0] == '.')
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => _value ?? "";
}
