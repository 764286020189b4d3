namespace Drive.Core.Stores;

/// <summary>
/// A place that keeps named, immutable objects: the whole of what Drive asks of a cloud. It is untrusted.
/// </summary>
/// <remarks>
/// <para>Names are relative, lower-case ASCII letters, digits, '-', '.' and '/', at most 100 characters (<see cref="ObjectName"/>).</para>
/// <para><b>Errors.</b> Every failure is a <see cref="StoreException"/>. <i>Absent</i> is a value (null, false), and is said only when the store answered so:
/// an unreachable store is never "absent". Stores themselves do not retry; the retry wrapper does, by <see cref="StoreException.IsTransient"/>.</para>
/// <para><b>Threads.</b> All calls may run at once. Cancelling leaves a put undecided: it may or may not have happened.</para>
/// </remarks>
public interface IObjectStore : IAsyncDisposable
{
    /// <summary>What kind of store, and where, for people and settings.</summary>
    StoreDescription Description { get; }

    /// <summary>
    /// Makes the object unless the name is taken. True: made, whole and durable when this returns. False: the name exists, and was left as it is.
    /// Of any number of racing callers exactly one gets true (class A stores). A transient failure may still have made it.
    /// </summary>
    Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>The whole object, or null when it is absent. Fails with <see cref="StoreErrorKind.TooLarge"/> beyond <paramref name="bytesMax"/>.</summary>
    Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken);

    /// <summary>
    /// Fills <paramref name="destination"/> from <paramref name="offset"/>: the number of bytes read, fewer only at the object's end; null when the object is absent.
    /// Completes synchronously where the store is local.
    /// </summary>
    ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>The object's length, or null when absent.</summary>
    Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken);

    /// <summary>Removes the object; one that is absent is no error. May run twice.</summary>
    Task DeleteAsync(ObjectName name, CancellationToken cancellationToken);

    /// <summary>
    /// Names below a prefix such as "packs/", in no promised order, perhaps late or incomplete: for garbage collection and hints, never for correctness.
    /// </summary>
    IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Room in the store, or null where it does not tell.</summary>
    Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken);
}

/// <summary>A store that can also keep others out while it is held open (a lock on a folder). A help, not a safety: the log's slots are that.</summary>
public interface IExclusiveStore
{
    /// <summary>The lock, held until disposed; null when somebody else holds it: <paramref name="holder"/> is then what they wrote.</summary>
    IDisposable? TryLock(string holderText, out string? holder);
}

/// <summary>
/// A store that can tell that something new is in it, so that nobody need ask all the time. A hint, not a safety: a call may come for nothing, late, or never.
/// </summary>
public interface IWatchedStore
{
    /// <summary>
    /// Calls <paramref name="changed"/> soon after an object was made whose name begins with <paramref name="prefix"/> (such as "log/"), and each time when hints may
    /// have been missed (the connection came back). Never throws because the store is away; never calls from inside this method. Ends when what it returns is disposed.
    /// </summary>
    IDisposable Watch(string prefix, Action changed);
}

/// <summary>Kind and place of a store.</summary>
/// <param name="Url">As a person would write it, without secrets: <c>/mnt/nas/vault</c>, <c>s3://bucket/prefix</c>.</param>
/// <param name="IsLocal">Objects lie on a local disk: reads are as cheap as a cache's, so nothing is cached twice.</param>
public sealed record StoreDescription(string Url, bool IsLocal);

/// <summary>An object in a listing.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Length">Its length in bytes.</param>
public readonly record struct ObjectInfo(ObjectName Name, long Length);

/// <summary>Room in a store, in bytes.</summary>
/// <param name="TotalBytes">All.</param>
/// <param name="FreeBytes">Free.</param>
public readonly record struct StoreSpace(long TotalBytes, long FreeBytes);
