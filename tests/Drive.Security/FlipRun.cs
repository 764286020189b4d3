using System.Diagnostics;
using System.Globalization;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Testing;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Security;

/// <summary>What a run of flips came to: how many bits of each object, and those whose flip was not refused.</summary>
public sealed record FlipReport(long Flips, int Objects, IReadOnlyList<string> Accepted, TimeSpan Elapsed)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Flips} single-bit flips of {Objects} objects in {Elapsed.TotalSeconds:f1} s, {Accepted.Count} accepted")
        + string.Concat(Accepted.Take(20).Select(static what => "\nACCEPTED " + what));
}

/// <summary>
/// Every single bit of every object of a vault, turned over one at a time, on the path by which a client takes the object: joining (vault, slot), catching up (commits, a floor
/// where the log is cut, its checkpoint), reading content (segments of packs by range), and checking a whole pack.
/// </summary>
public sealed class FlipRun
{
    private readonly KnownVault _vault;
    private readonly Dictionary<string, byte[]> _objects;
    private readonly Dictionary<Bytes32, BlockRow> _blocks = [];

    public FlipRun(KnownVault vault)
    {
        _vault = vault;
        _objects = vault.Puts.ToDictionary();
        foreach (BlockRow block in vault.Versions.SelectMany(static version => version.Tree.Blocks))
        {
            _blocks[block.Block.Value] = block;
        }
    }

    public async Task<FlipReport> RunAsync(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        List<string> accepted = [];
        (string Name, int From, int To)[] shares =
            [.. _objects.SelectMany(static pair => Enumerable.Range(0, (pair.Value.Length + 255) / 256).Select(i => (pair.Key, i * 256, Math.Min(pair.Value.Length, (i + 1) * 256))))];
        await Parallel.ForEachAsync(shares, cancellationToken, async (share, token) =>
        {
            using VaultKeys keys = _vault.Keys();
            using var packs = new PackReader(keys, 16);
            var store = new OneChangedStore(_objects, share.Name);
            Func<Task> use = await PathOfAsync(share.Name, store, keys, packs);
            await RequireSoundAsync(use, share.Name);
            for (int bit = share.From * 8; bit < share.To * 8; bit++)
            {
                store.Changed[bit / 8] ^= (byte)(1 << (bit % 8));
                if (await TryAsync(use) is { } what)
                {
                    lock (accepted)
                    {
                        accepted.Add($"{share.Name} bit {bit}: {what}");
                    }
                }

                store.Changed[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        });
        return new FlipReport(_objects.Values.Sum(static bytes => bytes.Length * 8L), _objects.Count, accepted, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>What a client does with an object of this kind; it must throw when a bit of it is another.</summary>
    private async Task<Func<Task>> PathOfAsync(string name, OneChangedStore store, VaultKeys keys, PackReader packs)
    {
        var log = new VaultLog(store, keys, new SeededRandom(1));
        if (name == "vault" || name.StartsWith(VaultNames.SlotPrefix, StringComparison.Ordinal))
        {
            return async () =>
            {
                RecoveredVault recovered = await VaultSetup.RecoverAsync(store, _vault.RecoveryKey, "new", null, new ManualTime(), new SeededRandom(2), CancellationToken.None);
                recovered.Keys.Dispose();
            };
        }

        if (name.StartsWith("log/", StringComparison.Ordinal))
        {
            KnownVersion? before = _vault.Versions.FirstOrDefault(version => VaultNames.Commit(1, version.State.Seq + 1).Value == name);
            return () => log.ReadNextAsync(before?.State ?? VaultState.BeforeGenesis(keys), (before?.Tree ?? new RowTree()).Resolve, CancellationToken.None);
        }

        if (name.StartsWith("packs/", StringComparison.Ordinal))
        {
            return PackPath(name, store, packs);
        }

        return name.StartsWith("floor/", StringComparison.Ordinal) ? FloorPath(log, store, keys) : await CheckpointPathAsync(name, store, keys);
    }

    /// <summary>The log is cut for this reader: it comes to the floor, and from there to the checkpoint.</summary>
    private Func<Task> FloorPath(VaultLog log, OneChangedStore store, VaultKeys keys)
    {
        VaultState sleeper = _vault.Versions[0].State;
        store.Hide(VaultNames.Commit(1, sleeper.Seq + 1).Value);
        return async () =>
        {
            if (await log.ReadNextAsync(sleeper, static rows => rows, CancellationToken.None) is not ReadResult.FloorJump jump)
            {
                throw new InvalidOperationException("No floor was found.");
            }

            await ReadAsync(await CheckpointReader.OpenAsync(store, keys, jump.Floor, sleeper, CancellationToken.None));
        };
    }

    /// <summary>The manifest is opened as the log names it; for a part it is opened once, and the part is read each time.</summary>
    private async Task<Func<Task>> CheckpointPathAsync(string name, OneChangedStore store, VaultKeys keys)
    {
        CheckpointRef checkpoint = _vault.Floor!.Checkpoint;
        CheckpointReader opened = await CheckpointReader.OpenAsync(store, keys, checkpoint, CancellationToken.None);
        return name == VaultNames.Checkpoint(checkpoint.Id).Value
            ? async () => await ReadAsync(await CheckpointReader.OpenAsync(store, keys, checkpoint, CancellationToken.None))
            : () => ReadAsync(opened);
    }

    private static Task ReadAsync(CheckpointReader reader) => reader.ProveAsync(CancellationToken.None);

    /// <summary>A bit inside a segment must be refused by the read of that segment; any other by the check of the whole.</summary>
    private Func<Task> PackPath(string name, OneChangedStore store, PackReader packs)
    {
        BlockRow[] blocks = [.. _blocks.Values.Where(block => VaultNames.Pack(block.Pack).Value == name).OrderBy(static block => block.PackOffset)];
        byte[] original = _objects[name];
        var plain = new byte[BlockSegments.SegmentBytes];
        return () =>
        {
            int at = store.Changed.AsSpan().CommonPrefixLength(original);
            foreach (BlockRow block in blocks)
            {
                for (int segment = 0; segment < block.Segments.Length; segment++)
                {
                    int offset = (int)BlockSegments.OffsetOf(block, segment);
                    int length = BlockSegments.StoredLengthOf(block, segment);
                    if (at >= offset && at < offset + length)
                    {
                        packs.OpenSegment(block, segment, store.Changed.AsSpan(offset, length), plain);
                        return Task.CompletedTask;
                    }
                }
            }

            packs.ReadDirectory(blocks[0].Pack, store.Changed);
            return Task.CompletedTask;
        };
    }

    private static async Task RequireSoundAsync(Func<Task> use, string name)
    {
        try
        {
            await use();
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{name} is refused without a flip: {error.Message}", error);
        }
    }

    /// <summary>Null when it was refused as it must be.</summary>
    private static async Task<string?> TryAsync(Func<Task> use)
    {
        try
        {
            await use();
            return "taken for sound";
        }
        catch (Exception error)
        {
            return error is StoreException ? $"not a refusal: {error.Message}" : Verdict.Complain(error);
        }
    }
}
