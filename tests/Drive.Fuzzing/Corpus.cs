using System.Security.Cryptography;

namespace Drive.Fuzzing;

/// <summary>Inputs kept as files, named by their hash: <c>corpus/TARGET/HASH.bin</c>.</summary>
internal sealed class Corpus(string directory)
{
    public IReadOnlyList<byte[]> Read() =>
        Directory.Exists(directory) ? [.. Directory.GetFiles(directory, "*.bin").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)] : [];

    public string Write(byte[] input)
    {
        Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 8)) + ".bin");
        File.WriteAllBytes(path, input);
        return path;
    }
}
