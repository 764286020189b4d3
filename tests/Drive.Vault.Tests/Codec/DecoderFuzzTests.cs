using Drive.Core.Rows;
using Drive.Testing;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Vault.Tests.Codec;

/// <summary>Decoders behind the seal: a hostile member, or a bug, may reach them with any bytes.</summary>
public sealed class DecoderFuzzTests
{
    [Fact]
    public async Task States_attempts_commits_and_keys_are_refused_or_read_and_never_anything_else()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        using TestVault vault = await TestVault.CreateAsync();
        await vault.CommitAsync(vault.Draft() with { Writer = WriterChange.Open });
        Attempt attempt = vault.Log.Prepare(vault.State, vault.Draft() with { Packs = [new PackRef(default, 5)], Checkpoint = new CheckpointRef(default, 1, default, default) });
        byte[] body;
        using (var writer = new Drive.Vault.Codec.ByteWriter())
        {
            CommitCodec.Write(writer, vault.Created.Genesis);
            body = writer.ToArray();
        }

        Fuzz(random, seed, vault.State.Encode(), bytes => VaultState.Decode(bytes));
        Fuzz(random, seed, attempt.Encode(), bytes => Attempt.Decode(bytes));
        Fuzz(random, seed, body, bytes => CommitCodec.Read(bytes, "test"));
        Fuzz(random, seed, vault.Keys.Export(), bytes => VaultKeys.Import(bytes).Dispose());
    }

    private static void Fuzz(Random random, int seed, byte[] original, Action<byte[]> decode)
    {
        for (int i = 0; i < 20_000; i++)
        {
            try
            {
                decode(RowCodecTests.Mutate(random, original));
            }
            catch (Exception e) when (e is VaultIntegrityException or VaultException { Kind: VaultErrorKind.MalformedKeys })
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {i}: {e}");
            }
        }
    }
}
