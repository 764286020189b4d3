namespace Drive.Core.Volumes;

/// <summary>A volume whose content may be far away, for who knows what he will read: what posix_fadvise(2), POSIX_FADV_WILLNEED, is for one file.</summary>
public interface IReadAhead
{
    /// <summary>
    /// Begins to bring the content of files to this machine, in this order, and does not wait for it; best effort. Nothing happens where the content is near, or as much as may be is under way already:
    /// who reads a file fetches what is not there.
    /// </summary>
    /// <param name="files">Attributes of regular files; some MiB of content.</param>
    void FetchAhead(IReadOnlyList<NodeAttributes> files);
}
