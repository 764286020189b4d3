using Drive.Fuse.Native;

namespace Drive.Fuse.Transport;

/// <summary>
/// Messages over file descriptors: /dev/fuse and clones of it (each reader then has a queue of its own in the kernel), or one
/// end of a SOCK_SEQPACKET pair.
/// </summary>
internal sealed unsafe class DescriptorTransport : ITransport
{
    /// <summary>So many refusals in a row that no request behind them can be meant: arbitrary.</summary>
    private const int RefusedReadsMax = 100;

    private readonly Lock _lock = new();
    private readonly List<Channel> _channels = [];
    private readonly bool _isDevice;
    private bool _isDisposed;

    public DescriptorTransport(int descriptor, bool isDevice)
    {
        _isDevice = isDevice;
        Channel main = new(descriptor);
        Main = main;
        _channels.Add(main);
    }

    public IChannel Main { get; }

    public int? Device => _isDevice ? ((Channel)Main).Descriptor : null;

    public IChannel OpenChannel()
    {
        // Opening the device again needs permission on it, which a user who mounted through fusermount3 may lack: then all share one descriptor.
        int clone = _isDevice ? Libc.Open(FuseDevice.Path, Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0) : -1;
        if (clone < 0)
        {
            return Main;
        }

        uint master = (uint)((Channel)Main).Descriptor;
        lock (_lock)
        {
            if (!_isDisposed && Libc.Ioctl(clone, Libc.FuseClone, &master) == 0)
            {
                Channel channel = new(clone);
                _channels.Add(channel);
                return channel;
            }
        }

        _ = Libc.Close(clone);
        return Main;
    }

    public void Shutdown()
    {
        if (!_isDevice)
        {
            const int BothWays = 2;
            _ = Libc.Shutdown(((Channel)Main).Descriptor, BothWays);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            foreach (Channel channel in _channels)
            {
                _ = Libc.Close(channel.Descriptor);
            }
        }
    }

    private sealed class Channel(int descriptor) : IChannel
    {
        public int Descriptor => descriptor;

        public int Receive(Span<byte> buffer)
        {
            int refused = 0;
            fixed (byte* pointer = buffer)
            {
                while (true)
                {
                    nint length = Libc.Read(descriptor, pointer, (nuint)buffer.Length);
                    if (length >= 0)
                    {
                        return (int)length;
                    }

                    int errno = Libc.LastError;
                    switch (errno)
                    {
                        case Errno.ENODEV or Errno.ECONNABORTED or Errno.ENOTCONN or Errno.EBADF:
                            return 0;
                        case Errno.EINTR or Errno.EAGAIN or Errno.ENOENT:
                            break; // ENOENT: the request was taken back while it was handed over.
                        case Errno.EIO when ++refused < RefusedReadsMax:
                            break; // The kernel has already failed a request that did not fit.
                        default:
                            throw new FuseException($"Reading from the FUSE device failed with errno {errno}.");
                    }
                }
            }
        }

        public bool Send(ReadOnlySpan<byte> message, out int errno)
        {
            fixed (byte* pointer = message)
            {
                while (true)
                {
                    if (Libc.Write(descriptor, pointer, (nuint)message.Length) >= 0)
                    {
                        errno = 0;
                        return true;
                    }

                    errno = Libc.LastError;
                    if (errno is not (Errno.EINTR or Errno.EAGAIN))
                    {
                        return false;
                    }
                }
            }
        }
    }
}
