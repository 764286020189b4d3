using System.Security.Cryptography;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Codec;

namespace Drive.Vault.Log;

/// <summary>
/// A commit that is ready for one slot of the log. It is persisted before its first put; until its outcome is known, these same bytes are
/// sent to this same slot, and no other commit is made.
/// </summary>
public sealed record Attempt
{
    private const string EncodedName = "attempt";

    internal Attempt(byte[] bytes, long deviceOpSeq, VaultState next)
    {
        Bytes = bytes;
        Hash = new Bytes32(SHA256.HashData(bytes));
        DeviceOpSeq = deviceOpSeq;
        Next = next;
    }

    public int Gen => Next.Gen;

    public long Seq => Next.Seq;

    public ObjectName Name => VaultNames.Commit(Gen, Seq);

    public byte[] Bytes { get; }

    /// <summary>SHA-256 of <see cref="Bytes"/>.</summary>
    public Bytes32 Hash { get; }

    /// <summary>The device's number for it: after a floor jump, a state whose member has reached it contains this commit.</summary>
    public long DeviceOpSeq { get; }

    /// <summary>The state if it wins.</summary>
    public VaultState Next { get; }

    public byte[] Encode()
    {
        using var writer = new ByteWriter(Bytes.Length + 1024);
        writer.Count(DeviceOpSeq);
        writer.Sized(Next.Encode());
        writer.Raw(Bytes);
        return writer.ToArray();
    }

    public static Attempt Decode(ReadOnlySpan<byte> source)
    {
        var reader = new ByteReader(source, EncodedName);
        long opSeq = reader.Count();
        VaultState next = VaultState.Decode(reader.Sized(0, int.MaxValue));
        var attempt = new Attempt(reader.Rest().ToArray(), opSeq, next);
        return attempt.Hash == next.Head ? attempt : throw reader.Malformed("its bytes are not those it was made with");
    }
}

/// <summary>What became of an attempt.</summary>
public abstract record AppendOutcome
{
    private AppendOutcome()
    {
    }

    /// <summary>It is in the log, once, and durable in the store.</summary>
    public sealed record Committed(VaultState Next) : AppendOutcome;

    /// <summary>The slot holds somebody else's authentic commit: catch up, drop the attempt with the transaction that applies it, make a new one.</summary>
    public sealed record Lost : AppendOutcome;

    /// <summary>
    /// A floor passed the slot: the put, if it made anything, made what nobody will read. Load the floor's checkpoint; only the
    /// member's <see cref="VaultMember.LastOpSeq"/> there says whether the attempt had been committed before.
    /// </summary>
    public sealed record Overtaken(FloorRef Floor) : AppendOutcome;
}

/// <summary>What follows a state in the log.</summary>
public abstract record ReadResult
{
    private ReadResult()
    {
    }

    /// <summary>The next commit, proven, and the state after it.</summary>
    public sealed record Next(CommitContent Commit, VaultState State) : ReadResult;

    /// <summary>Nothing yet.</summary>
    public sealed record AtHead : ReadResult;

    /// <summary>The commits were truncated: load this checkpoint.</summary>
    public sealed record FloorJump(FloorRef Floor) : ReadResult;
}
