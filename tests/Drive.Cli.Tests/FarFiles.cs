namespace Drive.Cli.Tests;

/// <summary>What the tests of far stores put on one machine and find on another: many small files in a folder, and a large one.</summary>
internal sealed class FarFiles(int count)
{
    private const int SmallBytes = 4096;
    private const int LargeBytes = 20 << 20;

    public void Write(string mount)
    {
        string folder = Directory.CreateDirectory(Path.Combine(mount, "letters")).FullName;
        for (int file = 0; file < count; file++)
        {
            File.WriteAllBytes(Path.Combine(folder, $"{file}"), Bytes(file, SmallBytes));
        }

        File.WriteAllBytes(Path.Combine(mount, "film"), Bytes(7, LargeBytes));
    }

    /// <summary>Recovers the vault on the other machine, mounts it, and finds everything there.</summary>
    public void FindOn(DriveHome other, string recoveryKey, string url)
    {
        Ran recovered = other.RunWith(recoveryKey, "recover", url);
        Assert.True(recovered.Code == 0, recovered.ToString());
        other.Do("mount", "drive", other.Mount);
        FindOn(other.Mount);
    }

    /// <summary>Finds everything there.</summary>
    public void FindOn(string mount)
    {
        Assert.Equal(Bytes(7, LargeBytes), File.ReadAllBytes(Path.Combine(mount, "film")));
        for (int file = 0; file < count; file += 7)
        {
            Assert.Equal(Bytes(file, SmallBytes), File.ReadAllBytes(Path.Combine(mount, "letters", $"{file}")));
        }
    }

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
