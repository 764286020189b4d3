using Drive.Testing;

namespace Drive.Mount.Tests;

/// <summary>
/// Random calls on one file against an array of bytes: reads, writes, mapped reads and writes, cuts, holes, copies, closing and opening again.
/// A failure tells the seed, the step and the last calls.
/// </summary>
internal sealed class FileExerciser(string directory, int seed)
{
    private const int BytesMax = 600_000;
    private readonly Random _random = new(seed);
    private readonly List<string> _calls = [];
    private readonly byte[] _model = new byte[BytesMax];
    private readonly string _path = $"{directory}/exercised-{seed}";
    private int _descriptor;
    private int _size;

    public void Run(int steps)
    {
        Reopen(Posix.Create);
        try
        {
            for (int step = 0; step < steps; step++)
            {
                Step();
                if (step % 50 == 0)
                {
                    CheckAll();
                }
            }

            Reopen(0);
            CheckAll();
        }
        finally
        {
            Posix.Close(_descriptor);
        }
    }

    private void Step()
    {
        int offset = _random.Next(BytesMax - 1);
        int length = Math.Min(_random.Next(1, _random.Next(2) == 0 ? 5000 : 150_000), BytesMax - offset);
        int call = _random.Next(12);
        _calls.Add($"call {call} at {offset} length {length} size {_size}");
        switch (call)
        {
            case 0 or 1 or 2:
                Write(offset, length);
                break;
            case 3 or 4:
                Read(offset, length);
                break;
            case 5:
                Check(Posix.SetLength(_descriptor, offset));
                SetModelSize(offset);
                break;
            case 6:
                Check(Posix.Allocate(_descriptor, Posix.PunchHole | Posix.KeepSize, offset, length));
                ClearModel(offset, length);
                break;
            case 7:
                Check(Posix.Allocate(_descriptor, Posix.ZeroRange, offset, length));
                SetModelSize(Math.Max(_size, offset + length));
                ClearModel(offset, length);
                break;
            case 8 when offset + length <= _size:
                byte[] data = NewBytes(length);
                Check(Posix.Map(_descriptor, _size, writes: true, map => map.Write(offset, data)));
                data.CopyTo(_model, offset);
                break;
            case 9 when offset + length <= _size:
                Check(Posix.Map(_descriptor, _size, writes: false, map => AssertSame(offset, map.Read(offset, length))));
                break;
            case 10:
                Copy(offset, length);
                break;
            default:
                Check(Posix.Sync(_descriptor));
                Reopen(0);
                break;
        }
    }

    private void Write(int offset, int length)
    {
        byte[] data = NewBytes(length);
        Assert.Equal(length, Posix.WriteAt(_descriptor, data, offset));
        SetModelSize(Math.Max(_size, offset + length));
        data.CopyTo(_model, offset);
    }

    private void Read(int offset, int length)
    {
        byte[] buffer = new byte[length];
        long count = Posix.ReadAt(_descriptor, buffer, offset);
        Check(count);
        Assert.Equal(Math.Clamp(_size - offset, 0, length), count);
        AssertSame(offset, buffer[..(int)count]);
    }

    private void Copy(int offset, int length)
    {
        int target = _random.Next(BytesMax - length);
        if (Math.Abs(target - offset) < length || offset >= _size)
        {
            return;
        }

        long count = Posix.CopyRange(_descriptor, offset, _descriptor, target, length);
        Check(count);
        byte[] copied = _model[offset..(offset + (int)count)];
        SetModelSize(Math.Max(_size, target + (int)count));
        copied.CopyTo(_model, target);
    }

    private void Reopen(int flags)
    {
        if (_descriptor > 0)
        {
            Posix.Close(_descriptor);
        }

        _descriptor = Posix.Open(_path, Posix.ReadWrite | flags);
        Check(_descriptor);
    }

    private void CheckAll()
    {
        Check(Posix.GetStatus(_descriptor, out FileStatus status));
        Assert.Equal(_size, status.Size);
        Read(0, BytesMax);
    }

    private void SetModelSize(int size)
    {
        if (size < _size)
        {
            _model.AsSpan(size).Clear();
        }

        _size = size;
    }

    private void ClearModel(int offset, int length) => _model.AsSpan(offset, length).Clear();

    private byte[] NewBytes(int length)
    {
        byte[] data = new byte[length];
        _random.NextBytes(data);
        return data;
    }

    private void AssertSame(int offset, byte[] actual)
    {
        int same = _model.AsSpan(offset, actual.Length).CommonPrefixLength(actual);
        Assert.True(same == actual.Length, Explain($"byte {offset + same} is wrong"));
    }

    private void Check(long result) => Assert.True(result >= 0, Explain($"errno {-result}"));

    private string Explain(string what) => $"Seed {seed}, step {_calls.Count}: {what}. Last calls:\n{string.Join('\n', _calls.TakeLast(15))}";
}
