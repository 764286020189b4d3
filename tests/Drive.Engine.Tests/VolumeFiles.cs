using System.Text;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Testing;
using Drive.Vault;

namespace Drive.Engine.Tests;

/// <summary>Whole files by name, for tests that are about what survives and not about calls.</summary>
internal static class VolumeFiles
{
    public static NodeId WriteFile(this IVolume volume, NodeId parent, string name, byte[] content)
    {
        Assert.Equal(FsStatus.Ok, volume.Create(parent, Encoding.UTF8.GetBytes(name), 0x1B4, OpenOptions.Write, Caller.Root, out NodeAttributes attributes, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, content, WriteOptions.None));
        volume.Close(handle);
        return attributes.Node;
    }

    public static NodeId MakeDirectory(this IVolume volume, NodeId parent, string name)
    {
        Assert.Equal(FsStatus.Ok, volume.MakeDirectory(parent, Encoding.UTF8.GetBytes(name), 0x1FF, Caller.Root, out NodeAttributes attributes));
        return attributes.Node;
    }

    public static NodeId Find(this IVolume volume, NodeId parent, string name)
    {
        Assert.Equal(FsStatus.Ok, volume.Lookup(parent, Encoding.UTF8.GetBytes(name), out NodeAttributes attributes));
        return attributes.Node;
    }

    public static async Task<byte[]> ReadFileAsync(this IVolume volume, NodeId node)
    {
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Read, out HandleId handle));
        byte[] content = await volume.ReadHandleAsync(handle);
        volume.Close(handle);
        return content;
    }

    public static async Task<byte[]> ReadHandleAsync(this IVolume volume, HandleId handle)
    {
        using MemoryStream whole = new();
        byte[] buffer = new byte[300_000];
        while (true)
        {
            IoResult read = await volume.ReadAsync(handle, whole.Length, buffer, CancellationToken.None);
            Assert.Equal(FsStatus.Ok, read.Status);
            if (read.Count == 0)
            {
                return whole.ToArray();
            }

            whole.Write(buffer, 0, (int)read.Count);
        }
    }

    /// <summary>Names of all packs in a store.</summary>
    public static async Task<List<ObjectName>> PacksAsync(this IObjectStore store)
    {
        List<ObjectName> names = [];
        await foreach (ObjectInfo found in store.ListAsync(VaultNames.PackPrefix, CancellationToken.None))
        {
            names.Add(found.Name);
        }

        return names;
    }

    public static async Task WaitAsync(this Volume volume)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        UploadProgress progress = await volume.WaitUploadedAsync(null, limit.Token);
        Assert.True(progress.Done, progress.ToString());
    }

    /// <summary>The same under a clock that only the test moves: it goes on in small steps until everything is up.</summary>
    public static async Task WaitAsync(this Volume volume, ManualTime time)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Task<UploadProgress> waiting = volume.WaitUploadedAsync(null, limit.Token);
        await PumpAsync(waiting, time);
        Assert.True((await waiting).Done, (await waiting).ToString());
    }

    /// <summary>Moves the clock on until a task is done; a task that will never be fails the test.</summary>
    public static async Task PumpAsync(Task task, ManualTime time)
    {
        long end = Environment.TickCount64 + 180_000;
        while (await Task.WhenAny(task, Task.Delay(2)) != task)
        {
            Assert.True(Environment.TickCount64 < end, "not done in three minutes");
            time.Advance(TimeSpan.FromMilliseconds(300));
        }
    }

    public static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
