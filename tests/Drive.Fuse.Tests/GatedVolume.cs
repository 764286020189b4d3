using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Fuse.Tests;

/// <summary>A volume whose slow calls wait at a gate until a test opens it, and end when they are cancelled.</summary>
internal sealed class GatedVolume(IVolume inner) : VolumeWrapper(inner)
{
    private readonly IVolume _inner = inner;
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;

    /// <summary>Whether reads wait.</summary>
    public bool GateReads { get; set; }

    /// <summary>Whether flushes to disk wait.</summary>
    public bool GateSyncs { get; set; }

    /// <summary>When set, writes wait on their caller's thread.</summary>
    public ManualResetEventSlim? WriteGate { get; set; }

    public int Waiting => Volatile.Read(ref _waiting);

    public void Open() => _gate.TrySetResult();

    public override async ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (GateReads && !await PassAsync(cancellationToken))
        {
            return IoResult.Failed(FsStatus.Interrupted);
        }

        return await _inner.ReadAsync(handle, offset, destination, cancellationToken);
    }

    public override async ValueTask<FsStatus> FsyncAsync(HandleId handle, bool dataOnly, CancellationToken cancellationToken)
    {
        if (GateSyncs && !await PassAsync(cancellationToken))
        {
            return FsStatus.Interrupted;
        }

        return await _inner.FsyncAsync(handle, dataOnly, cancellationToken);
    }

    public override FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options)
    {
        if (WriteGate is ManualResetEventSlim gate)
        {
            Interlocked.Increment(ref _waiting);
            gate.Wait();
            Interlocked.Decrement(ref _waiting);
        }

        return _inner.Write(handle, offset, data, options);
    }

    private async Task<bool> PassAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _gate.Task.WaitAsync(cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
