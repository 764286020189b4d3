using System.Globalization;
using System.Text;

namespace Drive.Service.Keys;

/// <summary>
/// Unicode's normalization form C, so that a passphrase opens whichever way a keyboard composes its letters. The runtime's own leaves strings
/// as they are where it runs without ICU, as Drive does; and a passphrase must not depend on the version of a library.
/// </summary>
internal static class CanonicalForm
{
    // Hangul syllables are put together by arithmetic (Unicode standard, 3.12).
    private const int SyllableFirst = 0xAC00;
    private const int LeadFirst = 0x1100;
    private const int VowelFirst = 0x1161;
    private const int TailBefore = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int SyllableCount = LeadCount * VowelCount * TailCount;

    private static readonly Lazy<Tables> Data = new(Tables.Read);

    /// <summary>The text in form C. What is no Unicode (half a surrogate pair) becomes U+FFFD, as it would in UTF-8.</summary>
    public static string Compose(string text) => Ascii.IsValid(text) ? text : Compose(text, Data.Value);

    private static string Compose(string text, Tables tables)
    {
        List<int> points = [];
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, tables, points);
        }

        Order(points, tables);
        Join(points, tables);
        StringBuilder composed = new(text.Length);
        foreach (int point in points)
        {
            composed.Append(new Rune(point).ToString());
        }

        return composed.ToString();
    }

    private static void Decompose(int point, Tables tables, List<int> points)
    {
        int syllable = point - SyllableFirst;
        if (syllable is >= 0 and < SyllableCount)
        {
            points.Add(LeadFirst + (syllable / (VowelCount * TailCount)));
            points.Add(VowelFirst + (syllable / TailCount % VowelCount));
            if (syllable % TailCount > 0)
            {
                points.Add(TailBefore + (syllable % TailCount));
            }
        }
        else if (tables.Parts.TryGetValue(point, out int[]? parts))
        {
            foreach (int part in parts)
            {
                Decompose(part, tables, points);
            }
        }
        else
        {
            points.Add(point);
        }
    }

    // Marks behind a base letter stand by their class; equal ones stay in the order that they were typed in.
    private static void Order(List<int> points, Tables tables)
    {
        for (int i = 1; i < points.Count; i++)
        {
            int point = points[i];
            int rank = tables.ClassOf(point);
            int at = i;
            while (rank != 0 && at > 0 && tables.ClassOf(points[at - 1]) > rank)
            {
                points[at] = points[at - 1];
                at--;
            }

            points[at] = point;
        }
    }

    private static void Join(List<int> points, Tables tables)
    {
        int kept = 0;
        int letter = -1;
        int lastRank = 0;
        for (int i = 0; i < points.Count; i++)
        {
            int point = points[i];
            int rank = tables.ClassOf(point);

            // A mark reaches its letter unless one of the same or a higher class, or another letter, stands between.
            bool reaches = letter >= 0 && (letter == kept - 1 || (lastRank != 0 && lastRank < rank));
            if (reaches && Pair(points[letter], point, tables) is { } joined)
            {
                points[letter] = joined;
                continue;
            }

            letter = rank == 0 ? kept : letter;
            lastRank = rank;
            points[kept++] = point;
        }

        points.RemoveRange(kept, points.Count - kept);
    }

    private static int? Pair(int first, int second, Tables tables)
    {
        if (first is >= LeadFirst and < LeadFirst + LeadCount && second is >= VowelFirst and < VowelFirst + VowelCount)
        {
            return SyllableFirst + ((((first - LeadFirst) * VowelCount) + second - VowelFirst) * TailCount);
        }

        int syllable = first - SyllableFirst;
        return syllable is >= 0 and < SyllableCount && syllable % TailCount == 0 && second is > TailBefore and < TailBefore + TailCount ? first + second - TailBefore
            : tables.Pairs.TryGetValue((first, second), out int joined) ? joined
            : null;
    }

    private sealed class Tables
    {
        private readonly Dictionary<int, int> _classes = [];

        public Dictionary<int, int[]> Parts { get; } = [];

        public Dictionary<(int First, int Second), int> Pairs { get; } = [];

        public static Tables Read()
        {
            Tables tables = new();
            using StreamReader lines = new(typeof(CanonicalForm).Assembly.GetManifestResourceStream("canonical-forms.txt")!);
            while (lines.ReadLine() is { } line)
            {
                if (line.Length > 0 && line[0] != '#')
                {
                    tables.Add(line);
                }
            }

            return tables;
        }

        public int ClassOf(int point) => _classes.GetValueOrDefault(point);

        private void Add(string line)
        {
            if (line.Split('=') is [var composed, var parts])
            {
                bool isOneWay = composed.EndsWith('!');
                int point = Number(composed.TrimEnd('!'));
                int[] into = [.. parts.Split(' ').Select(Number)];
                Parts.Add(point, into);
                if (!isOneWay)
                {
                    Pairs.Add((into[0], into[1]), point);
                }
            }
            else if (line.Split('-', ':') is [var first, var last, var rank])
            {
                for (int point = Number(first); point <= Number(last); point++)
                {
                    _classes.Add(point, int.Parse(rank, CultureInfo.InvariantCulture));
                }
            }
        }

        private static int Number(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
