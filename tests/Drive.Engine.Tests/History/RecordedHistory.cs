using System.Text;
using System.Text.RegularExpressions;
using Drive.Core.Volumes;
using Drive.Testing;
using Drive.Testing.Model;

namespace Drive.Engine.Tests.History;

/// <summary>What a volume showed after some of its commits: the judge of what the past shows.</summary>
internal sealed partial class RecordedHistory
{
    private readonly SortedDictionary<long, (TreeSnapshot Tree, string Shape)> _moments = [];

    public IReadOnlyCollection<long> Seqs => _moments.Keys;

    /// <summary>Notes the tree of a volume all of which is committed.</summary>
    public async Task NoteAsync(Volume volume) =>
        _moments[volume.GetStatus().Seq] = (await TreeSnapshot.CaptureAsync(volume), await ShapeAsync(volume));

    /// <summary>Expects only what history keeps from now on.</summary>
    public void Forget(Core.History.KeptHistory kept)
    {
        foreach (long seq in _moments.Keys.Where(seq => !kept.Keeps(seq)).ToList())
        {
            _moments.Remove(seq);
        }
    }

    /// <summary>Holds that each noted state is shown as it was: attributes, content, links, xattrs, which paths are one node, and where files have holes.</summary>
    public async Task CompareAsync(Func<long, IVolume> openPast, string when)
    {
        foreach ((long seq, (TreeSnapshot tree, string shape)) in _moments)
        {
            IVolume past = openPast(seq);
            List<string> differences = tree.Differences(await TreeSnapshot.CaptureAsync(past));
            Assert.True(differences.Count == 0, $"{when}, commit {seq}:\n{string.Join('\n', differences)}");
            Assert.Equal(shape, await ShapeAsync(past));
        }
    }

    /// <summary>Holds that what lies below a directory is as the whole was after a commit.</summary>
    public async Task CompareBelowAsync(IVolume volume, NodeId top, long seq)
    {
        List<string> differences = _moments[seq].Tree.Differences(await TreeSnapshot.CaptureAsync(volume, top));
        Assert.True(differences.Count == 0, $"commit {seq}:\n{string.Join('\n', differences)}");
    }

    /// <summary>Holds that what lies below a directory is as the whole was, but for change times, which nobody can set.</summary>
    public async Task CompareRestoredAsync(IVolume volume, NodeId top, long seq, string when)
    {
        Assert.Equal($"{when}\n{WithoutChangeTimes(_moments[seq].Tree)}", $"{when}\n{WithoutChangeTimes(await TreeSnapshot.CaptureAsync(volume, top))}");
        Assert.Equal(_moments[seq].Shape, await ShapeAsync(volume, top));
    }

    private static string WithoutChangeTimes(TreeSnapshot tree) => ChangeTime().Replace(tree.Text, "");

    [GeneratedRegex(@" changed=-?\d+")]
    private static partial Regex ChangeTime();

    /// <summary>Data and holes of all files, and what they take.</summary>
    private static async Task<string> ShapeAsync(IVolume volume, NodeId? top = null)
    {
        StringBuilder shape = new();
        Stack<(string Path, NodeId Node)> pending = new([("", top ?? NodeId.Root)]);
        while (pending.TryPop(out (string Path, NodeId Node) directory))
        {
            DirectoryCollector entries = new();
            Assert.Equal(FsStatus.Ok, volume.OpenDirectory(directory.Node, out HandleId handle));
            Assert.Equal(FsStatus.Ok, volume.ReadDirectory(handle, 0, entries));
            volume.CloseDirectory(handle);
            foreach ((byte[] name, NodeAttributes attributes, _) in entries.Entries.OrderBy(static entry => entry.Name, ByteNameComparer.Instance))
            {
                string path = directory.Path + "/" + Encoding.Latin1.GetString(name);
                if (path.EndsWith("/.", StringComparison.Ordinal) || path.EndsWith("/..", StringComparison.Ordinal))
                {
                    continue;
                }

                if (FileMode.IsDirectory(attributes.Mode))
                {
                    pending.Push((path, attributes.Node));
                }
                else if (FileMode.IsRegular(attributes.Mode))
                {
                    // A small file is told as if it had no holes, once the vault has it.
                    shape.Append(path).Append(' ').Append(attributes.Size > 64 << 10 ? attributes.AllocatedBytes : 0).AppendJoin(' ', Ranges(volume, attributes)).AppendLine();
                }
            }
        }

        return await Task.FromResult(shape.ToString());
    }

    private static IEnumerable<string> Ranges(IVolume volume, NodeAttributes file)
    {
        for (long offset = 0; volume.Seek(HandleId.Of(file.Node), offset, SeekTarget.Data, out long data) == FsStatus.Ok;)
        {
            Assert.Equal(FsStatus.Ok, volume.Seek(HandleId.Of(file.Node), data, SeekTarget.Hole, out offset));
            yield return $" {data}-{offset}";
        }
    }
}
