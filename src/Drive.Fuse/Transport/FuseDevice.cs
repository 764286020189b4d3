using Drive.Fuse.Native;

namespace Drive.Fuse.Transport;

/// <summary>The character device that the kernel's side of FUSE is reached through.</summary>
internal static class FuseDevice
{
    public const string Path = "/dev/fuse";

    /// <summary>A fresh descriptor, not inherited by child processes: a leaked one would keep a dead mount alive.</summary>
    public static int Open()
    {
        int descriptor = Libc.Open(Path, Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        if (descriptor >= 0)
        {
            return descriptor;
        }

        throw new FuseException(Libc.LastError switch
        {
            Errno.ENOENT or Errno.ENODEV or Errno.ENXIO => $"{Path} is missing: load the kernel's module (modprobe fuse), or give the container the device.",
            Errno.EACCES or Errno.EPERM => $"{Path} may not be opened: ask the administrator for access to it.",
            int errno => $"{Path} cannot be opened (errno {errno}).",
        });
    }
}
