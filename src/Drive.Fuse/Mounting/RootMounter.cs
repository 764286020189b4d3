using Drive.Fuse.Native;
using Drive.Fuse.Transport;

namespace Drive.Fuse.Mounting;

/// <summary>mount(2) and umount2(2), which need CAP_SYS_ADMIN.</summary>
internal sealed class RootMounter : IMounter
{
    public Task<int> MountAsync(string path, FuseMountOptions options, MountFlags flags, CancellationToken cancellationToken)
    {
        int descriptor = FuseDevice.Open();
        string data = flags.ToKernelData(descriptor, Libc.EffectiveUserId(), Libc.EffectiveGroupId());
        if (Libc.Mount(options.FsName, path, "fuse." + options.Subtype, flags.Flags, data) == 0)
        {
            return Task.FromResult(descriptor);
        }

        int errno = Libc.LastError;
        _ = Libc.Close(descriptor);
        throw new FuseException(errno switch
        {
            Errno.EPERM => $"The system does not permit mounting at {path}: in a container, grant CAP_SYS_ADMIN and /dev/fuse.",
            Errno.ENODEV => "The kernel has no FUSE: load its module (modprobe fuse).",
            _ => $"Mounting at {path} failed (errno {errno}).",
        });
    }

    public Task<UnmountOutcome> UnmountAsync(string path, bool lazy) =>
        // On a thread of its own: unmounting waits for requests that this process serves.
        Task.Factory.StartNew(() => Unmount(path, lazy), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static UnmountOutcome Unmount(string path, bool lazy)
    {
        if (Libc.Unmount(path, Libc.UnmountNoFollow | (lazy ? Libc.UnmountDetach : 0)) == 0)
        {
            return UnmountOutcome.Done;
        }

        return Libc.LastError switch
        {
            Errno.EINVAL or Errno.ENOENT => UnmountOutcome.Done,
            Errno.EBUSY => UnmountOutcome.Busy,
            Errno.EPERM => throw new FuseException($"The system does not permit unmounting {path}."),
            int errno => throw new FuseException($"Unmounting {path} failed (errno {errno})."),
        };
    }
}
