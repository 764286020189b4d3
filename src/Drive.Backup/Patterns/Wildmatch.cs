namespace Drive.Backup.Patterns;

/// <summary>
/// Matches a name or a path against a pattern with wildcards as git does: <c>*</c> and <c>?</c> stop at a slash, <c>**</c> beside slashes does not, <c>[...]</c> has
/// ranges and POSIX classes, a backslash takes the next character as it is. A translation of git's wildmatch, whose answers at the edges people know.
/// </summary>
internal static class Wildmatch
{
    private enum Answer
    {
        Match,
        NoMatch,

        /// <summary>No text that begins later can match either.</summary>
        Never,

        /// <summary>None before the next <c>**</c> further out.</summary>
        NeverWithinFolder,
    }

    /// <summary>Whether the whole text matches the whole pattern.</summary>
    public static bool IsMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text) => Match(pattern, text) == Answer.Match;

    private static Answer Match(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0;
        int t = 0;
        for (; p < pattern.Length; p++, t++)
        {
            if (t == text.Length && pattern[p] != '*')
            {
                return Answer.Never;
            }

            switch (pattern[p])
            {
                case '*':
                    int first = p;
                    while (p < pattern.Length && pattern[p] == '*')
                    {
                        p++;
                    }

                    bool crossesFolders = p - first > 1 && (first == 0 || pattern[first - 1] == '/') && EndsFolder(pattern[p..]);
                    if (crossesFolders && p < pattern.Length && pattern[p] == '/' && Match(pattern[(p + 1)..], text[t..]) == Answer.Match)
                    {
                        // In a/**/b the stars may stand for nothing, and one slash for both.
                        return Answer.Match;
                    }

                    if (p == pattern.Length)
                    {
                        return crossesFolders || !text[t..].Contains('/') ? Answer.Match : Answer.NeverWithinFolder;
                    }

                    if (crossesFolders || pattern[p] != '/')
                    {
                        return MatchStar(pattern[p..], text[t..], crossesFolders);
                    }

                    int slash = text[t..].IndexOf('/');
                    if (slash < 0)
                    {
                        return Answer.Never;
                    }

                    t += slash;
                    break;
                case '?':
                    if (text[t] == '/')
                    {
                        return Answer.NoMatch;
                    }

                    break;
                case '[':
                    bool? isIn = CharacterSet.Contains(pattern, ref p, text[t]);
                    if (isIn is null)
                    {
                        return Answer.Never;
                    }

                    if (isIn == false || text[t] == '/')
                    {
                        return Answer.NoMatch;
                    }

                    break;
                case '\\':
                    p++;
                    if (p == pattern.Length || pattern[p] != text[t])
                    {
                        return Answer.NoMatch;
                    }

                    break;
                default:
                    if (pattern[p] != text[t])
                    {
                        return Answer.NoMatch;
                    }

                    break;
            }
        }

        return t == text.Length ? Answer.Match : Answer.NoMatch;
    }

    private static bool EndsFolder(ReadOnlySpan<char> pattern) => pattern.IsEmpty || pattern[0] == '/' || pattern.StartsWith(@"\/");

    private static Answer MatchStar(ReadOnlySpan<char> rest, ReadOnlySpan<char> text, bool crossesFolders)
    {
        for (int t = 0; t < text.Length; t++)
        {
            // Most tries fail at the first character: they need no call.
            if (rest[0] is '*' or '?' or '[' or '\\' || rest[0] == text[t])
            {
                Answer answer = Match(rest, text[t..]);
                if (answer != Answer.NoMatch && (!crossesFolders || answer != Answer.NeverWithinFolder))
                {
                    return answer;
                }
            }

            if (!crossesFolders && text[t] == '/')
            {
                return Answer.NeverWithinFolder;
            }
        }

        return Answer.Never;
    }
}
