using System.Text;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Security;

/// <summary>What a vault was after one of its commits.</summary>
public sealed record KnownVersion(VaultState State, RowTree Tree, IReadOnlyDictionary<string, byte[]> Files);

/// <summary>
/// A vault with a short history in which everything is known: each state, each file in it, each object in the order it was put. It is what a malicious store is
/// judged against. One device wrote it, through the vault's own code; ids come from the seed, the signing keys do not.
/// </summary>
public sealed class KnownVault
{
    private readonly List<KnownVersion> _versions = [];
    private readonly List<KeyValuePair<string, byte[]>> _puts = [];
    private readonly byte[] _keys;
    private readonly SeededRandom _random;
    private readonly MemoryStore _store;
    private readonly RowTree _tree = new();
    private readonly Dictionary<string, byte[]> _files = [];
    private ulong _nextNode = 2;

    private KnownVault(MemoryStore store, CreatedVault created, SeededRandom random)
    {
        _store = store;
        _keys = created.Keys.Export();
        _random = random;
        RecoveryKey = created.RecoveryKey;
        _tree.Apply(created.Genesis.Rows);
        Keep(created.State);
    }

    public string RecoveryKey { get; }

    /// <summary>After commit <c>i + 1</c>.</summary>
    public IReadOnlyList<KnownVersion> Versions => _versions;

    public KnownVersion Head => _versions[^1];

    /// <summary>Every object with its bytes, in the order of the puts.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Puts => _puts;

    /// <summary>The checkpoint and floor that the log names, where there are any.</summary>
    public FloorRef? Floor { get; private set; }

    /// <summary>The writer's keys, anew for each user.</summary>
    public VaultKeys Keys() => VaultKeys.Import(_keys);

    /// <summary>
    /// Files made, grown, shared, renamed and removed, content in one segment and in several, compressed and not; a checkpoint, a floor, and more commits.
    /// </summary>
    public static async Task<KnownVault> CreateAsync(int seed, bool withFloor = true, int noiseBytes = 0)
    {
        KnownVault vault = await StartAsync(seed);
        await vault.WriteAsync(("a", Noise(seed + 1, 300)), ("notes", Prose(seed, 150_000)));
        await vault.WriteAsync(("b", Noise(seed + 2, 900)));
        await vault.WriteAsync(("a", Noise(seed + 3, 700)));
        await vault.WriteAsync(("copy of b", Noise(seed + 2, 900)), ("empty", []));
        await vault.RemoveAsync("b");
        if (withFloor)
        {
            await vault.TruncateAsync();
        }

        await vault.WriteAsync(("c", Noise(seed + 4, 100)));
        if (noiseBytes > 0)
        {
            await vault.WriteAsync(("noise", Noise(seed + 5, noiseBytes)));
        }

        return vault;
    }

    /// <summary>Only the first commit.</summary>
    public static async Task<KnownVault> StartAsync(int seed)
    {
        var store = new MemoryStore();
        var random = new SeededRandom(seed);
        CreatedVault created = await VaultSetup.CreateAsync(store, new CreateVaultOptions { DeviceName = "desk" }, new ManualTime(), random, CancellationToken.None);
        var vault = new KnownVault(store, created, random);
        created.Keys.Dispose();
        foreach (string prefix in new[] { "vault", "slots/", "log/" })
        {
            await vault.NoteAsync(prefix);
        }

        return vault;
    }

    /// <summary>A malicious store that has everything of this vault, put in order, around a store of its own.</summary>
    public async Task<EvilStore> EvilStoreAsync()
    {
        EvilStore evil = await EvilStore.OverAsync(new MemoryStore());
        foreach ((string name, byte[] content) in _puts)
        {
            await evil.PutIfAbsentAsync(new ObjectName(name), content, CancellationToken.None);
        }

        return evil;
    }

    /// <summary>Puts a passphrase slot in place of the one before, into a store that shows this vault.</summary>
    public async Task PutPassphraseAsync(IObjectStore store, VaultKeys keys, byte[] passphrase)
    {
        using JoinIdentity identity = JoinIdentity.ForPassphrase(_random);
        await VaultSetup.ChangePassphraseAsync(
            store, keys, Head.State, identity, passphrase, isAlone: false, PassphraseCost.IterationsMin, SystemRandomSource.Instance, CancellationToken.None);
    }

    /// <summary>The moment just after a commit was put, in the history of a store of <see cref="EvilStoreAsync"/>.</summary>
    public int MomentOf(long seq) => _puts.FindIndex(put => put.Key == VaultNames.Commit(1, seq).Value) + 1;

    public async Task WriteAsync(params (string Name, byte[] Content)[] files)
    {
        using VaultKeys keys = Keys();
        var rows = new RowChanges();
        using var pack = new PackWriter(keys, _random, 1 << 20);
        foreach ((string name, byte[] content) in files)
        {
            AddFile(rows, keys, pack, name, content);
        }

        List<PackRef> packs = [];
        if (pack.BlockCount > 0)
        {
            ReadOnlyMemory<byte> bytes = pack.Finish();
            await PutAsync(VaultNames.Pack(pack.Id), bytes.ToArray());
            packs.Add(new PackRef(pack.Id, bytes.Length));
        }

        await CommitAsync(keys, new CommitDraft { Rows = rows, Packs = packs, Time = 1 });
    }

    public async Task RemoveAsync(string name)
    {
        using VaultKeys keys = Keys();
        var rows = new RowChanges();
        Close(rows, name);
        _files.Remove(name);
        await CommitAsync(keys, new CommitDraft { Rows = rows, Time = 1 });
    }

    /// <summary>A checkpoint, the commit that names it, the commit that decides on a floor there, and the floor. The log stays.</summary>
    public async Task TruncateAsync()
    {
        using VaultKeys keys = Keys();
        var noted = new NotedStore(_store, _puts);
        using var writer = new CheckpointWriter(noted, keys, Head.State, _random);
        await writer.AddAsync(HeldRows.Since(_tree.Rows(), Head.State.Seq), [.. _tree.Blocks], CancellationToken.None);
        PastRows past = new() { Moments = { new MomentRow(1, 1, keys.DeviceId) }, Packs = { new PackRow(new PackId(Head.State.Head), 1000) } };
        past.Ended.Entries.Add(new(new EntryRow(NodeId.Root, "gone"u8.ToArray(), NodeId.Compose(1, 1000), 0), 1, 2));
        await writer.AddAsync(past, CancellationToken.None);
        CheckpointRef checkpoint = await writer.FinishAsync(CancellationToken.None);
        await CommitAsync(keys, new CommitDraft { Checkpoint = checkpoint, Time = 1 });
        var floor = new FloorRef(1, checkpoint.Seq, checkpoint);
        await CommitAsync(keys, new CommitDraft { Floor = floor, Time = 1 });
        await new VaultLog(noted, keys, _random).PublishFloorAsync(Head.State, floor, CancellationToken.None);
        Floor = floor;
    }

    /// <summary>A new master key.</summary>
    public async Task RotateAsync()
    {
        using VaultKeys keys = Keys();
        keys.Learn(Head.State);
        await CommitAsync(keys, new CommitDraft { Members = [keys.MakeRotation(Head.State, [], _random)], Time = 1 });
    }

    public static byte[] Noise(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Text that shrinks to little, so that a block of several segments is a small object.</summary>
    public static byte[] Prose(int seed, int length)
    {
        byte[] sentence = Encoding.ASCII.GetBytes($"Chapter {seed}: nothing happened, and it was written down all the same. ");
        return [.. Enumerable.Range(0, length).Select(i => sentence[i % sentence.Length])];
    }

    private void AddFile(RowChanges rows, VaultKeys keys, PackWriter pack, string name, byte[] content)
    {
        NodeId node = Close(rows, name) ?? NodeId.Compose(1, _nextNode++);
        rows.Opened.Nodes.Add(new NodeRow { Node = node, Mode = FileMode.Regular | 0x1A4, LinkCount = 1, Size = content.Length, ModifyTime = 5 });
        rows.Opened.Entries.Add(new EntryRow(NodeId.Root, Encoding.UTF8.GetBytes(name), node, 0));
        if (content.Length > 0)
        {
            BlockId id = keys.IdentifyBlock(content);
            if (_tree.FindBlock(id) is null)
            {
                rows.Blocks.Add(pack.Add(id, content, Effort.Quick));
            }

            rows.Opened.Extents.Add(new ExtentRow(node, 0, content.Length, id, 0));
        }

        _files[name] = content;
    }

    private NodeId? Close(RowChanges rows, string name)
    {
        if (_tree.FindEntry(NodeId.Root, name) is not { } entry)
        {
            return null;
        }

        rows.Closed.Entries.Add(entry);
        rows.Closed.Nodes.Add(_tree.FindNode(entry.Node)!);
        rows.Closed.Extents.AddRange(_tree.Extents(entry.Node));
        return entry.Node;
    }

    private async Task CommitAsync(VaultKeys keys, CommitDraft draft)
    {
        var log = new VaultLog(_store, keys, _random);
        Attempt attempt = log.Prepare(Head.State, draft);
        if (await log.SubmitAsync(Head.State, attempt, CancellationToken.None) is not AppendOutcome.Committed committed)
        {
            throw new InvalidOperationException("A commit was not taken by an honest store.");
        }

        _puts.Add(new(attempt.Name.Value, attempt.Bytes));
        _tree.Apply(draft.Rows);
        Keep(committed.Next);
    }

    private void Keep(VaultState state) => _versions.Add(new KnownVersion(state, _tree.Clone(), new Dictionary<string, byte[]>(_files)));

    private async Task PutAsync(ObjectName name, byte[] content)
    {
        await _store.PutIfAbsentAsync(name, content, CancellationToken.None);
        _puts.Add(new(name.Value, content));
    }

    private async Task NoteAsync(string prefix)
    {
        await foreach (ObjectInfo info in _store.ListAsync(prefix, CancellationToken.None))
        {
            _puts.Add(new(info.Name.Value, (await _store.GetAsync(info.Name, int.MaxValue, CancellationToken.None))!));
        }
    }
}
