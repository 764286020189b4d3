using System.Text;
using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>
/// What every <see cref="IVolume"/> keeps: each call, each status of it, and what it does to links and times. Inherit it, give a fresh empty
/// volume, and all tests run. The clock stands still unless a test moves it. Split by aspect into the files of <c>Contract/</c>.
/// </summary>
public abstract partial class VolumeContract : IAsyncLifetime
{
    private const uint AllAccess = 0x1FF;
    private const uint FileAccess = 0x1A4;

    private static readonly Caller Owner = new(1000, 1001);

    protected ManualTime Time { get; } = new();

    protected IVolume Volume { get; private set; } = null!;

    private static NodeId Root => NodeId.Root;

    /// <summary>A new, empty volume on this clock.</summary>
    protected abstract Task<IVolume> CreateAsync(TimeProvider time);

    /// <summary>The same volume with its content, refusing changes.</summary>
    protected abstract Task<IVolume> ReopenReadOnlyAsync(IVolume volume);

    public async Task InitializeAsync() => Volume = await CreateAsync(Time);

    public async Task DisposeAsync() => await Volume.DisposeAsync();

    private static byte[] Name(string name) => Encoding.UTF8.GetBytes(name);

    private static byte[] Pattern(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void AssertBytes(byte[] expected, byte[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        int same = expected.AsSpan().CommonPrefixLength(actual);
        Assert.True(same == expected.Length, $"First difference at {same} of {expected.Length}.");
    }

    private static void Ok(FsStatus status) => Assert.Equal(FsStatus.Ok, status);

    private void Tick() => Time.Advance(TimeSpan.FromSeconds(1));

    private long Now() => (Time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * 100;

    private NodeAttributes Stat(NodeId node)
    {
        Ok(Volume.GetAttributes(node, out NodeAttributes attributes));
        Assert.Equal(node, attributes.Node);
        return attributes;
    }

    private NodeId Find(NodeId parent, string name)
    {
        Ok(Volume.Lookup(parent, Name(name), out NodeAttributes attributes));
        return attributes.Node;
    }

    private FsStatus Look(NodeId parent, string name) => Volume.Lookup(parent, Name(name), out _);

    private NodeId MakeDirectory(NodeId parent, string name, uint mode = AllAccess)
    {
        Ok(Volume.MakeDirectory(parent, Name(name), mode, Owner, out NodeAttributes attributes));
        return attributes.Node;
    }

    private NodeId MakeFile(NodeId parent, string name, byte[]? content = null)
    {
        Ok(Volume.MakeNode(parent, Name(name), FileMode.Regular | FileAccess, 0, Owner, out NodeAttributes attributes));
        if (content is not null)
        {
            HandleId handle = Open(attributes.Node);
            Write(handle, 0, content);
            Volume.Close(handle);
        }

        return attributes.Node;
    }

    private NodeId MakeLink(NodeId parent, string name, string target = "target")
    {
        Ok(Volume.MakeSymbolicLink(parent, Name(name), Name(target), Owner, out NodeAttributes attributes));
        return attributes.Node;
    }

    private HandleId Open(NodeId node, OpenOptions options = OpenOptions.Read | OpenOptions.Write)
    {
        Ok(Volume.Open(node, options, out HandleId handle));
        Assert.NotEqual(HandleId.None, handle);
        return handle;
    }

    private void Write(HandleId handle, long offset, byte[] data, WriteOptions options = WriteOptions.None) =>
        Ok(Volume.Write(handle, offset, data, options));

    private async Task<byte[]> ReadAsync(HandleId handle, long offset, int count)
    {
        byte[] buffer = new byte[count];
        IoResult result = await Volume.ReadAsync(handle, offset, buffer, CancellationToken.None);
        Ok(result.Status);
        return buffer[..(int)result.Count];
    }

    private async Task<byte[]> ReadAllAsync(NodeId node)
    {
        HandleId handle = Open(node, OpenOptions.Read);
        byte[] bytes = await ReadAsync(handle, 0, (int)Stat(node).Size);
        Volume.Close(handle);
        return bytes;
    }

    private NodeAttributes Change(NodeId node, AttributeChange change)
    {
        Ok(Volume.SetAttributes(node, HandleId.None, change, out NodeAttributes attributes));
        Assert.Equal(node, attributes.Node);
        return attributes;
    }

    private NodeAttributes SetSize(NodeId node, long size) => Change(node, new AttributeChange { Fields = AttributeFields.Size, Size = size });

    private NodeAttributes SetMode(NodeId node, uint mode) => Change(node, new AttributeChange { Fields = AttributeFields.Mode, Mode = mode });

    private FsStatus Rename(NodeId parent, string name, NodeId newParent, string newName, RenameOptions options = RenameOptions.None) =>
        Volume.Rename(parent, Name(name), newParent, Name(newName), options);

    private List<string> List(NodeId node, int chunk = int.MaxValue)
    {
        Ok(Volume.OpenDirectory(node, out HandleId handle));
        DirectoryCollector collector = new(chunk);
        List<string> names = [];
        do
        {
            collector.Clear();
            Ok(Volume.ReadDirectory(handle, collector.NextCookie, collector));
            names.AddRange(collector.Names);
        }
        while (collector.Names.Count > 0);
        Volume.CloseDirectory(handle);
        return names;
    }

    private List<string> ListNames(NodeId node, int chunk = int.MaxValue) => [.. List(node, chunk).Where(name => name is not ("." or ".."))];

    /// <summary>Runs a call one second later and holds which times of the node it marked.</summary>
    private void AssertMarks(NodeId node, Marks marks, Action call)
    {
        NodeAttributes before = Stat(node);
        Tick();
        call();
        NodeAttributes after = Stat(node);
        Assert.Equal((marks & Marks.Modify) != 0 ? Now() : before.ModifyTime, after.ModifyTime);
        Assert.Equal((marks & Marks.Change) != 0 ? Now() : before.ChangeTime, after.ChangeTime);
        Assert.Equal(before.BirthTime, after.BirthTime);
    }

    [Flags]
    private enum Marks
    {
        None = 0,
        Modify = 1,
        Change = 2,
        Both = 3,
    }
}
