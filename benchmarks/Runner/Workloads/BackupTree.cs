using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Drive.Benchmarks.Workloads;

/// <summary>
/// A folder as people back them up, made from a seed: most files are source-like text, one in twenty is binary and does not compress, four are large; some links, some modes. Half of the bytes are text, a
/// quarter is binary, a quarter is in the large files, half of which compress. No two files have a piece in common, for those who look for equal pieces would be given something there.
/// </summary>
internal sealed class BackupTree(string root, int files, long bytes, int seed)
{
    private const int LargeFiles = 4;
    private const int BinaryEvery = 20;
    private const int LinkEvery = 200;
    private const int FolderFiles = 40;
    private const int WordCount = 4096;
    private const string Parts =
        "the of = ( ) { } ; return if and to public static private int new is in value string null for a void this that when var byte long else await async true false not it as with on by use get set add list file name path " +
        "index length offset buffer count start end read write open close find make take first last next block store node tree page key data size time state error result token task line word text type from each all some " +
        "item entry record map table row column query update delete insert create remove change check test assert throw catch try using where select order group between stream socket server client request response header " +
        "body message event handler listener thread lock queue stack cache memory pointer array vector matrix number total sum average minimum maximum range limit";

    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly Random _random = new(seed);
    private readonly byte[][] _words = Words(new Random(seed + 1));
    private readonly byte[] _buffer = new byte[1 << 20];

    public string Root => root;

    public int Files => files;

    /// <summary>Bytes of all files as they are now.</summary>
    public long Bytes { get; private set; }

    public void Make()
    {
        int large = Math.Min(LargeFiles, files);
        int small = files - large;
        int binaries = small / BinaryEvery;
        Directory.CreateDirectory(root);
        for (int i = 0; i < small; i++)
        {
            string folder = FolderOf(i);
            if (i % FolderFiles == 0)
            {
                Directory.CreateDirectory(folder);
            }

            bool isBinary = IsBinary(i);
            double mean = isBinary ? bytes / 4.0 / Math.Max(binaries, 1) : bytes / 2.0 / (small - binaries);

            // Sizes as they are met: most files are smaller than the mean, some are many times as large (an exponential distribution).
            Write(PathOf(i), 1 + (long)(-Math.Log(1 - _random.NextDouble()) * mean), !isBinary);
            File.SetUnixFileMode(PathOf(i), i % 10 == 0 ? Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute : Plain);
            if (i % LinkEvery == 0)
            {
                File.CreateSymbolicLink(Path.Combine(folder, "link"), Path.GetFileName(PathOf(i)));
            }
        }

        string rest = Directory.CreateDirectory(Path.Combine(root, "large")).FullName;
        for (int i = 0; i < large; i++)
        {
            Write(Path.Combine(rest, $"{i}.dat"), bytes / 4 / large, isText: i % 2 == 0);
        }

        Bytes = new DirectoryInfo(root).EnumerateFiles("*", SearchOption.AllDirectories).Where(static file => file.LinkTarget is null).Sum(static file => file.Length);
    }

    /// <summary>Changes one small file in a hundred, others each time: a text gets another end, a binary another content.</summary>
    public int Change(int time)
    {
        int changed = 0;
        for (int i = time % 100; i < files - LargeFiles; i += 100)
        {
            string path = PathOf(i);
            long length = new FileInfo(path).Length;
            if (IsBinary(i))
            {
                Write(path, length, isText: false);
            }
            else
            {
                using FileStream file = new(path, FileMode.Append);
                Fill(64, isText: true);
                file.Write(_buffer, 0, 64);
                Bytes += 64;
            }

            changed++;
        }

        return changed;
    }

    /// <summary>Has the kernel hold all of it in memory. Programs that back up may tell it that they are done with what they read (borg does so), and who came next would read from the disk.</summary>
    public void Warm()
    {
        foreach (FileInfo file in new DirectoryInfo(root).EnumerateFiles("*", SearchOption.AllDirectories).Where(static file => file.LinkTarget is null))
        {
            using FileStream content = new(file.FullName, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            while (content.Read(_buffer) > 0)
            {
                // It is enough that it was read.
            }
        }
    }

    /// <summary>Holds a restored folder against the tree: names, kinds, bytes, modes and times. Null when all is the same, else the first thing that is not.</summary>
    public string? FindDifference(string restored)
    {
        string[] mine = Names(root);
        string[] theirs = Names(restored);
        if (!mine.AsSpan().SequenceEqual(theirs))
        {
            return $"{mine.Length} names were backed up, {theirs.Length} came back, or others";
        }

        foreach (string name in mine)
        {
            FileSystemInfo one = Look(Path.Combine(root, name));
            FileSystemInfo other = Look(Path.Combine(restored, name));
            if (one.LinkTarget != other.LinkTarget || one.Attributes.HasFlag(FileAttributes.Directory) != other.Attributes.HasFlag(FileAttributes.Directory))
            {
                return $"{name} is something else";
            }

            if (one.LinkTarget is null && (one.UnixFileMode != other.UnixFileMode || one.LastWriteTimeUtc != other.LastWriteTimeUtc))
            {
                return $"{name} has the mode {other.UnixFileMode} and the time {other.LastWriteTimeUtc:O} instead of {one.UnixFileMode} and {one.LastWriteTimeUtc:O}";
            }

            if (one is FileInfo { LinkTarget: null } && !Sum(one.FullName).AsSpan().SequenceEqual(Sum(other.FullName)))
            {
                return $"{name} has other bytes";
            }
        }

        return null;
    }

    private static string[] Names(string top) =>
        [.. Directory.EnumerateFileSystemEntries(top, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Select(path => Path.GetRelativePath(top, path)).Order(StringComparer.Ordinal)];

    private static FileSystemInfo Look(string path) => Directory.Exists(path) && new FileInfo(path).LinkTarget is null ? new DirectoryInfo(path) : new FileInfo(path);

    private static byte[] Sum(string path)
    {
        using FileStream file = File.OpenRead(path);
        return SHA256.HashData(file);
    }

    private static bool IsBinary(int index) => index % BinaryEvery == BinaryEvery - 1;

    private string FolderOf(int index) => Path.Combine(root, $"part{index / FolderFiles / 50}", $"unit{index / FolderFiles % 50}");

    private string PathOf(int index) => Path.Combine(FolderOf(index), IsBinary(index) ? $"image{index}.png" : $"source{index}.cs");

    private void Write(string path, long length, bool isText)
    {
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (long left = length; left > 0;)
        {
            int piece = (int)Math.Min(left, _buffer.Length);
            Fill(piece, isText);
            file.Write(_buffer, 0, piece);
            left -= piece;
        }
    }

    private void Fill(int length, bool isText)
    {
        Span<byte> to = _buffer.AsSpan(0, length);
        if (!isText)
        {
            _random.NextBytes(to);
            return;
        }

        while (!to.IsEmpty)
        {
            // Some words are met far more often than others; now and then comes a number, or a new line with its indentation.
            double chance = _random.NextDouble();
            byte[] word = _random.Next(8) switch
            {
                0 => Encoding.ASCII.GetBytes(_random.Next(1_000_000).ToString(CultureInfo.InvariantCulture)),
                1 => "\n        "u8.ToArray(),
                _ => _words[(int)(WordCount * chance * chance * chance)],
            };
            int count = Math.Min(word.Length, to.Length);
            word.AsSpan(0, count).CopyTo(to);
            to = to[count..];
            if (!to.IsEmpty)
            {
                to[0] = (byte)' ';
                to = to[1..];
            }
        }
    }

    /// <summary>Names and words as a program's text has them: made of those below, one to three at a time.</summary>
    private static byte[][] Words(Random random)
    {
        string[] parts = Parts.Split(' ');
        string[] words = new string[WordCount];
        for (int i = 0; i < WordCount; i++)
        {
            words[i] = i < parts.Length ? parts[i] : string.Concat(Enumerable.Range(0, 2 + random.Next(2)).Select(_ => random.Next(parts.Length)).Select((part, at) => at == 0 ? parts[part] : char.ToUpperInvariant(parts[part][0]) + parts[part][1..]));
        }

        return [.. words.Select(Encoding.ASCII.GetBytes)];
    }
}
