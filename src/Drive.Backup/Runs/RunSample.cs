using Drive.Core.Volumes;
using Drive.Disk.Trees;

namespace Drive.Backup.Runs;

/// <summary>A file to prove a run by.</summary>
internal readonly record struct SampleFile(byte[] Path, SourceNode Source, NodeId Node);

/// <summary>Some files of all that are offered, each as likely as any other (reservoir sampling), from a seed. Any thread.</summary>
internal sealed class RunSample(ulong seed)
{
    /// <summary>Files of a sample. Arbitrary.</summary>
    private const int FilesMax = 32;

    private readonly Lock _gate = new();
    private readonly List<SampleFile> _files = [];
    private ulong _state = seed | 1;
    private ulong _offered;

    public IReadOnlyList<SampleFile> Files
    {
        get
        {
            lock (_gate)
            {
                return [.. _files];
            }
        }
    }

    public void Offer(byte[] path, in SourceNode source, NodeId node)
    {
        if (source.Size == 0)
        {
            return;
        }

        lock (_gate)
        {
            _offered++;
            if (_files.Count < FilesMax)
            {
                _files.Add(new SampleFile(path, source, node));
            }
            else if (Next() % _offered is var place && place < FilesMax)
            {
                _files[(int)place] = new SampleFile(path, source, node);
            }
        }
    }

    /// <summary>A number that nobody has to fear: xorshift64*.</summary>
    public ulong Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return _state * 2685821657736338717;
    }
}
