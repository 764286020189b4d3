using Drive.Core.Platform;
using Drive.Core.Stores;

namespace Drive.Stores;

/// <summary>The store exceptions that several stores raise, worded once.</summary>
internal static class StoreErrors
{
    private const int NotPermitted = 1;
    private const int AccessDenied = 13;
    private const int ReadOnlyFileSystem = 30;

    public static StoreException TooLarge(ObjectName name, long length, long bytesMax) =>
        new(StoreErrorKind.TooLarge, isTransient: false, $"{name} has {length} bytes, at most {bytesMax} were expected.");

    /// <summary>What a failure of the local file system says about a store that lies there. When in doubt: away, which says nothing of any object.</summary>
    public static StoreException FromDisk(IOException exception, string place) => exception switch
    {
        DiskFullException => new StoreException(StoreErrorKind.Full, isTransient: false, $"No room in {place}: {exception.Message}", exception),
        { HResult: NotPermitted or AccessDenied or ReadOnlyFileSystem } =>
            new StoreException(StoreErrorKind.Denied, isTransient: false, $"{place} may not be changed or read: {exception.Message}", exception),
        _ => new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"{place} is away or fails: {exception.Message}", exception),
    };
}
