using System.Text;
using System.Text.RegularExpressions;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Stores.Memory;
using Drive.Testing.Model;
using Drive.Testing.Stores;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Engine.Tests.Merging;

/// <summary>Two devices with one vault, neither of which sends anything before it is told to: what each does in between the other does not see.</summary>
internal sealed partial class TwoDevices : IAsyncDisposable
{
    private readonly EngineFixture _fixture;
    private readonly byte[] _secondKeys;

    private TwoDevices(EngineFixture fixture, Volume first, Volume second, byte[] secondKeys)
    {
        _fixture = fixture;
        _secondKeys = secondKeys;
        KeysOfFirst = VaultKeys.Import(fixture.Keys);
        First = new Device(first);
        Second = new Device(second);
    }

    public Device First { get; }

    /// <summary>The store of both.</summary>
    public IObjectStore Store => _fixture.Store;

    public Device Second { get; private set; }

    public static async Task<TwoDevices> CreateAsync(TimeProvider? time = null)
    {
        EngineFixture fixture = await EngineFixture.CreateAsync();
        fixture.Time = time ?? fixture.Time;
        Volume first = await fixture.OpenAsync(Lazy(fixture.Settings()));
        (Volume second, byte[] keys) = await EnrolAsync(fixture, "second");
        return new TwoDevices(fixture, first, second, keys);
    }

    /// <summary>One device more, which whoever asks for it closes.</summary>
    public async Task<Device> AddAsync(string name) => new((await EnrolAsync(_fixture, name)).Volume);

    /// <summary>The second device's state as a crash at this moment leaves it.</summary>
    public VolumeSettings CrashSecond(string image) => Lazy(_fixture.CopyState(image, "second"));

    /// <summary>What such a state comes to when it starts and sends, on a copy of the store; the other devices on that copy show the same.</summary>
    public async Task<string> ShowRestartedAsync(VolumeSettings image)
    {
        await using MemoryStore copy = await ((MemoryStore)_fixture.Store).CloneAsync();
        string shown;
        await using (Volume again = await OpenSecondAsync(image, new KeptStore(copy)))
        {
            Assert.Null(again.GetStatus().ReadOnlyReason);
            await again.WaitAsync();
            shown = await new Device(again).ShowAsync();
        }

        await using Volume third = await _fixture.RecoverAsync($"third of {Path.GetFileName(image.StateDirectory)}", copy);
        Assert.Equal(shown, await new Device(third).ShowAsync());
        return shown;
    }

    /// <summary>Starts such a state while the store is away.</summary>
    public Task<Volume> OpenAwayAsync(VolumeSettings image) => OpenSecondAsync(image, new FaultyStore(new KeptStore(_fixture.Store)) { IsUnreachable = true });

    public Task SecondFollowsAsync() => FollowAsync(Second, First);

    public Task FirstFollowsAsync() => FollowAsync(First, Second);

    /// <summary>The first device's keys, as they were when the vault was made.</summary>
    public VaultKeys KeysOfFirst { get; }

    /// <summary>Stops the second device's volume and opens it again.</summary>
    public async Task RestartSecondAsync()
    {
        await Second.Volume.DisposeAsync();
        Second = new Device(await _fixture.OpenAsync(Lazy(_fixture.Settings("second")), _secondKeys));
    }

    /// <summary>The first sends; the second looks and merges, or (<paramref name="isBlind"/>) sends as well and finds its slot taken; then the first looks. Both must show one tree then.</summary>
    public async Task MeetAsync(bool isBlind = false)
    {
        await First.Volume.WaitAsync();
        if (!isBlind)
        {
            await FollowAsync(Second, First);
        }

        await Second.Volume.WaitAsync();
        await FollowAsync(First, Second);
        await FollowAsync(Second, First);
        TreeSnapshot first = await TreeSnapshot.CaptureAsync(First.Volume);
        TreeSnapshot second = await TreeSnapshot.CaptureAsync(Second.Volume);
        List<string> differences = first.Differences(second);
        Assert.True(differences.Count == 0, string.Join('\n', differences));
        ((long Files, long? Bytes) here, (long Files, long? Bytes) there) = (Count(First), Count(Second));
        Assert.Equal(here.Files, there.Files);
        Assert.Equal(here.Bytes ?? there.Bytes, there.Bytes ?? here.Bytes);
        Assert.Null(First.Volume.GetStatus().ReadOnlyReason);
        Assert.Null(Second.Volume.GetStatus().ReadOnlyReason);
    }

    /// <summary>What a third device shows that reads all from the store.</summary>
    public async Task<string> ShowThirdAsync()
    {
        await using Volume third = await _fixture.RecoverAsync("third");
        return await new Device(third).ShowAsync();
    }


    public async ValueTask DisposeAsync()
    {
        await First.Volume.DisposeAsync();
        await Second.Volume.DisposeAsync();
        KeysOfFirst.Dispose();
        await _fixture.DisposeAsync();
    }

    // Bytes of removed files that somebody may still have open count as local, and not as in the cloud. Where there are more of them than the tree has, the sum tells nothing.
    private static (long Files, long? Bytes) Count(Device device) =>
        device.Volume.GetStatus() is var status
            ? (status.InCloud.Files + status.LocalOnly.Files, status.InCloud.Bytes == 0 ? null : status.InCloud.Bytes + status.LocalOnly.Bytes)
            : default;

    private static async Task<(Volume Volume, byte[] Keys)> EnrolAsync(EngineFixture fixture, string name)
    {
        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            fixture.Store, fixture.RecoveryKey, name, null, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        byte[] keys = recovered.Keys.Export();
        recovered.Keys.Dispose();
        return (await fixture.OpenAsync(Lazy(fixture.Settings(name)), keys), keys);
    }

    private Task<Volume> OpenSecondAsync(VolumeSettings image, IObjectStore store) => Volume.OpenAsync(
        image, VaultKeys.Import(_secondKeys), store, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance, NullLogger.Instance, CancellationToken.None);

    private static VolumeSettings Lazy(VolumeSettings settings) => settings with { SaveInterval = TimeSpan.FromDays(1), UploadRest = TimeSpan.FromDays(1), UploadDeadline = TimeSpan.FromDays(1) };

    /// <summary>The device looks, and has all that the other one has committed.</summary>
    public static Task FollowAsync(Device device, Device ahead)
    {
        device.Volume.LookSoon();
        return UploadTests.EventuallyAsync(
            () => device.Volume.GetStatus() is var status && (status.Seq >= ahead.Volume.GetStatus().Seq || status.ReadOnlyReason is not null), "the other's commit is taken over");
    }

    /// <summary>One mounted device, by paths.</summary>
    internal sealed partial class Device(Volume volume)
    {
        public Volume Volume => volume;

        public NodeId Find(string path)
        {
            NodeId node = NodeId.Root;
            foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                Assert.Equal(FsStatus.Ok, volume.Lookup(node, Encoding.UTF8.GetBytes(part), out NodeAttributes found));
                node = found.Node;
            }

            return node;
        }

        /// <summary>Makes a file, or writes over the one that is there, in place.</summary>
        public NodeId Write(string path, string content)
        {
            (NodeId folder, byte[] name) = Split(path);
            if (volume.Lookup(folder, name, out NodeAttributes attributes) == FsStatus.NotFound)
            {
                Assert.Equal(FsStatus.Ok, volume.MakeNode(folder, name, FileMode.Regular | 0x1A4, 0, Caller.Root, out attributes));
            }

            HandleId file = HandleId.Of(attributes.Node);
            Assert.Equal(FsStatus.Ok, volume.SetAttributes(attributes.Node, HandleId.None, new AttributeChange { Fields = AttributeFields.Size, Size = 0 }, out _));
            Assert.Equal(FsStatus.Ok, volume.Write(file, 0, Encoding.UTF8.GetBytes(content), WriteOptions.None));
            return attributes.Node;
        }

        /// <summary>Copies a file without moving a byte: the new one shares its blocks.</summary>
        public void Share(string from, string to)
        {
            (NodeId folder, byte[] name) = Split(to);
            NodeId source = Find(from);
            Assert.Equal(FsStatus.Ok, volume.GetAttributes(source, out NodeAttributes attributes));
            Assert.Equal(FsStatus.Ok, volume.Create(folder, name, 0x1B4, OpenOptions.Write, Caller.Root, out _, out HandleId target));
            IoResult copied = volume.CopyRangeAsync(HandleId.Of(source), 0, target, 0, attributes.Size, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            Assert.Equal(attributes.Size, copied.Count);
            volume.Close(target);
        }

        /// <summary>As editors save: a new file, renamed over the old one.</summary>
        public void Save(string path, string content)
        {
            Write(path + ".new", content);
            Move(path + ".new", path);
        }

        public void MakeFolder(string path)
        {
            (NodeId folder, byte[] name) = Split(path);
            Assert.Equal(FsStatus.Ok, volume.MakeDirectory(folder, name, 0x1ED, Caller.Root, out _));
        }

        public void Move(string from, string to)
        {
            (NodeId folder, byte[] name) = Split(from);
            (NodeId newFolder, byte[] newName) = Split(to);
            Assert.Equal(FsStatus.Ok, volume.Rename(folder, name, newFolder, newName, RenameOptions.None));
        }

        public void Link(string from, string to)
        {
            (NodeId folder, byte[] name) = Split(to);
            Assert.Equal(FsStatus.Ok, volume.Link(Find(from), folder, name, out _));
        }

        public void Remove(string path)
        {
            (NodeId folder, byte[] name) = Split(path);
            FsStatus status = volume.Unlink(folder, name);
            Assert.Equal(FsStatus.Ok, status == FsStatus.IsDirectory ? volume.RemoveDirectory(folder, name) : status);
        }

        /// <summary>Removes a file that nobody has open.</summary>
        public void Erase(string path)
        {
            NodeId node = Find(path);
            Remove(path);
            volume.Forget(node);
        }

        /// <summary>Folders and files with their content, in order; the time in conflict names left out.</summary>
        public async Task<string> ShowAsync()
        {
            List<string> lines = [];
            await ShowAsync(NodeId.Root, "", lines);
            lines.Sort(StringComparer.Ordinal);
            return ConflictTime().Replace(string.Join(" | ", lines), "(conflict, $1)");
        }

        private async Task ShowAsync(NodeId folder, string path, List<string> lines)
        {
            Assert.Equal(FsStatus.Ok, volume.OpenDirectory(folder, out HandleId handle));
            EntryCollector entries = new();
            volume.ReadDirectory(handle, 0, entries);
            volume.CloseDirectory(handle);
            foreach ((string name, NodeAttributes attributes) in entries.Entries.Where(static entry => entry.Name is not ("." or "..")))
            {
                if (FileMode.IsDirectory(attributes.Mode))
                {
                    lines.Add($"{path}{name}/");
                    await ShowAsync(attributes.Node, $"{path}{name}/", lines);
                }
                else if (!FileMode.IsRegular(attributes.Mode))
                {
                    lines.Add($"{path}{name}@");
                }
                else
                {
                    lines.Add($"{path}{name}={Encoding.UTF8.GetString(await volume.ReadFileAsync(attributes.Node))}");
                }
            }
        }

        private (NodeId Folder, byte[] Name) Split(string path)
        {
            int slash = path.LastIndexOf('/');
            return (slash < 0 ? NodeId.Root : Find(path[..slash]), Encoding.UTF8.GetBytes(path[(slash + 1)..]));
        }

        [GeneratedRegex(@"\(conflict, (\w+), \d{4}-\d\d-\d\d \d\d-\d\d\)")]
        private static partial Regex ConflictTime();
    }

    private sealed class EntryCollector : IDirectoryWriter
    {
        public List<(string Name, NodeAttributes Attributes)> Entries { get; } = [];

        public bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie)
        {
            Entries.Add((Encoding.UTF8.GetString(name), attributes));
            return true;
        }
    }
}
