using Drive.Testing;

namespace Drive.Soak;

/// <summary>
/// One program on the mount, in a folder of its own: small files that come, change, move and go, one large file that is written at random places, documents that
/// are saved the careful way, links, attributes, listings. It knows each byte that must be there, and reads them back all the time.
/// </summary>
internal sealed class Worker(string mount, int number, int seed, TimeSpan pause)
{
    private const int FilesMax = 300;
    private const int SmallBytesMax = 96 << 10;
    private const int LargeBytesMax = 24 << 20;
    private const int CallBytesMax = 256 << 10;
    private const string Attribute = "user.soak";

    private readonly Random _random = new(seed);
    private readonly string _name = $"worker-{number}";
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _attributes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal) { "" };
    private byte[] _large = [];
    private long _made;
    private long _calls;

    public long Calls => Volatile.Read(ref _calls);

    /// <summary>What went wrong, or null.</summary>
    public string? Failure { get; private set; }

    private string Root => Path.Combine(mount, _name);

    public void Run(CancellationToken ending)
    {
        try
        {
            Must(Posix.MakeDirectory(Root), "mkdir", "");
            Must(Posix.Close(Must(Posix.Open(At("large"), Posix.WriteOnly | Posix.Create | Posix.Exclusive), "open", "large")), "close", "large");
            while (!ending.IsCancellationRequested)
            {
                Step();
                Interlocked.Increment(ref _calls);
                ending.WaitHandle.WaitOne(pause * (2 * _random.NextDouble()));
            }
        }
        catch (Exception error)
        {
            Failure = $"{_name}, seed {seed}, after {_calls} calls: {error.Message}";
        }
    }

    /// <summary>Compares the whole folder, wherever the drive is mounted; returns the first difference, or null.</summary>
    public string? CheckAll(string where)
    {
        try
        {
            string root = Path.Combine(where, _name);
            IEnumerable<string> found = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(root, path));
            string[] wrong = [.. found.Except(["large"]).ToHashSet().Except(_files.Keys).Concat(_files.Keys.Where(name => !File.Exists(Path.Combine(root, name))))];
            if (wrong.Length > 0)
            {
                return $"{_name}: names that are too many or missing: {string.Join(", ", wrong.Take(5))}";
            }

            foreach ((string name, byte[] content) in _files.Append(new("large", _large)))
            {
                Compare(Path.Combine(root, name), 0, content, whole: true);
            }

            foreach ((string name, byte[] value) in _attributes)
            {
                CompareAttribute(Path.Combine(root, name), value);
            }

            return null;
        }
        catch (Exception error)
        {
            return $"{_name}, seed {seed}, at the end, {where}: {error.Message}";
        }
    }

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 18: Create(); break;
            case < 30: Change(); break;
            case < 38: SaveCarefully(); break;
            case < 46: Move(); break;
            case < 56: Remove(); break;
            case < 70: ReadBack(); break;
            case < 84: ChangeLarge(); break;
            case < 92: ReadLarge(); break;
            case < 94: SetAttribute(); break;
            case < 96: LinkAndBack(); break;
            case < 98: MakeFolder(); break;
            default: List(); break;
        }

        if (_files.Count > FilesMax)
        {
            Remove();
        }
    }

    private void Create()
    {
        string name = NewName();
        byte[] content = Bytes(_random.Next(_random.Next(4) == 0 ? SmallBytesMax : 8 << 10));
        _files[name] = [];
        WriteWhole(name, content, sync: _random.Next(10) == 0);
        _files[name] = content;
    }

    private void Change()
    {
        if (Pick() is not { } name)
        {
            return;
        }

        byte[] content = _files[name];
        int descriptor = Must(Posix.Open(At(name), Posix.ReadWrite), "open", name);
        if (_random.Next(3) == 0)
        {
            Array.Resize(ref content, _random.Next(SmallBytesMax));
            Must(Posix.SetLength(descriptor, content.Length), "ftruncate", name);
        }
        else
        {
            int offset = _random.Next(content.Length + 1);
            byte[] bytes = Bytes(1 + _random.Next(16 << 10));
            if (offset + bytes.Length > content.Length)
            {
                Array.Resize(ref content, offset + bytes.Length);
            }

            WriteAt(descriptor, bytes, offset, name);
            bytes.CopyTo(content, offset);
        }

        Must(Posix.Close(descriptor), "close", name);
        _files[name] = content;
    }

    /// <summary>As editors do it: a temporary file, fsync, rename over the document.</summary>
    private void SaveCarefully()
    {
        string name = Pick() ?? NewName();
        byte[] content = Bytes(_random.Next(32 << 10));
        string temporary = name + ".tmp";
        WriteWhole(temporary, content, sync: true);
        Must(Posix.Rename(At(temporary), At(name)), "rename", name);
        _files[name] = content;
        _attributes.Remove(name);
    }

    private void Move()
    {
        if (Pick() is { } name)
        {
            string target = _random.Next(4) == 0 && Pick() is { } other && other != name ? other : NewName();
            Must(Posix.Rename(At(name), At(target)), "rename", name);
            _files.Remove(name, out byte[]? content);
            _files[target] = content!;
            _attributes.Remove(target);
            if (_attributes.Remove(name, out byte[]? value))
            {
                _attributes[target] = value;
            }
        }
    }

    private void Remove()
    {
        if (Pick() is { } name)
        {
            Must(Posix.Unlink(At(name)), "unlink", name);
            _files.Remove(name);
            _attributes.Remove(name);
        }
    }

    private void ReadBack()
    {
        if (Pick() is { } name)
        {
            Compare(At(name), 0, _files[name], whole: true);
        }
    }

    private void ChangeLarge()
    {
        int descriptor = Must(Posix.Open(At("large"), Posix.ReadWrite), "open", "large");
        int offset = _random.Next(Math.Min(_large.Length + CallBytesMax, LargeBytesMax - CallBytesMax));
        int length = 1 + _random.Next(CallBytesMax);
        switch (_random.Next(12))
        {
            case 0:
                Must(Posix.SetLength(descriptor, offset), "ftruncate", "large");
                Array.Resize(ref _large, offset);
                break;
            case 1:
                Must(Posix.Allocate(descriptor, Posix.PunchHole | Posix.KeepSize, offset, length), "fallocate", "large");
                int end = Math.Min(offset + length, _large.Length);
                Array.Clear(_large, Math.Min(offset, end), end - Math.Min(offset, end));
                break;
            default:
                byte[] bytes = Bytes(length);
                if (offset + length > _large.Length)
                {
                    Array.Resize(ref _large, offset + length);
                }

                WriteAt(descriptor, bytes, offset, "large");
                bytes.CopyTo(_large, offset);
                break;
        }

        if (_random.Next(20) == 0)
        {
            Must(Posix.Sync(descriptor), "fsync", "large");
        }

        Must(Posix.Close(descriptor), "close", "large");
    }

    private void ReadLarge()
    {
        int offset = _random.Next(_large.Length + 1);
        Compare(At("large"), offset, _large.AsSpan(offset, Math.Min(CallBytesMax, _large.Length - offset)), whole: false);
    }

    private void SetAttribute()
    {
        if (Pick() is { } name)
        {
            byte[] value = Bytes(1 + _random.Next(200));
            Must(Posix.SetXattr(At(name), Attribute, value), "setxattr", name);
            _attributes[name] = value;
            CompareAttribute(At(name), value);
        }
    }

    private void LinkAndBack()
    {
        if (Pick() is { } name)
        {
            string link = At(NewName());
            if (_random.Next(2) == 0)
            {
                Must(Posix.Link(At(name), link), "link", name);
            }
            else
            {
                Must(Posix.SymbolicLink(At(name), link), "symlink", name);
            }

            Compare(link, 0, _files[name], whole: true);
            Must(Posix.Unlink(link), "unlink", name);
        }
    }

    private void MakeFolder()
    {
        string empty = $"folder-{_made++}";
        Must(Posix.MakeDirectory(At(empty)), "mkdir", empty);
        if (_folders.Count < 12)
        {
            _folders.Add(empty);
        }
        else
        {
            Must(Posix.RemoveDirectory(At(empty)), "rmdir", empty);
        }
    }

    private void List()
    {
        string folder = _folders.ElementAt(_random.Next(_folders.Count));
        HashSet<string> found = [.. Directory.EnumerateFiles(At(folder)).Select(path => Path.GetRelativePath(Root, path))];
        HashSet<string> wanted = [.. _files.Keys.Where(name => (Path.GetDirectoryName(name) ?? "") == folder)];
        if (folder.Length == 0)
        {
            wanted.Add("large");
        }

        if (!found.SetEquals(wanted))
        {
            throw new IOException($"'{folder}' lists {found.Count} files, {wanted.Count} are there: {string.Join(", ", found.Except(wanted).Concat(wanted.Except(found)).Take(5))}");
        }
    }

    private void WriteWhole(string name, byte[] content, bool sync)
    {
        int descriptor = Must(Posix.Open(At(name), Posix.WriteOnly | Posix.Create | Posix.Truncate), "open", name);
        WriteAt(descriptor, content, 0, name);
        if (sync)
        {
            Must(Posix.Sync(descriptor), "fsync", name);
        }

        Must(Posix.Close(descriptor), "close", name);
    }

    private static void WriteAt(int descriptor, byte[] bytes, int offset, string name)
    {
        if (Must((int)Posix.WriteAt(descriptor, bytes, offset), "pwrite", name) != bytes.Length)
        {
            throw new IOException($"pwrite of {name}: not all was taken");
        }
    }

    private static void Compare(string path, int offset, ReadOnlySpan<byte> content, bool whole)
    {
        // One byte more than there is, so that a file that is too long shows.
        byte[] buffer = new byte[content.Length + (whole ? 1 : 0)];
        int descriptor = Must(Posix.Open(path, Posix.ReadOnly), "open", path);
        int length = 0;
        for (int count; length < buffer.Length && (count = Must((int)Posix.ReadAt(descriptor, buffer.AsSpan(length), offset + length), "pread", path)) > 0;)
        {
            length += count;
        }

        Must(Posix.Close(descriptor), "close", path);
        if (!content.SequenceEqual(buffer.AsSpan(0, length)))
        {
            throw new IOException($"{path}: {length} bytes are there instead of {content.Length}, the first that differs at {offset + content.CommonPrefixLength(buffer.AsSpan(0, length))}");
        }
    }

    private static void CompareAttribute(string path, byte[] value)
    {
        byte[] found = new byte[256];
        int length = Must(Posix.GetXattr(path, Attribute, found), "getxattr", path);
        if (!found.AsSpan(0, length).SequenceEqual(value))
        {
            throw new IOException($"{path}: its attribute is another");
        }
    }

    private static int Must(int result, string call, string name) => result >= 0 ? result : throw new IOException($"{call} of {name}: errno {-result}");

    private string? Pick() => _files.Count == 0 ? null : _files.Keys.ElementAt(_random.Next(_files.Count));

    private string NewName() => Path.Combine(_folders.ElementAt(_random.Next(_folders.Count)), $"file-{_made++}");

    private string At(string name) => Path.Combine(Root, name);

    private byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }
}
