using System.Net.Sockets;
using Drive.Control;
using Drive.Core.Platform;
using Drive.Service.Linux;
using Drive.Service.Settings;

namespace Drive.Service.Hosting;

/// <summary>
/// What a daemon holds against a second one of the same vault: the lock in the state directory, the control socket, and the record that
/// leads commands to it. Taken before anything is opened, given back when the volume is closed, so that the drive can be mounted again at once.
/// </summary>
internal sealed class DaemonHold : IDisposable
{
    // A stop ends within ten seconds; a start that comes right after it waits for that.
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    private readonly DrivePaths _paths;
    private readonly IDisposable _lock;
    private readonly DaemonRecord _record;
    private int _released;

    private DaemonHold(DrivePaths paths, IDisposable held, DaemonRecord record)
    {
        _paths = paths;
        _lock = held;
        _record = record;
        Listener = Listen(record.Socket);
        DaemonRecords.Write(paths, record);
    }

    /// <summary>Accepts control connections already; they wait until somebody answers.</summary>
    public Socket Listener { get; }

    /// <summary>Takes the vault for this process, or refuses with the place where it is mounted.</summary>
    public static async Task<DaemonHold> TakeAsync(
        DrivePaths paths, VaultEntry entry, string mountpoint, IDisk disk, TimeProvider time, CancellationToken cancellationToken)
    {
        // Beside the state directory, not in it: an empty state directory says that there is no state yet.
        string lockPath = paths.StateOf(entry.VaultId) + ".lock";
        disk.CreateDirectory(Path.GetDirectoryName(lockPath)!);
        long started = time.GetTimestamp();
        while (true)
        {
            IDisposable? held = disk.TryLock(lockPath, $"process {Environment.ProcessId}", out string? holder);
            if (held is not null)
            {
                try
                {
                    return new DaemonHold(paths, held, new DaemonRecord(entry.Name, Environment.ProcessId, ControlSocket.PathFor(paths, entry.Name), mountpoint));
                }
                catch
                {
                    held.Dispose();
                    throw;
                }
            }

            DaemonRecord? other = DaemonRecords.Find(paths, entry.Name);
            if (other is not null && MountTable.At(other.Mountpoint)?.Type == MountTable.DriveType)
            {
                throw new DriveException(DriveError.InUse, $"'{entry.Name}' is mounted at '{other.Mountpoint}' already: use it there, or 'drive umount {entry.Name}' first.");
            }

            if (time.GetElapsedTime(started) > StopTime)
            {
                throw new DriveException(DriveError.InUse, $"Another daemon ({holder}) has '{entry.Name}' open and does not end: see '{paths.LogOf(entry.Name)}', or end it.");
            }

            await Task.Delay(LookAgain, time, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0)
        {
            return;
        }

        // Names first: once the lock is free the next daemon makes its own.
        DaemonRecords.Remove(_paths, _record);
        File.Delete(_record.Socket);
        _lock.Dispose();
    }

    private static Socket Listen(string path)
    {
        OwnerOnly.ClaimDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            OwnerOnly.Restrict(path);

            // Arbitrary: a handful of commands at once is already many.
            socket.Listen(64);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
