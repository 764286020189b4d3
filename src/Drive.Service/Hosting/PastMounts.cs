using Drive.Control;
using Drive.Core.Volumes;

namespace Drive.Service.Hosting;

/// <summary>States of the past that are shown beside the drive, each in a directory of its own. They end with the daemon, or before.</summary>
internal sealed class PastMounts(Func<MountRequest, IVolume, CancellationToken, Task<KernelMount>> mount)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (KernelMount Kernel, StateInfo State)> _mounts = [];

    /// <summary>Shows a volume in a directory.</summary>
    public async Task AddAsync(MountRequest request, IVolume volume, StateInfo state, CancellationToken cancellationToken)
    {
        KernelMount kernel = await mount(request, volume, cancellationToken);
        lock (_gate)
        {
            _mounts[request.Mountpoint] = (kernel, state);
        }

        _ = ForgetAsync(request.Mountpoint, kernel);
    }

    /// <summary>Ends what is shown in a directory.</summary>
    public async Task<StateInfo> RemoveAsync(string mountpoint, CancellationToken cancellationToken)
    {
        (KernelMount Kernel, StateInfo State) found;
        lock (_gate)
        {
            if (!_mounts.TryGetValue(mountpoint, out found))
            {
                throw new DriveException(DriveError.NotFound, $"Nothing of the past is shown at '{mountpoint}'.");
            }
        }

        await found.Kernel.UnmountAsync(cancellationToken);
        return found.State;
    }

    /// <summary>Ends all.</summary>
    public Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        KernelMount[] kernels;
        lock (_gate)
        {
            kernels = [.. _mounts.Values.Select(static shown => shown.Kernel)];
        }

        return Task.WhenAll(kernels.Select(kernel => kernel.UnmountAsync(cancellationToken)));
    }

    /// <summary>What was unmounted, from here or outside, is forgotten.</summary>
    private async Task ForgetAsync(string mountpoint, KernelMount kernel)
    {
        await kernel.Completion.ContinueWith(static _ => { }, TaskScheduler.Default);
        lock (_gate)
        {
            if (_mounts.TryGetValue(mountpoint, out (KernelMount Kernel, StateInfo State) found) && ReferenceEquals(found.Kernel, kernel))
            {
                _mounts.Remove(mountpoint);
            }
        }
    }
}
