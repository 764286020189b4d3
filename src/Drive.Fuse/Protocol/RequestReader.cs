using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Drive.Fuse.Protocol;

/// <summary>Walks a request's body. Every step tells whether the bytes were there: the sender is not trusted with our memory.</summary>
internal ref struct RequestReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    /// <summary>What was not taken yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public bool TryTake<T>(out T value)
        where T : unmanaged
    {
        if (!MemoryMarshal.TryRead(_rest, out value))
        {
            return false;
        }

        _rest = _rest[Unsafe.SizeOf<T>()..];
        return true;
    }

    /// <summary>Takes bytes up to a NUL and the NUL.</summary>
    public bool TryTakeString(out ReadOnlySpan<byte> text)
    {
        int length = _rest.IndexOf((byte)0);
        if (length < 0)
        {
            text = default;
            return false;
        }

        text = _rest[..length];
        _rest = _rest[(length + 1)..];
        return true;
    }
}
