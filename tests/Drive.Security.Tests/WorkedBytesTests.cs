using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Security.Tests;

/// <summary>The example in docs/security.md stays true: it is read out of the page, opened a second way, and recovered by the product.</summary>
public sealed class WorkedBytesTests
{
    private const string Begin = "```worked-bytes\n";

    [Fact]
    public async Task The_example_of_the_page_is_a_vault_that_opens_and_each_of_its_fields_is_where_the_page_says()
    {
        string page = await File.ReadAllTextAsync(ThreatTableTests.Page());
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        Assert.True(begin >= Begin.Length);
        string example = page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)];
        Assert.Null(await WorkedBytes.CheckAsync(example));

        // A page with one digit wrong is found out, whichever it is.
        foreach (int at in Enumerable.Range(0, 60).Select(i => (i * 97) + 200))
        {
            char digit = example[at];
            if (char.IsAsciiHexDigitLower(digit) && example[example.LastIndexOf('\n', at) + 1] == ' ')
            {
                string wrong = example[..at] + (digit == '0' ? '1' : '0') + example[(at + 1)..];
                Assert.True(await FailsAsync(wrong), $"at {at}");
            }
        }
    }

    [Fact]
    public async Task A_new_example_is_true_as_well() => Assert.Null(await WorkedBytes.CheckAsync(await WorkedBytes.MakeAsync()));

    [Fact]
    public async Task A_commit_with_changes_of_history_opens_a_second_way()
    {
        KnownVault vault = await KnownVault.StartAsync(3);
        using VaultKeys keys = vault.Keys();
        VaultLog log = new(new MemoryStore(), keys, new SeededRandom(4));
        PackId pack = new(new Bytes32(Enumerable.Repeat((byte)9, 32).ToArray()));
        Attempt first = log.Prepare(vault.Head.State, new CommitDraft
        {
            Time = 1,
            History =
            [
                new NameSnapshot("s", 1, 7), new DropSnapshot("s"), new SetRetention(RetentionRule.Default), new FreezeRetention("why"), new ThawRetention(), new Prune(2, [1]),
                new Condemn([pack]),
            ],
        });
        Attempt second = log.Prepare(first.Next, new CommitDraft { Time = 1, History = [new Swept([pack])] });
        SecondOpener opener = new(vault.RecoveryKey, vault.Puts.Single(static put => put.Key == "vault").Value);
        opener.OpenSlot(vault.Puts.First(static put => put.Key.StartsWith("slots/", StringComparison.Ordinal)).Value);
        IReadOnlyList<(string Name, byte[] Bytes)> fields = opener.OpenCommit(first.Bytes);
        Assert.Equal([2], fields.Single(static field => field.Name == "version").Bytes);
        Assert.Equal(pack.Value.AsSpan().ToArray(), fields.Single(static field => field.Name == "pack id").Bytes);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], fields.Where(static field => field.Name == "history").Select(static field => field.Bytes[0]));
        Assert.Empty(fields[^1].Bytes);
        Assert.Equal(pack.Value.AsSpan().ToArray(), opener.OpenCommit(second.Bytes).Single(static field => field.Name == "pack id").Bytes);
    }

    [Fact]
    public async Task A_checkpoint_with_its_past_opens_a_second_way()
    {
        KnownVault vault = await KnownVault.StartAsync(5);
        await vault.WriteAsync(("hello", "hello"u8.ToArray()));
        await vault.TruncateAsync();
        SecondOpener opener = new(vault.RecoveryKey, vault.Puts.Single(static put => put.Key == "vault").Value);
        opener.OpenSlot(vault.Puts.First(static put => put.Key.StartsWith("slots/", StringComparison.Ordinal)).Value);
        Dictionary<string, byte[]> objects = vault.Puts.Where(static put => put.Key.StartsWith("checkpoints/", StringComparison.Ordinal)).ToDictionary();
        byte[] manifest = objects[VaultNames.Checkpoint(vault.Floor!.Checkpoint.Id).Value];
        IReadOnlyList<(string Name, byte[] Bytes)> fields = opener.OpenManifest(manifest);
        Assert.Equal([2], fields.Single(static field => field.Name == "version").Bytes);
        IReadOnlyList<(string Name, byte[] Bytes)> present = opener.OpenPart(Part("part: id"));
        IReadOnlyList<(string Name, byte[] Bytes)> past = opener.OpenPart(Part("past part: id"));
        Assert.Contains(present, static field => field.Name == "name" && field.Bytes.AsSpan().SequenceEqual("hello"u8));
        Assert.Equal([0x21, 0x21, 0x22, 0x23, 5], present.Where(static field => field.Name == "row").Select(static field => (int)field.Bytes[0]));
        Assert.Contains(past, static field => field.Name == "name" && field.Bytes.AsSpan().SequenceEqual("gone"u8));
        Assert.Equal([0x32, 0x37, 0x36], past.Where(static field => field.Name == "row").Select(static field => (int)field.Bytes[0]));

        byte[] Part(string name) => objects[VaultNames.Checkpoint(new Bytes32(fields.Single(field => field.Name == name).Bytes)).Value];
    }

    [Fact]
    public async Task A_key_link_opens_a_second_way_under_the_key_of_the_epoch_before()
    {
        KnownVault vault = await KnownVault.StartAsync(6);
        await vault.RotateAsync();
        await vault.TruncateAsync();
        SecondOpener opener = new(vault.RecoveryKey, vault.Puts.Single(static put => put.Key == "vault").Value);
        opener.OpenSlot(vault.Puts.First(static put => put.Key.StartsWith("slots/", StringComparison.Ordinal)).Value);
        IReadOnlyList<(string Name, byte[] Bytes)> fields = opener.OpenKeyLink(vault.Puts.Single(static put => put.Key == "keys/0000000002").Value);
        Assert.Equal([2], fields.Single(static field => field.Name == "key epoch").Bytes);
        KeyRotation rotation = Assert.Single(vault.Head.State.Rotations);
        Assert.Equal(rotation.Ephemeral, fields.Single(static field => field.Name == "ephemeral key X, Y").Bytes);
        Assert.Equal(rotation.Wrapped.Select(static wrapped => Convert.ToHexStringLower(wrapped.Bytes)), fields.Where(static field => field.Name == "wrapped").Select(static field => Convert.ToHexStringLower(field.Bytes)));
    }

    private static async Task<bool> FailsAsync(string example)
    {
        try
        {
            return await WorkedBytes.CheckAsync(example) is not null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return true;
        }
    }
}
