using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Metadata;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Security;

/// <summary>A vault that whole volumes wrote, with the device's local state as it was after each commit: what trials with volumes start from.</summary>
public sealed class VolumeTrials : IAsyncDisposable
{
    /// <summary>The commit that names a checkpoint instead of changing files.</summary>
    private const int CheckpointAt = 4;

    private readonly DeviceHome _home = new();
    private readonly List<KeyValuePair<string, byte[]>> _puts = [];
    private readonly List<IReadOnlyDictionary<string, byte[]>> _files = [];
    private byte[] _keys = [];
    private string _recoveryKey = "";
    private int _trials;

    private VolumeTrials()
    {
    }

    /// <summary>Every object in the order of the puts.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Puts => _puts;

    /// <summary>The files after commit <c>i + 1</c>.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, byte[]>> Files => _files;

    public string RecoveryKey => _recoveryKey;

    public DeviceHome Home => _home;

    public VaultKeys Keys() => VaultKeys.Import(_keys);

    public static async Task<VolumeTrials> CreateAsync(int seed, int commits = 6)
    {
        var trials = new VolumeTrials();
        var time = new ManualTime();
        var store = new NotedStore(new MemoryStore(), trials._puts);
        CreatedVault created = await VaultSetup.CreateAsync(store, new CreateVaultOptions { DeviceName = "desk" }, time, SystemRandomSource.Instance, CancellationToken.None);
        trials._keys = created.Keys.Export();
        trials._recoveryKey = created.RecoveryKey;
        created.Keys.Dispose();
        Dictionary<string, byte[]> files = [];
        trials._files.Add(new Dictionary<string, byte[]>());
        for (int commit = 2; commit <= commits + 1; commit++)
        {
            if (commit == CheckpointAt)
            {
                await trials.NameCheckpointAsync(store, time);
                trials._files.Add(new Dictionary<string, byte[]>(files));
                trials._home.Copy("writer", StateAt(commit));
                continue;
            }

            await using (Volume volume = await trials._home.OpenAsync("writer", trials.Keys(), store, time, CancellationToken.None))
            {
                Edit(volume, files, seed, commit);
                if (!await volume.UploadAsync(time, CancellationToken.None))
                {
                    throw new InvalidOperationException($"An honest store did not take commit {commit}: {volume.GetStatus().LastError}");
                }
            }

            trials._files.Add(new Dictionary<string, byte[]>(files));
            trials._home.Copy("writer", StateAt(commit));
        }

        return trials;
    }

    /// <summary>A malicious store that has everything, put in order.</summary>
    public async Task<EvilStore> EvilStoreAsync()
    {
        EvilStore evil = await EvilStore.OverAsync(new MemoryStore());
        foreach ((string name, byte[] content) in _puts)
        {
            await evil.PutIfAbsentAsync(new ObjectName(name), content, CancellationToken.None);
        }

        return evil;
    }

    /// <summary>The directory of a device that has seen commits up to <paramref name="seq"/> (from 2 on), to be used once.</summary>
    public string TakeDevice(long seq)
    {
        string state = $"device{Interlocked.Increment(ref _trials)}";
        _home.Copy(StateAt(seq), state);
        return state;
    }

    /// <summary>The directory of a device that has nothing yet.</summary>
    public string TakeDevice() => $"device{Interlocked.Increment(ref _trials)}";

    /// <summary>One trial; what it came to in a word.</summary>
    public async Task<string> RunAsync(int seed, CancellationToken cancellationToken) => await new VolumeTrial(this, seed, cancellationToken).RunAsync();

    public ValueTask DisposeAsync() => _home.DisposeAsync();

    /// <summary>
    /// A checkpoint of what the writer's database holds, and a commit of its own that names it. By hand: when a volume does it is a matter of its own time, and the puts
    /// are to be the same each time.
    /// </summary>
    private async Task NameCheckpointAsync(NotedStore store, ManualTime time)
    {
        using (VaultKeys keys = Keys())
        {
            using MetadataStore metadata = MetadataStore.Open(
                Path.Combine(_home.Settings("writer").StateDirectory, "metadata.db"), keys.DeriveLocalKey("metadata"), new MetadataOptions());
            VaultState head = await VaultSetup.ReadHeadAsync(store, keys, SystemRandomSource.Instance, CancellationToken.None);
            using CheckpointWriter writer = new(store, keys, head, SystemRandomSource.Instance);
            foreach (HeldRows rows in metadata.ReadHeld(head.Seq, 100))
            {
                await writer.AddAsync(rows, [], CancellationToken.None);
            }

            foreach (IReadOnlyList<BlockRow> blocks in metadata.ReadAllBlocks(100))
            {
                await writer.AddAsync(new HeldRows(), blocks, CancellationToken.None);
            }

            foreach (HeldRows ended in metadata.ReadEnded(head.Seq, head.History.Kept, 100))
            {
                await writer.AddAsync(new PastRows { Ended = ended }, CancellationToken.None);
            }

            CheckpointRef checkpoint = await writer.FinishAsync(CancellationToken.None);
            VaultLog log = new(store, keys, SystemRandomSource.Instance);
            await log.SubmitAsync(head, log.Prepare(head, new CommitDraft { Checkpoint = checkpoint, Time = 1 }), CancellationToken.None);
        }

        await using Volume seesIt = await _home.OpenAsync("writer", Keys(), store, time, CancellationToken.None);
    }

    private static string StateAt(long seq) => $"after{seq}";

    private static void Edit(Volume volume, Dictionary<string, byte[]> files, int seed, int commit)
    {
        void Put(string name, byte[] content)
        {
            FsStatus status = volume.Write(name, content);
            files[name] = status == FsStatus.Ok ? content : throw new InvalidOperationException($"{name}: {status}");
        }

        Put($"f{commit}", KnownVault.Noise(seed + commit, 20_000 * commit));
        Put("always", KnownVault.Noise(seed - commit, 100 * commit));
        if (commit % 2 == 0)
        {
            Put("prose", KnownVault.Prose(commit, 300_000));
        }

        if (commit == 5)
        {
            volume.Unlink(NodeId.Root, "f3"u8);
            files.Remove("f3");
        }
    }
}
