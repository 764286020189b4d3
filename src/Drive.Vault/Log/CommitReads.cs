using Drive.Core.Stores;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <summary>
/// Reads slots of the log in their order, and those behind them ahead of time: a device that catches up would wait a round trip for each. Only what is found is kept. Absent is said of a slot when it is
/// its turn, never before, since it may be filled meanwhile; and what a read ahead failed with is forgotten, and the slot read again.
/// </summary>
/// <remarks>For one reader at a time. Nothing is read ahead for who finds a single new commit now and then: each one that follows another doubles how far ahead it is looked.</remarks>
internal sealed class CommitReads(IObjectStore store)
{
    private const int AheadMax = 16;

    /// <summary>Commits as large as this one are read one ahead: they take their time by their bytes.</summary>
    private const int LargeBytes = 1 << 20;

    private readonly Dictionary<(int Gen, long Seq), Task<byte[]?>> _ahead = [];
    private (int Gen, long Seq) _last;
    private int _depth;

    /// <summary>A slot's bytes, or null when it is absent.</summary>
    public async Task<byte[]?> ReadAsync(int gen, long seq, CancellationToken cancellationToken)
    {
        if (_last != (gen, seq - 1))
        {
            Forget();
        }

        byte[]? bytes = _ahead.Remove((gen, seq), out Task<byte[]?>? begun) ? await FinishAsync(begun) : null;
        bytes ??= await GetAsync(gen, seq, cancellationToken);
        if (bytes is null)
        {
            // The head: what was asked for behind it is absent too, or will be read again.
            Forget();
            return null;
        }

        _depth = _last != (gen, seq - 1) ? 0 : bytes.Length >= LargeBytes ? 1 : Math.Clamp(_depth * 2, 1, AheadMax);
        _last = (gen, seq);
        for (long next = seq + 1; next <= seq + _depth; next++)
        {
            if (!_ahead.ContainsKey((gen, next)))
            {
                _ahead.Add((gen, next), GetAsync(gen, next, cancellationToken));
            }
        }

        return bytes;
    }

    private Task<byte[]?> GetAsync(int gen, long seq, CancellationToken cancellationToken) =>
        store.GetProvableAsync(VaultNames.Commit(gen, seq), SealedBody.ObjectBytesMax, cancellationToken);

    private static async Task<byte[]?> FinishAsync(Task<byte[]?> begun)
    {
        try
        {
            return await begun;
        }
        catch (Exception error) when (error is StoreException or VaultIntegrityException or OperationCanceledException)
        {
            return null;
        }
    }

    private void Forget()
    {
        foreach (Task<byte[]?> begun in _ahead.Values)
        {
            // Nobody waits for it any more.
            _ = begun.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        _ahead.Clear();
        _last = default;
        _depth = 0;
    }
}
