namespace Drive.Backup.Patterns;

/// <summary>One line of a file in the syntax of gitignore(5).</summary>
internal sealed class IgnorePattern
{
    private readonly string _text;
    private readonly bool _isForFolders;
    private readonly bool _isForNames;

    // So much of the text is compared as it is.
    private readonly int _plainLength;

    private IgnorePattern(string text, bool isNegated, bool isForFolders)
    {
        IsNegated = isNegated;
        _isForFolders = isForFolders;
        _isForNames = !text.Contains('/');
        _text = text.StartsWith('/') ? text[1..] : text;
        int wild = _text.AsSpan().IndexOfAny("*?[\\");
        _plainLength = wild < 0 ? _text.Length : wild;
    }

    /// <summary>Whether what matches is taken after all.</summary>
    public bool IsNegated { get; }

    /// <summary>The pattern of a line; null for an empty one, or a comment.</summary>
    public static IgnorePattern? Parse(string line)
    {
        ReadOnlySpan<char> text = line.AsSpan();
        if (text.StartsWith('#'))
        {
            return null;
        }

        text = WithoutTrailingSpaces(text.EndsWith('\r') ? text[..^1] : text);
        bool isNegated = text.StartsWith('!');
        text = isNegated ? text[1..] : text;
        bool isForFolders = text.EndsWith('/');
        text = isForFolders ? text[..^1] : text;
        return text.IsEmpty ? null : new IgnorePattern(text.ToString(), isNegated, isForFolders);
    }

    /// <summary>Whether it says something of a path.</summary>
    /// <param name="path">From the folder of the pattern's file, parts between slashes.</param>
    /// <param name="isDirectory">Whether it is a folder.</param>
    public bool Says(ReadOnlySpan<char> path, bool isDirectory)
    {
        if (_isForFolders && !isDirectory)
        {
            return false;
        }

        ReadOnlySpan<char> text = _isForNames ? path[(path.LastIndexOf('/') + 1)..] : path;

        // What is plain at the beginning goes first, as in git: so stars after it count as the beginning of a pattern.
        return text.StartsWith(_text.AsSpan(0, _plainLength), StringComparison.Ordinal)
            && (_plainLength == _text.Length ? text.Length == _plainLength : Wildmatch.IsMatch(_text.AsSpan(_plainLength), text[_plainLength..]));
    }

    /// <summary>The text of a path as a pattern that means just it.</summary>
    public static string Quote(string path)
    {
        System.Text.StringBuilder quoted = new(path.Length);
        foreach (char character in path)
        {
            quoted.Append(character is '*' or '?' or '[' or '\\' or '!' or '#' or ' ' ? "\\" : "").Append(character);
        }

        return quoted.ToString();
    }

    // A backslash keeps a space.
    private static ReadOnlySpan<char> WithoutTrailingSpaces(ReadOnlySpan<char> line)
    {
        int end = 0;
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] == '\\')
            {
                if (++i == line.Length)
                {
                    return line;
                }

                end = i + 1;
            }
            else if (line[i] != ' ')
            {
                end = i + 1;
            }
        }

        return line[..end];
    }
}
