using Drive.Control;
using Drive.Core.Stores;

namespace Drive.Service.Setup;

/// <summary>
/// Keeps a second device off a vault, with a message that says who has it. A help for people: what keeps the vault whole is its log.
/// </summary>
internal static class StoreLock
{
    /// <summary>The lock; null where the store has no locks. Refuses when somebody else holds it.</summary>
    public static IDisposable? Take(IObjectStore store, string name)
    {
        if (store is not IExclusiveStore exclusive)
        {
            return null;
        }

        return exclusive.TryLock($"'{name}' on {Environment.MachineName} (process {Environment.ProcessId})", out string? holder)
            ?? throw new DriveException(
                DriveError.InUse,
                $"Another device has this vault open: {(string.IsNullOrWhiteSpace(holder) ? "it does not say who" : holder.Trim())}; unmount it there first, then try again.");
    }
}
