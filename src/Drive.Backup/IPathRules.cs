namespace Drive.Backup;

/// <summary>What of a set's folder is left out.</summary>
public interface IPathRules
{
    /// <summary>Whether a path is left out. A folder that is left out is not entered.</summary>
    /// <param name="relativePath">Relative to the set's path, with '/' between its parts and none in front.</param>
    /// <param name="isDirectory">Whether it is a folder.</param>
    bool IsExcluded(string relativePath, bool isDirectory);

    /// <summary>The rules inside a folder that has a <c>.driveignore</c> of its own.</summary>
    /// <param name="folderRelative">The folder, as in <see cref="IsExcluded"/>; empty for the set's path itself.</param>
    /// <param name="lines">The lines of its file.</param>
    IPathRules Enter(string folderRelative, IReadOnlyList<string> lines);
}
