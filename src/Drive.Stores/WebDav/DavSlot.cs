namespace Drive.Stores.WebDav;

/// <summary>The step of a WebDAV server that lets one of several writers have a name. See <c>docs/decisions/0016-webdav-slot.md</c>.</summary>
public enum DavSlot
{
    /// <summary>A collection with the object in it is moved to the name: <c>MOVE</c> with <c>Overwrite: F</c>. On servers over a file system that is rename(2) of a directory, which no other can replace.</summary>
    Folder,

    /// <summary><c>PUT</c> with <c>If-None-Match: *</c>.</summary>
    Put,

    /// <summary>The object alone is moved to the name: <c>MOVE</c> with <c>Overwrite: F</c>.</summary>
    Move,
}
