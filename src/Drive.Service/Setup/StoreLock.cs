using Drive.Control;
using Drive.Core.Stores;
using Drive.Stores;

namespace Drive.Service.Setup;

/// <summary>
/// Keeps two commands from making or joining a vault in one folder at once, with a message that says who is at it. A help for people: what keeps the vault whole is its log.
/// </summary>
internal static class StoreLock
{
    /// <summary>The lock; null where the store has no locks. Refuses when somebody else holds it.</summary>
    public static IDisposable? Take(IObjectStore store, string name)
    {
        IObjectStore held = store is SplitStore split ? split.Log : store;
        if ((held is LateStore late ? late.Open() : held) is not IExclusiveStore exclusive)
        {
            return null;
        }

        return exclusive.TryLock($"'{name}' on {Environment.MachineName} (process {Environment.ProcessId})", out string? holder)
            ?? throw new DriveException(
                DriveError.InUse,
                $"Another command is at work in this store: {(string.IsNullOrWhiteSpace(holder) ? "it does not say which" : holder.Trim())}; try again when it has ended.");
    }
}
