using System.Text;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Testing;

namespace Drive.Security;

/// <summary>Whole files of a volume by name, with the statuses that calls gave.</summary>
public static class VolumeAccess
{
    public static FsStatus Write(this IVolume volume, string name, byte[] content)
    {
        FsStatus status = volume.Create(NodeId.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenOptions.Write | OpenOptions.Truncate, Caller.Root, out _, out HandleId handle);
        if (status == FsStatus.Ok)
        {
            status = volume.Write(handle, 0, content, WriteOptions.None);
            volume.Close(handle);
        }

        return status;
    }

    /// <summary>The content, or the status of the first call that did not succeed.</summary>
    public static async Task<(FsStatus Status, byte[] Content)> ReadAsync(this IVolume volume, string name, CancellationToken cancellationToken)
    {
        HandleId handle = HandleId.None;
        FsStatus status = volume.Lookup(NodeId.Root, Encoding.UTF8.GetBytes(name), out NodeAttributes attributes);
        status = status == FsStatus.Ok ? volume.Open(attributes.Node, OpenOptions.Read, out handle) : status;
        if (status != FsStatus.Ok)
        {
            return (status, []);
        }

        using var whole = new MemoryStream();
        var buffer = new byte[100_000];
        while (true)
        {
            IoResult read = await volume.ReadAsync(handle, whole.Length, buffer, cancellationToken);
            if (read.Status != FsStatus.Ok || read.Count == 0)
            {
                volume.Close(handle);
                return (read.Status, whole.ToArray());
            }

            whole.Write(buffer, 0, (int)read.Count);
        }
    }

    public static IReadOnlyList<string> Names(this IVolume volume)
    {
        volume.OpenDirectory(NodeId.Root, out HandleId handle);
        var names = new DirectoryCollector();
        volume.ReadDirectory(handle, 0, names);
        volume.CloseDirectory(handle);
        return [.. names.Names.Where(static name => name is not ("." or ".."))];
    }

    /// <summary>
    /// Moves the clock on until everything is in the store, the volume stops, or a minute of its time has passed: enough for every wait of a healthy run.
    /// </summary>
    public static async Task<bool> UploadAsync(this Volume volume, ManualTime time, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<UploadProgress> waiting = volume.WaitUploadedAsync(null, end.Token);
        for (int step = 0; step < 200 && await Task.WhenAny(waiting, Task.Delay(1, cancellationToken)) != waiting; step++)
        {
            time.Advance(TimeSpan.FromMilliseconds(300));
        }

        await end.CancelAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        return (await waiting).Done;
    }
}
