using System.Text;
using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Takes up to a number of entries per call, as a kernel's buffer does. Names that are no UTF-8 are shown as Latin-1.</summary>
public sealed class DirectoryCollector(int entriesMax = int.MaxValue) : IDirectoryWriter
{
    public List<(byte[] Name, NodeAttributes Attributes, long NextCookie)> Entries { get; } = [];

    public List<string> Names => [.. Entries.Select(entry => Encoding.UTF8.GetString(entry.Name))];

    /// <summary>Where the next call goes on.</summary>
    public long NextCookie { get; private set; }

    /// <summary>Empties the buffer; the cookie stays.</summary>
    public void Clear() => Entries.Clear();

    public bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie)
    {
        if (Entries.Count >= entriesMax)
        {
            return false;
        }

        Entries.Add((name.ToArray(), attributes, nextCookie));
        NextCookie = nextCookie;
        return true;
    }
}
