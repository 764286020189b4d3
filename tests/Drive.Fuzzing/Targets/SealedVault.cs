using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;
using Drive.Vault.Sealing;

namespace Drive.Fuzzing.Targets;

/// <summary>
/// A small vault with real keys, the same in every process: what mutated bodies are sealed and signed with, so that they reach the parser behind the proofs, as a
/// hostile member could send them.
/// </summary>
internal sealed class SealedVault : IDisposable
{
    private readonly SeededRandom _random = new(7);

    public SealedVault()
    {
        Created = VaultSetup.CreateAsync(Store, new CreateVaultOptions { DeviceName = "desk" }, new ManualTime(), _random, default).GetAwaiter().GetResult();
        Log = new VaultLog(Store, Keys, _random);
        State = Created.State;
    }

    public MemoryStore Store { get; } = new();

    public CreatedVault Created { get; }

    public VaultKeys Keys => Created.Keys;

    public VaultLog Log { get; }

    public VaultState State { get; private set; }

    public IRandomSource Random => _random;

    /// <summary>Rows of every kind.</summary>
    public static RowSet Rows()
    {
        RowSet rows = new();
        NodeId file = NodeId.Compose(1, 5);
        rows.Nodes.Add(new NodeRow { Node = file, Mode = FileMode.Regular | 0x1A4, LinkCount = 2, Uid = 1000, Gid = 1000, Size = 70_000, AccessTime = 5, ModifyTime = 6, ChangeTime = 7, BirthTime = 8 });
        rows.Nodes.Add(new NodeRow { Node = NodeId.Compose(1, 6), Mode = FileMode.SymbolicLink | 0x1FF, LinkCount = 1, LinkTarget = "target/of/it"u8.ToArray() });
        rows.Entries.Add(new EntryRow(NodeId.Root, "name"u8.ToArray(), file, 0));
        rows.Extents.Add(new ExtentRow(file, 0, 70_000, new BlockId(Id(3)), 0));
        rows.Xattrs.Add(new XattrRow(file, "user.x"u8.ToArray(), "value"u8.ToArray()));
        return rows;
    }

    public static BlockRow Block() => new(new BlockId(Id(3)), new PackId(Id(4)), 106, 0, 70_000, [(65_000 * 2) + 1, (4464 + 16) * 2]);

    public static Bytes32 Id(byte fill)
    {
        byte[] bytes = new byte[Bytes32.Size];
        bytes.AsSpan().Fill(fill);
        return new Bytes32(bytes);
    }

    public byte[] Sign(ObjectClass objectClass, byte[] body, out Bytes32 id) => SignedObject.Seal(Keys, Keys.KeyEpoch, Keys.Signer, objectClass, _random, body, out id);

    /// <summary>What is expected of a parser of vault objects: a value, or its refusal.</summary>
    public static void Expect(Action parse)
    {
        try
        {
            parse();
        }
        catch (VaultIntegrityException)
        {
        }
    }

    public static void Expect(Func<Task> parse)
    {
        try
        {
            parse().GetAwaiter().GetResult();
        }
        catch (VaultIntegrityException)
        {
        }
    }

    /// <summary>A store that answers one object.</summary>
    public static MemoryStore StoreWith(ObjectName name, byte[] bytes)
    {
        MemoryStore store = new();
        store.PutIfAbsentAsync(name, bytes, default).GetAwaiter().GetResult();
        return store;
    }

    public void Dispose() => Keys.Dispose();
}
