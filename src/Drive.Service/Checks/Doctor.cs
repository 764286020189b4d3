using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Fuse.Mounting;
using Drive.Metadata;
using Drive.Service.Keys;
using Drive.Service.Linux;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Vault.Keys;

namespace Drive.Service.Checks;

/// <summary>Looks at everything that a drive needs from its machine, changes nothing, and needs neither a daemon nor a vault.</summary>
internal sealed class Doctor(DrivePaths paths, VaultBook book, KeyStorage keys, StoreOpener stores, IDisk disk, TimeProvider time)
{
    // Arbitrary: below it, a cache of the default size can't be.
    private const long FreeBytesFew = 2L << 30;
    private const long FreeBytesTooFew = 100L << 20;

    // Nothing of Drive was ever written before.
    private static readonly DateTimeOffset Earliest = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan StoreTime = TimeSpan.FromSeconds(10);

    /// <summary>All findings.</summary>
    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken)
    {
        List<Check> checks = [Fuse(), Uring(UringParameter.IsAllowed()), .. Directories(), Space(), Clock(), Sqlite(), Keyring()];
        try
        {
            foreach (VaultEntry entry in book.All())
            {
                checks.Add(await StoreAsync(entry, cancellationToken));
            }
        }
        catch (DriveException exception)
        {
            checks.Add(Check.Fail("settings", "The list of vaults can't be read.", exception.Message));
        }

        return checks;
    }

    private static Check Fuse()
    {
        if (FuseAccess.Find(allowOther: false) is { } obstacle)
        {
            return Check.Fail("fuse", obstacle.Finding, obstacle.Advice);
        }

        return Native.EffectiveUser() == 0
            ? Check.Ok("fuse", "/dev/fuse is there; as root it is mounted directly.")
            : Check.Ok("fuse", $"/dev/fuse and {FuseAccess.Helper(Environment.GetEnvironmentVariable("PATH") ?? "")} are there.");
    }

    /// <summary>Never a failure: /dev/fuse does the same, more slowly.</summary>
    internal static Check Uring(bool? isAllowed) => isAllowed switch
    {
        true => Check.Ok("io_uring", "The kernel lets FUSE use io_uring: mounts use it."),
        null => Check.Ok("io_uring", "This kernel has no FUSE over io_uring (Linux 6.14 has): mounts use /dev/fuse."),
        false => Check.Ok(
            "io_uring",
            $"Mounts use /dev/fuse. io_uring looks up names and reads faster; to allow it until the next start of the machine: 'echo Y | sudo tee {UringParameter.Path}', or as root 'drive up -o allow_uring'."),
    };

    private IEnumerable<Check> Directories()
    {
        const int Write = 2;
        foreach ((string subject, string path) in new[] { ("config", paths.Config), ("state", paths.State), ("cache", paths.Cache), ("run", paths.Run) })
        {
            string there = Nearest(path);
            if (Native.Access(there, Write) != 0)
            {
                yield return Check.Fail(subject, $"'{there}' can't be written.", $"Give yourself access to it, or set DRIVE_HOME to a directory of your own.");
            }
            else if (there == path && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)) != 0)
            {
                yield return Check.Warn(subject, $"Others may look into '{path}'.", $"'chmod 700 {path}'.");
            }
            else
            {
                yield return Check.Ok(subject, path);
            }
        }
    }

    private Check Space()
    {
        (_, long free) = disk.GetSpace(Nearest(paths.State));
        string finding = $"{free >> 20} MiB are free where '{paths.State}' lies.";
        return free < FreeBytesTooFew ? Check.Fail("disk", finding, "Make room: a drive refuses to write before its disk is full.")
            : free < FreeBytesFew ? Check.Warn("disk", finding, "Make room, or mount with a smaller --cache-size.")
            : Check.Ok("disk", finding);
    }

    // Drive decides nothing by the clock, but file times and certificates do.
    private Check Clock()
    {
        DateTimeOffset now = time.GetUtcNow();
        if (now < Earliest)
        {
            return Check.Fail("clock", $"The clock says {now:yyyy-MM-dd}.", "Set it ('sudo timedatectl set-ntp true').");
        }

        DateTimeOffset newest = File.Exists(paths.ConfigFile) ? File.GetLastWriteTimeUtc(paths.ConfigFile) : now;
        return newest > now + TimeSpan.FromMinutes(5)
            ? Check.Warn("clock", $"The settings were written at {newest:yyyy-MM-dd HH:mm} UTC, which is still to come.", "Set the clock ('sudo timedatectl set-ntp true').")
            : Check.Ok("clock", $"{now:yyyy-MM-dd HH:mm:ss} UTC");
    }

    private static Check Sqlite() => Check.Ok("sqlite", $"version {MetadataStore.SqliteVersion}");

    private Check Keyring() => keys.HasKeyring
        ? Check.Ok("keyring", "The desktop's keyring is there; new keys go into it.")
        : Check.Ok("keyring", $"No keyring in use; keys are files of mode 0600 in '{paths.Keys}'.");

    private async Task<Check> StoreAsync(VaultEntry entry, CancellationToken cancellationToken)
    {
        string subject = $"store {entry.Name}";
        using CancellationTokenSource limit = new(StoreTime, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await using IObjectStore store = stores.Open(entry.Store, entry.LogStore);
            VaultInfo info = await VaultSetup.ProbeAsync(store, either.Token);
            return info.Presence switch
            {
                VaultPresence.Present when info.VaultId?.ToString() != entry.VaultId =>
                    Check.Fail(subject, $"'{entry.Store}' holds another vault.", "Bring the right folder or disk back; nothing is sent to this one."),
                VaultPresence.Present => Check.Ok(subject, $"'{entry.Store}' answers and holds the vault."),
                VaultPresence.NewerFormat => Check.Fail(subject, $"'{entry.Store}' has the format of a newer Drive.", "Install the newer version."),
                VaultPresence.None or VaultPresence.Interrupted => Check.Fail(subject, $"'{entry.Store}' holds no vault.", "Bring the right folder or disk back; what is only on this machine is kept."),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (StoreException exception)
        {
            return Check.Warn(subject, exception.Message, "A drive that was mounted before works from this machine until the store is back.");
        }
        catch (Exception exception) when (exception is not StoreException && VaultErrors.Translate(exception, entry.Store) is { } known)
        {
            return Check.Fail(subject, $"'{entry.Store}' can't be used.", known.Message);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return Check.Warn(subject, $"'{entry.Store}' did not answer within {StoreTime.TotalSeconds:0} s.", "Look at the network or the disk; the drive works from this machine meanwhile.");
        }
    }

    private static string Nearest(string path)
    {
        string there = path;
        while (!Directory.Exists(there))
        {
            there = Path.GetDirectoryName(there) ?? "/";
        }

        return there;
    }
}
