using System.Net;
using Drive.Core.Stores;

namespace Drive.Stores.WebDav;

/// <summary>
/// Finds the step by which a server lets exactly one of several writers have a name. A passed trial is evidence, not proof, so the steps come in the order of how
/// much stands behind them: see <c>docs/decisions/0016-webdav-slot.md</c>.
/// </summary>
internal sealed class DavTrial(DavFolder folder, DavPlace place)
{
    private const int Rounds = 5;
    private const int Writers = 16;
    private const int BodyBytes = 16 << 10;

    /// <summary>The first step that a server keeps. <see cref="StoreException"/> when it keeps none.</summary>
    public async Task<DavSlot> ChooseAsync(CancellationToken cancellationToken)
    {
        foreach (DavSlot step in new[] { DavSlot.Folder, DavSlot.Put, DavSlot.Move })
        {
            if (await KeepsAsync(step, cancellationToken))
            {
                return step;
            }
        }

        throw new StoreException(
            StoreErrorKind.Malformed, isTransient: false, $"{place} lets one writer overwrite what another has just made, by PUT and by MOVE: a vault is not safe there. Choose another server, or write ?slot=put and keep the log in another store with --log-store.");
    }

    private async Task<bool> KeepsAsync(DavSlot step, CancellationToken cancellationToken)
    {
        for (int round = 0; round < Rounds; round++)
        {
            string target = folder.NewTemporary();
            try
            {
                if (!await (step == DavSlot.Put ? IsPutKeptAsync(target, cancellationToken) : IsMoveKeptAsync(step, target, cancellationToken)))
                {
                    return false;
                }
            }
            finally
            {
                await folder.DropAsync(step == DavSlot.Folder ? target + "/" : target);
            }
        }

        return true;
    }

    private async Task<bool> IsMoveKeptAsync(DavSlot step, string target, CancellationToken cancellationToken)
    {
        string[] prepared = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => folder.PrepareAsync(step, Body(writer), cancellationToken)));
        string to = step == DavSlot.Folder ? target + "/" : target;
        HttpStatusCode[] answers = await Task.WhenAll(prepared.Select(from => folder.MoveAsync(from, to, cancellationToken)));
        int[] winners = [.. Enumerable.Range(0, Writers).Where(writer => DavFolder.IsMoved(answers[writer]))];

        // Another one comes when the name is long taken; and whoever lost still has what it came with.
        string late = await folder.PrepareAsync(step, Body(Writers), cancellationToken);
        bool isKept = !DavFolder.IsMoved(await folder.MoveAsync(late, to, cancellationToken))
            && winners.Length == 1
            && await HoldsAsync(step == DavSlot.Folder ? target + DavFolder.Inner : target, winners[0], cancellationToken);
        foreach (string loser in prepared.Append(late).Where((_, writer) => isKept && writer != winners[0]))
        {
            isKept &= await folder.ExistsAsync(step == DavSlot.Folder ? loser.TrimEnd('/') + DavFolder.Inner : loser, cancellationToken);
            await folder.DropAsync(loser);
        }

        return isKept;
    }

    // Half of each body is held back until every writer has sent the other half: a server that looks at the condition only at the start lets all of them through,
    // and one that writes in place shows half an object.
    private async Task<bool> IsPutKeptAsync(string target, CancellationToken cancellationToken)
    {
        await folder.MakeParentsAsync(target, cancellationToken);
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        HeldContent[] bodies = [.. Enumerable.Range(0, Writers).Select(writer => new HeldContent(Body(writer), go.Task))];
        Task<HttpStatusCode>[] puts = [.. bodies.Select(body => folder.PutOnceAsync(target, body, isConditional: true, cancellationToken))];
        bool isHalfSeen;
        try
        {
            await Task.WhenAll(bodies.Zip(puts, static (body, put) => Task.WhenAny(body.HalfSent, put)));
            isHalfSeen = await folder.ExistsAsync(target, cancellationToken);
        }
        finally
        {
            go.SetResult();
        }

        HttpStatusCode[] answers = await Task.WhenAll(puts);
        int[] winners = [.. Enumerable.Range(0, Writers).Where(writer => answers[writer] == HttpStatusCode.Created)];
        HttpStatusCode late = await folder.PutOnceAsync(target, new ReadOnlyMemoryContent(Body(Writers)), isConditional: true, cancellationToken);
        return !isHalfSeen && winners.Length == 1 && late == HttpStatusCode.PreconditionFailed
            && answers.All(static answer => answer is HttpStatusCode.Created or HttpStatusCode.PreconditionFailed)
            && await HoldsAsync(target, winners[0], cancellationToken);
    }

    private async Task<bool> HoldsAsync(string path, int writer, CancellationToken cancellationToken) =>
        await folder.GetAsync(path, BodyBytes, cancellationToken) is { } kept && kept.AsSpan().SequenceEqual(Body(writer));

    private static byte[] Body(int writer)
    {
        byte[] body = new byte[BodyBytes];
        body.AsSpan().Fill((byte)writer);
        return body;
    }

    /// <summary>A body that stops in its middle until it is told to go on.</summary>
    private sealed class HeldContent(byte[] body, Task go) : HttpContent
    {
        private readonly TaskCompletionSource _halfSent = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task HalfSent => _halfSent.Task;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(body.AsMemory(0, body.Length / 2), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            _halfSent.TrySetResult();
            await go.WaitAsync(cancellationToken);
            await stream.WriteAsync(body.AsMemory(body.Length / 2), cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }
}
