namespace Drive.Backup.Patterns;

/// <summary>A set of characters in brackets, as in a shell: <c>[a-z]</c>, <c>[!a]</c>, <c>[[:digit:]_]</c>.</summary>
internal static class CharacterSet
{
    /// <summary>Whether a character is in the set that begins at a place of the pattern; the place moves to its last bracket. Null for a set that has no end or names no class: it matches nothing.</summary>
    public static bool? Contains(ReadOnlySpan<char> pattern, ref int place, char character)
    {
        int p = place + 1;
        bool isNegated = p < pattern.Length && pattern[p] is '!' or '^';
        p += isNegated ? 1 : 0;
        bool isIn = false;
        char before = '\0';
        bool isFirst = true;

        // A bracket that comes first is one of the characters.
        for (; p < pattern.Length && (isFirst || pattern[p] != ']'); p++)
        {
            isFirst = false;
            char here = pattern[p];
            if (here == '\\')
            {
                if (++p == pattern.Length)
                {
                    return null;
                }

                here = pattern[p];
                isIn |= here == character;
            }
            else if (here == '-' && before != '\0' && p + 1 < pattern.Length && pattern[p + 1] != ']')
            {
                p++;
                if (pattern[p] == '\\' && ++p == pattern.Length)
                {
                    return null;
                }

                isIn |= character >= before && character <= pattern[p];
                here = '\0';
            }
            else if (here == '[' && p + 1 < pattern.Length && pattern[p + 1] == ':')
            {
                int end = pattern[(p + 2)..].IndexOf(']') + p + 2;
                if (end < p + 2)
                {
                    return null;
                }

                if (end - 1 < p + 2 || pattern[end - 1] != ':')
                {
                    // No class after all: a set like others.
                    isIn |= character == '[';
                }
                else
                {
                    if (IsOfClass(pattern[(p + 2)..(end - 1)], character) is not { } isOfClass)
                    {
                        return null;
                    }

                    isIn |= isOfClass;
                    p = end;
                    here = '\0';
                }
            }
            else
            {
                isIn |= here == character;
            }

            before = here;
        }

        place = p;
        return p < pattern.Length ? isIn != isNegated : null;
    }

    private static bool? IsOfClass(ReadOnlySpan<char> name, char character) => name switch
    {
        "alnum" => char.IsAsciiLetterOrDigit(character),
        "alpha" => char.IsAsciiLetter(character),
        "blank" => character is ' ' or '\t',
        "cntrl" => char.IsAscii(character) && char.IsControl(character),
        "digit" => char.IsAsciiDigit(character),
        "graph" => character is > ' ' and < '\x7f',
        "lower" => char.IsAsciiLetterLower(character),
        "print" => character is >= ' ' and < '\x7f',
        "punct" => character is > ' ' and < '\x7f' && !char.IsAsciiLetterOrDigit(character),
        "space" => character is ' ' or (>= '\t' and <= '\r'),
        "upper" => char.IsAsciiLetterUpper(character),
        "xdigit" => char.IsAsciiHexDigit(character),
        _ => null,
    };
}
