using System.Globalization;

namespace Drive.Backup.Runs;

/// <summary>
/// Whether what a run found looks like people's work. Programs that encrypt or delete somebody's files touch most of them at once; so do few other things, and those a person can confirm.
/// </summary>
internal static class Plausibility
{
    /// <summary>Fewer files than this are changed all at once every day. Arbitrary.</summary>
    public const long FilesMin = 100;

    /// <summary>Null, or why the run is suspicious, for people.</summary>
    /// <param name="known">Files that the last run had.</param>
    /// <param name="changed">Of them, files that are changed.</param>
    /// <param name="gone">Of them, files that are gone.</param>
    public static string? Judge(long known, long changed, long gone)
    {
        bool isSuspicious = known >= FilesMin && changed + gone > known / 2;
        return isSuspicious
            ? string.Create(CultureInfo.InvariantCulture, $"{changed} of {known} files changed and {gone} are gone since the last run. Nothing of the past is forgotten until you decide: look at the files, then 'drive backup accept'.")
            : null;
    }
}
