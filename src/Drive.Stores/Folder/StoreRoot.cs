using System.Text;
using Drive.Core.Platform;
using Drive.Core.Stores;

namespace Drive.Stores.Folder;

/// <summary>
/// The folder of a store and its marker: a small file with a random id that tells this folder from the empty directory
/// that an unmounted disk leaves behind. Only while the marker is seen may a missing file be called absent.
/// </summary>
internal sealed class StoreRoot
{
    // No object name has a part that starts with a dot, so nothing of ours can meet an object.
    private const string MarkerName = ".store";
    private const int IdBytes = 16;
    private const int MarkerBytesMax = 128;

    private readonly IDisk _disk;
    private readonly string _marker;

    private StoreRoot(IDisk disk, string path, string id)
    {
        _disk = disk;
        Path = path;
        _marker = System.IO.Path.Combine(path, MarkerName);
        Id = id;
    }

    public string Path { get; }

    public string Id { get; }

    /// <summary>The store in the folder; with <paramref name="create"/> a missing folder or marker is made.</summary>
    public static StoreRoot Open(IDisk disk, string path, bool create, IRandomSource random)
    {
        string marker = System.IO.Path.Combine(path, MarkerName);
        if (ReadId(disk, marker) is { } id)
        {
            return new StoreRoot(disk, path, id);
        }

        if (!create)
        {
            throw new StoreException(
                StoreErrorKind.Unreachable, isTransient: true, $"There is no store in {path}. Is the disk mounted, and is the path right?");
        }

        DurableDirectory.Create(disk, path);
        string temporary = $"{marker}.{NewId(random)}";
        using (IDiskFile file = disk.Open(temporary, DiskOpenMode.CreateNew) ?? throw new IOException($"{temporary} exists already"))
        {
            file.Write(0, Encoding.ASCII.GetBytes(NewId(random) + "\n"));
            file.Sync();
        }

        // Two that create at once agree on the marker that was linked first.
        disk.TryLink(temporary, marker);
        disk.Delete(temporary);
        disk.SyncDirectory(path);
        return new StoreRoot(disk, path, ReadId(disk, marker) ?? throw new IOException($"{marker} was made and is not there"));
    }

    /// <summary>Whether the folder is there, and is the one that was opened.</summary>
    public bool IsPresent() => ReadId(_disk, _marker) == Id;

    public static string NewId(IRandomSource random)
    {
        Span<byte> id = stackalloc byte[IdBytes];
        random.Fill(id);
        return Convert.ToHexStringLower(id);
    }

    private static string? ReadId(IDisk disk, string marker)
    {
        using IDiskFile? file = disk.Open(marker, DiskOpenMode.Read);
        if (file is null)
        {
            return null;
        }

        Span<byte> text = stackalloc byte[MarkerBytesMax];
        string id = Encoding.ASCII.GetString(text[..file.Read(0, text)]).TrimEnd();
        return id.Length == IdBytes * 2 ? id : throw new IOException($"{marker} is damaged: it should hold {IdBytes * 2} hex digits");
    }
}
