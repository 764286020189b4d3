using System.Buffers.Binary;
using System.Globalization;

namespace Drive.Benchmarks;

/// <summary>What is done to each side: by one thread, with the same calls and bytes.</summary>
internal sealed class Load(int filesMax, int mebibytes, int seed)
{
    private const int CallBytes = 1 << 20;
    private const int SmallBytes = 4096;
    private const int FilesPerFolder = 100;

    // Bytes that do not compress. Each call gets a stamp of its own, else a store that knows equal blocks would have nothing to do.
    private readonly byte[] _bytes = MakeBytes(seed);
    private long _stamp;

    public int Files => filesMax;

    public long Bytes => (long)mebibytes * CallBytes;

    public void WriteLarge(string path)
    {
        int file = Posix.Open(path, Posix.CreateNew);
        for (int i = 0; i < mebibytes; i++)
        {
            Posix.Write(file, Stamped(CallBytes));
        }

        Posix.Sync(file);
        Posix.Close(file);
    }

    public void ReadLarge(string path)
    {
        byte[] buffer = new byte[CallBytes];
        int file = Posix.Open(path, Posix.ReadOnly);
        long total = 0;
        for (int count; (count = Posix.Read(file, buffer)) > 0; total += count)
        {
        }

        Posix.Close(file);
        Expect(total, Bytes, path);
    }

    public void CreateSmall(string root)
    {
        Posix.MakeDirectory(root);
        foreach ((string folder, IEnumerable<string> files) in Folders(root))
        {
            Posix.MakeDirectory(folder);
            foreach (string path in files)
            {
                int file = Posix.Open(path, Posix.CreateNew);
                Posix.Write(file, Stamped(SmallBytes));
                Posix.Close(file);
            }
        }
    }

    public void ReadSmall(string root)
    {
        byte[] buffer = new byte[2 * SmallBytes];
        long total = 0;
        foreach ((_, IEnumerable<string> files) in Folders(root))
        {
            foreach (string path in files)
            {
                int file = Posix.Open(path, Posix.ReadOnly);
                total += Posix.Read(file, buffer);
                Posix.Close(file);
            }
        }

        Expect(total, (long)filesMax * SmallBytes, root);
    }

    public static void List(string root) => Shell.Run("/bin/sh", ["-c", "ls -lR \"$1\" > /dev/null", "sh", root]);

    public void DeleteSmall(string root)
    {
        foreach ((string folder, IEnumerable<string> files) in Folders(root))
        {
            foreach (string path in files)
            {
                Posix.Unlink(path);
            }

            Posix.RemoveDirectory(folder);
        }

        Posix.RemoveDirectory(root);
    }

    private IEnumerable<(string Folder, IEnumerable<string> Files)> Folders(string root)
    {
        for (int first = 0; first < filesMax; first += FilesPerFolder)
        {
            string folder = Path.Combine(root, (first / FilesPerFolder).ToString("d3", CultureInfo.InvariantCulture));
            yield return (folder, Enumerable.Range(first, Math.Min(FilesPerFolder, filesMax - first)).Select(i => $"{folder}/file-{i:d6}.bin"));
        }
    }

    private ReadOnlySpan<byte> Stamped(int length)
    {
        Span<byte> bytes = _bytes.AsSpan(0, length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, ++_stamp);
        return bytes;
    }

    private static byte[] MakeBytes(int seed)
    {
        byte[] bytes = new byte[CallBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void Expect(long found, long wanted, string where)
    {
        if (found != wanted)
        {
            throw new InvalidOperationException($"{where}: {found} bytes were read, {wanted} written.");
        }
    }
}
