using System.Text;

using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata.Tests;

/// <summary>A store in a directory of its own, and short ways to make rows.</summary>
public abstract class StoreFixture : IDisposable
{
    protected const long Infinity = long.MaxValue;

    protected StoreFixture()
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("drive-metadata-").FullName;
        Path = System.IO.Path.Combine(Directory, "metadata.db");
        Store = MetadataStore.Open(Path, Key, new MetadataOptions());
    }

    protected static byte[] Key { get; } = [.. Enumerable.Range(1, 32).Select(static i => (byte)i)];

    protected string Directory { get; }

    protected string Path { get; }

    protected MetadataStore Store { get; set; }

    public void Dispose()
    {
        Store.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    protected static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    protected static NodeId Id(ulong value) => new(value);

    protected static NodeRow File(ulong node, long size = 0, uint links = 1, long time = 5) => new()
    {
        Node = Id(node),
        Mode = FileMode.Regular | 0x1A4,
        LinkCount = links,
        Uid = 1000,
        Gid = 100,
        Size = size,
        AccessTime = time,
        ModifyTime = time,
        ChangeTime = time,
        BirthTime = 1,
    };

    protected static NodeRow Folder(ulong node, uint links = 2) => File(node, 0, links) with { Mode = FileMode.Directory | 0x1ED };

    protected static EntryRow Entry(ulong parent, string name, ulong node, long entryId) => new(Id(parent), Utf8(name), Id(node), entryId);

    protected static XattrRow Xattr(ulong node, string name, string value) => new(Id(node), Utf8(name), Utf8(value));

    protected static BlockId Block(int number)
    {
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, number);
        return new BlockId(new Bytes32(bytes));
    }

    protected static ExtentRow Extent(ulong node, long offset, int length, int block = 1) => new(Id(node), offset, length, Block(block), 0);

    protected static DirtyRow Dirty(ulong node, long offset, long length = 10) =>
        new(Id(node), offset, length, DirtyKind.Data, 3, 4096, 100, 7, default);

    protected void Apply(long epoch, params Action<MetadataBatch>[] changes)
    {
        var batch = new MetadataBatch { Epoch = epoch };
        foreach (Action<MetadataBatch> change in changes)
        {
            change(batch);
        }

        Store.Apply(batch);
    }

    /// <summary>A moment at a seq: ten nanoseconds a commit, all by one device.</summary>
    protected static MomentRow At(long seq) => new(seq, seq * 10, new DeviceId(new string('d', 32)));

    protected void Land(long epoch, long seq, RowChanges? content = null) => Store.Land(epoch, new CommitNote(At(seq)), content ?? new RowChanges(), [], [], [], []);

    protected void Reopen()
    {
        Store.Dispose();
        Store = MetadataStore.Open(Path, Key, new MetadataOptions());
    }

    /// <summary>What a crash now would leave: copies of the files as they are.</summary>
    protected string CopyFiles(string name)
    {
        string path = System.IO.Path.Combine(Directory, name);
        System.IO.File.Copy(Path, path);
        if (System.IO.File.Exists(Path + "-wal"))
        {
            System.IO.File.Copy(Path + "-wal", path + "-wal");
        }

        return path;
    }
}
