using System.Globalization;
using System.Text.RegularExpressions;

namespace Drive.Cli;

/// <summary>A file that two machines changed: the content that gave way, under a name that says whose it is and when that was seen.</summary>
/// <param name="Path">The copy.</param>
/// <param name="Original">The file that kept its name; it may be gone meanwhile.</param>
/// <param name="Device">Whose content the copy is.</param>
/// <param name="Time">When the merge was, by that device's clock; to the minute.</param>
internal sealed partial record ConflictCopy(string Path, string Original, string Device, DateTimeOffset Time)
{
    /// <summary>Whether the file that kept its name is still there.</summary>
    public bool HasOriginal => System.IO.Path.Exists(Original);

    /// <summary>From the copy's name; null for another file's.</summary>
    public static ConflictCopy? Parse(string path)
    {
        string folder = System.IO.Path.GetDirectoryName(path) ?? "";
        Match match = Name().Match(System.IO.Path.GetFileName(path));
        return match.Success
            && DateTimeOffset.TryParseExact(match.Groups["time"].Value, "yyyy-MM-dd HH-mm", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? new ConflictCopy(path, System.IO.Path.Combine(folder, match.Groups["stem"].Value + match.Groups["end"].Value), match.Groups["device"].Value, time)
            : null;
    }

    /// <summary>All below a folder, in order of path; folders that may not be read are left out.</summary>
    public static IEnumerable<ConflictCopy> Find(string folder)
    {
        EnumerationOptions all = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.None, ReturnSpecialDirectories = false };
        return Directory.EnumerateFileSystemEntries(folder, "*(conflict, *)*", all)
            .Select(Parse).OfType<ConflictCopy>().OrderBy(static copy => copy.Path, StringComparer.Ordinal);
    }

    /// <summary>A name for the copy as a file like any other: "report (laptop).txt", with a number where that is taken.</summary>
    public string OrdinaryName()
    {
        string stem = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Original) ?? "", System.IO.Path.GetFileNameWithoutExtension(Original));
        string end = System.IO.Path.GetExtension(Original);
        for (int number = 1; ; number++)
        {
            string name = number == 1 ? $"{stem} ({Device}){end}" : $"{stem} ({Device} {number}){end}";
            if (!System.IO.Path.Exists(name))
            {
                return name;
            }
        }
    }

    // As Drive.Engine's ConflictName writes it.
    [GeneratedRegex(@"^(?<stem>.*) \(conflict, (?<device>.+), (?<time>\d{4}-\d\d-\d\d \d\d-\d\d)(, \d+)?\)(?<end>(\.[^/]*)?)$", RegexOptions.Singleline)]
    private static partial Regex Name();
}
