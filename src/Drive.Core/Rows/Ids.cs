using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Drive.Core.Rows;

/// <summary>32 bytes held in place: the shape of every id and hash in a vault. Not secret; compared in variable time.</summary>
[InlineArray(Size)]
public struct Bytes32 : IEquatable<Bytes32>
{
    /// <summary>Its size in bytes.</summary>
    public const int Size = 32;

    private byte _first;

    /// <summary>A copy of exactly 32 bytes.</summary>
    public Bytes32(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Size);
        bytes.CopyTo(this);
    }

    /// <summary>The bytes, in place.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> AsSpan() => this;

    /// <inheritdoc/>
    public readonly bool Equals(Bytes32 other) => AsSpan().SequenceEqual(other.AsSpan());

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Bytes32 other && Equals(other);

    /// <summary>The ids are random or keyed hashes already, so their first bytes serve.</summary>
    public override readonly int GetHashCode() => MemoryMarshal.Read<int>(AsSpan());

    /// <summary>Lower-case hex.</summary>
    public override readonly string ToString() => Convert.ToHexStringLower(AsSpan());

    /// <summary>Equality of bytes.</summary>
    public static bool operator ==(Bytes32 left, Bytes32 right) => left.Equals(right);

    /// <summary>Inequality of bytes.</summary>
    public static bool operator !=(Bytes32 left, Bytes32 right) => !left.Equals(right);
}

/// <summary>A block's identity: a keyed hash of its plaintext, so equal content is one block. Never leaves sealed metadata.</summary>
/// <param name="Value">HMAC-SHA256 under the vault's dedup key.</param>
public readonly record struct BlockId(Bytes32 Value);

/// <summary>A pack's identity: 32 random bytes, drawn when its sealing starts; also what its keys come from.</summary>
/// <param name="Value">The random bytes.</param>
public readonly record struct PackId(Bytes32 Value);

/// <summary>A device's identity: 16 random bytes as hex, drawn when it is enrolled.</summary>
/// <param name="Value">32 lower-case hex digits.</param>
public readonly record struct DeviceId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
