using System.Text;
using BenchmarkDotNet.Attributes;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Micro;

/// <summary>The local database, on the disk that holds the directory for temporary files: 100,000 files of one vault.</summary>
public class MetadataBenchmarks
{
    private const int Files = 100_000;
    private const int FilesPerFolder = 100;
    private const int BatchFiles = 100;
    private const ulong FirstFile = 1_000_000;

    private readonly List<EntryRow> _entries = [];
    private string _directory = "";
    private MetadataStore _store = null!;
    private ulong _next = FirstFile;
    private long _epoch;
    private long _seq;
    private int _random = 1;

    [GlobalSetup]
    public void Begin()
    {
        _directory = Directory.CreateTempSubdirectory("drive-micro-").FullName;
        _store = MetadataStore.Open(Path.Combine(_directory, "metadata.db"), new byte[32], new MetadataOptions());
        for (int i = 0; i < Files / BatchFiles; i++)
        {
            ApplyBatch();
            LandBatch();
        }
    }

    [GlobalCleanup]
    public void End()
    {
        _store.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark(Description = "look up a name and its node")]
    public NodeRow? LookUp()
    {
        ulong file = RandomFile();
        return _store.FindEntry(FolderOf(file), NameOf(file)) is { } entry ? _store.FindNode(entry.Node) : null;
    }

    [Benchmark(Description = "look up a name that is not there")]
    public EntryRow? Miss() => _store.FindEntry(FolderOf(RandomFile()), "nothing"u8);

    [Benchmark(Description = "list a folder of 100")]
    public int List()
    {
        _entries.Clear();
        return _store.ReadEntries(FolderOf(RandomFile()), 0, FilesPerFolder, _entries);
    }

    [Benchmark(Description = "apply 100 new files, and land them, per file", OperationsPerInvoke = BatchFiles)]
    public void ApplyAndLand()
    {
        ApplyBatch();
        LandBatch();
    }

    private static NodeId FolderOf(ulong file) => new(2 + ((file - FirstFile) / FilesPerFolder));

    private static byte[] NameOf(ulong file) => Encoding.UTF8.GetBytes($"file-{file}");

    private ulong RandomFile()
    {
        _random = (int)((_random * 48271L) % int.MaxValue);
        return FirstFile + (ulong)(_random % Files);
    }

    private void ApplyBatch()
    {
        MetadataBatch batch = new() { Epoch = _epoch };
        for (int i = 0; i < BatchFiles; i++, _next++)
        {
            batch.PutNode(new NodeRow { Node = new NodeId(_next), Mode = FileMode.Regular | 0x1A4, LinkCount = 1, Size = 4096 }, isNew: true);
            batch.PutEntry(new EntryRow(FolderOf(_next), NameOf(_next), new NodeId(_next), (long)_next));
        }

        _store.Apply(batch);
    }

    private void LandBatch() => _store.Land(_epoch++, new CommitNote(new MomentRow(++_seq, 0, new DeviceId(""))), new RowChanges(), [], [], [], []);
}
