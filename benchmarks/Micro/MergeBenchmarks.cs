using System.Text;
using BenchmarkDotNet.Attributes;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Merging;
using Drive.Engine.Tree;
using Drive.Metadata;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Micro;

/// <summary>What is decided when another device's commit meets changes of this one: 1,000 each in a tree of 10,000 files, the half of them at the same file or name.</summary>
public class MergeBenchmarks
{
    private const int Files = 10_000;
    private const int Changes = 1000;
    private const ulong FirstFile = 1_000_000;
    private const ulong FirstNewOfMine = 2_000_000;
    private const ulong FirstNewOfTheirs = 3_000_000;

    private string _directory = "";
    private MetadataStore _store = null!;
    private RowChanges _mine = null!;
    private RowChanges _theirs = null!;

    [GlobalSetup]
    public void Begin()
    {
        _directory = Directory.CreateTempSubdirectory("drive-micro-").FullName;
        _store = MetadataStore.Open(Path.Combine(_directory, "metadata.db"), new byte[32], new MetadataOptions());
        MetadataBatch batch = new();
        for (int i = 0; i < Files; i += 100)
        {
            batch.PutNode(new NodeRow { Node = Folder(i), Mode = FileMode.Directory | 0x1ED, LinkCount = 2 }, isNew: true);
            batch.PutEntry(new EntryRow(NodeId.Root, Name("folder", i), Folder(i), Files + i));
        }

        for (int i = 0; i < Files; i++)
        {
            NodeId file = new(FirstFile + (ulong)i);
            batch.PutNode(File(file, 4096), isNew: true);
            batch.PutEntry(new EntryRow(Folder(i), Name("file", i), file, i + 1));
        }

        _store.Apply(batch);
        _store.Land(0, new CommitNote(new MomentRow(1, 0, new DeviceId(""))), new RowChanges(), [], [], [], []);
        _mine = Change(0, FirstNewOfMine);
        _theirs = Change(Changes / 4, FirstNewOfTheirs);
    }

    [GlobalCleanup]
    public void End()
    {
        _store.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark(Description = "merge 1,000 changes with 1,000 of another device, half of them at the same place, per change", OperationsPerInvoke = Changes)]
    public object Merge()
    {
        ulong next = 4_000_000;
        return new TreeMerge(
            new BaseTree(_store, 1), Index(_mine), Index(_theirs), new ConflictName("laptop", DateTimeOffset.UnixEpoch), () => new NodeId(next++), static (_, _) => false).Run();
    }

    private static ChangeIndex Index(RowChanges rows) => new(rows, rows.Closed.Nodes.Select(static row => row.Node));

    /// <summary>The half edits files, the other half makes new ones.</summary>
    private RowChanges Change(int first, ulong firstNew)
    {
        RowChanges rows = new();
        for (int i = first; i < first + (Changes / 2); i++)
        {
            NodeRow old = _store.FindNode(new NodeId(FirstFile + (ulong)i))!;
            rows.Closed.Nodes.Add(old);
            rows.Opened.Nodes.Add(File(old.Node, old.Size + i));
            NodeId made = new(firstNew + (ulong)i);
            rows.Opened.Nodes.Add(File(made, 1));
            rows.Opened.Entries.Add(new EntryRow(Folder(i), Name("new", i), made, Files + i + 1));
        }

        return rows;
    }

    private static NodeRow File(NodeId node, long size) => new() { Node = node, Mode = FileMode.Regular | 0x1A4, LinkCount = 1, Size = size };

    private static NodeId Folder(int file) => new(2 + ((ulong)file / 100));

    private static byte[] Name(string stem, int file) => Encoding.UTF8.GetBytes($"{stem}-{file}");
}
