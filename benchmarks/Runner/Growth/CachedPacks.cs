namespace Drive.Benchmarks.Growth;

/// <summary>
/// A block cache that holds many packs, without their bytes: what a start reads of them is their maps. Each is made like the one that the drive cached itself: its map, and a sparse
/// file of its length, under the name of a pack that no file needs.
/// </summary>
internal sealed class CachedPacks(string cacheRoot, Random random)
{
    private const string MapSuffix = ".map";
    private const int IdBytes = 32;
    private int _made;

    /// <summary>Makes it so many; what serves the drive does not run.</summary>
    public void Fill(int count)
    {
        string map = Directory.EnumerateFiles(cacheRoot, "*" + MapSuffix, SearchOption.AllDirectories).First();
        long length = new FileInfo(map[..^MapSuffix.Length]).Length;
        string packs = Path.GetDirectoryName(Path.GetDirectoryName(map))!;
        byte[] id = new byte[IdBytes];
        for (; _made < count; _made++)
        {
            random.NextBytes(id);
            string name = Convert.ToHexStringLower(id);
            string pack = Path.Combine(Directory.CreateDirectory(Path.Combine(packs, name[..2])).FullName, name);
            File.Copy(map, pack + MapSuffix);
            using FileStream file = File.Create(pack);
            file.SetLength(length);
        }
    }
}
