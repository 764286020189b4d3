using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.WebDav;

namespace Drive.Stores;

/// <summary>
/// Looks whether a store does what a vault's log stands on: races for names, and objects that are given back as they were put. A passed look is evidence, not proof.
/// What it makes lies below <see cref="Prefix"/> and is removed.
/// </summary>
/// <param name="stores">One store, opened once or several times: connections of their own.</param>
/// <param name="use">What for. A store that may hold packs only is never class B: it is A or C for that.</param>
public sealed class StoreProbe(IReadOnlyList<IObjectStore> stores, ProbeSize size, IRandomSource random, ProbeUse use = ProbeUse.Vault)
{
    /// <summary>What the objects that are made for it, and removed, begin with.</summary>
    public const string Prefix = "probe/";

    // A store that is busy with a name says so; the same bytes go there again. Arbitrary.
    private const int TriesMax = 5;
    private const int ListedObjects = 12;

    private readonly Dictionary<ProbeFinding, string> _found = [];
    private int _next;

    /// <summary>
    /// Looks briefly at a store before, or while, a vault is in it. Of a store in two each part is looked at for what it holds, and only where it is not local: a folder keeps
    /// names by the operating system's word. <see cref="StoreException"/> as for <see cref="RunAsync"/>.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="random">Of the names.</param>
    /// <param name="use">What for: a vault with a single writer needs of its store no more than packs do.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<ProbeResult> LookBrieflyAsync(IObjectStore store, IRandomSource random, ProbeUse use, CancellationToken cancellationToken)
    {
        (IObjectStore Part, ProbeUse Use, string Name)[] parts = store is SplitStore split
            ? [(split.Log, use, "the log's store: "), (split.Packs, ProbeUse.Packs, "the packs' store: ")]
            : [(store, use, "")];
        ProbeResult result = new(StoreClass.A, 0, new Dictionary<ProbeFinding, string>());
        foreach ((IObjectStore part, ProbeUse partUse, string name) in parts.Where(static one => !one.Part.Description.IsLocal))
        {
            result = await new StoreProbe([part], ProbeSize.Quick, random, partUse).RunAsync(cancellationToken);
            if (result.Class == StoreClass.C)
            {
                return result with { Findings = result.Findings.ToDictionary(static found => found.Key, found => name + found.Value) };
            }
        }

        return result;
    }

    /// <summary>All looks, until one of the races fails. <see cref="StoreException"/> when the store is away, which says nothing of its class.</summary>
    public async Task<ProbeResult> RunAsync(CancellationToken cancellationToken)
    {
        await AwakeAsync(cancellationToken);
        int rounds = 0;
        while (rounds < size.Rounds && !IsUnsafe)
        {
            await (use == ProbeUse.Vault ? RaceAsync(rounds, cancellationToken) : LookAtOneAsync(size.Of(rounds).LengthBytes, cancellationToken));
            rounds++;
        }

        if (!IsUnsafe)
        {
            await LookAtOneAsync(size.LargeBytes, cancellationToken);
            await LookAtListingAsync(cancellationToken);
        }

        StoreClass known = IsUnsafe ? StoreClass.C : GivesNamesByAnotherStep(stores[0].Description) ? StoreClass.B : StoreClass.A;
        return new ProbeResult(known, rounds, _found);
    }

    // Who may only add cannot take it away: what was put stays.
    private static async Task<bool> RemoveAsync(IObjectStore store, ObjectName name)
    {
        try
        {
            await store.DeleteAsync(name, CancellationToken.None);
            return true;
        }
        catch (StoreException refusal) when (refusal is { Kind: StoreErrorKind.Denied, IsTransient: false })
        {
            return false;
        }
    }

    private bool IsUnsafe => _found.Keys.Any(static finding => finding != ProbeFinding.ListsWrongly);

    // The first put makes what a new store needs, before several race for that too.
    private async Task AwakeAsync(CancellationToken cancellationToken)
    {
        ObjectName name = new(Prefix + Convert.ToHexStringLower(NewId()));
        await PutAfterAsync(Task.CompletedTask, stores[0], name, [1], cancellationToken);
        await RemoveAsync(stores[0], name);
    }

    private async Task RaceAsync(int round, CancellationToken cancellationToken)
    {
        byte[] id = NewId();
        ObjectName name = new(Prefix + Convert.ToHexStringLower(id));
        (int length, int writers) = size.Of(round);
        byte[][] bodies = [.. Enumerable.Range(0, writers + 1).Select(writer => Body(id, writer, length))];
        try
        {
            Note(await Next().GetAsync(name, length, cancellationToken) is not null, ProbeFinding.StaleReads, "a name that was never put has an object");
            TaskCompletionSource start = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<bool?>[] puts = [.. Enumerable.Range(0, writers).Select(writer => PutAfterAsync(start.Task, Next(), name, bodies[writer], cancellationToken))];
            start.SetResult();
            bool?[] made = await Task.WhenAll(puts);
            bool? late = await PutAfterAsync(Task.CompletedTask, Next(), name, bodies[writers], cancellationToken);
            Note(made.Count(static isMade => isMade == true) > 1, ProbeFinding.LetsSeveralWin, $"{made.Count(static isMade => isMade == true)} of {writers} writers were told that they made one object");
            Note(late == true, ProbeFinding.IgnoresTheCondition, "a name that was taken was given again");
            await LookAtKeptAsync(name, bodies, [.. made, late], cancellationToken);
            if (!IsUnsafe)
            {
                await LookAtDeletionAsync(name, bodies[0], cancellationToken);
            }
        }
        finally
        {
            await RemoveAsync(stores[0], name);
        }
    }

    private async Task LookAtKeptAsync(ObjectName name, byte[][] bodies, bool?[] made, CancellationToken cancellationToken)
    {
        if (IsUnsafe)
        {
            return;
        }

        byte[]? first = null;
        for (int read = 0; read < size.Reads; read++)
        {
            byte[]? kept = await Next().GetAsync(name, bodies[0].Length, cancellationToken);
            if (kept is null)
            {
                bool isNobodys = made.All(static isMade => isMade == false);
                bool isLate = !isNobodys && (read > 0 || await AppearsAsync(name, bodies[0].Length, cancellationToken));
                Note(isNobodys, ProbeFinding.TakenByNobody, "all were told that a name is taken, and it has no object");
                Note(isLate, ProbeFinding.StaleReads, "an object is there for one read and absent for the next");
                Note(!isNobodys && !isLate, ProbeFinding.Forgets, "an object that was made is absent");
                return;
            }

            first ??= kept;
            Note(!kept.AsSpan().SequenceEqual(first), ProbeFinding.StaleReads, "an object changed between two reads");
        }

        int owner = Array.FindIndex(bodies, body => body.AsSpan().SequenceEqual(first));
        Note(owner < 0 && first!.Length < bodies[0].Length, ProbeFinding.CutsBodies, $"of an object of {bodies[0].Length} bytes {first!.Length} are kept");
        Note(owner < 0 && first!.Length == bodies[0].Length, ProbeFinding.KeepsALosersBytes, "an object has bytes that nobody put there");
        Note(
            owner >= 0 && bodies[0].Length > 0 && made[owner] == false, ProbeFinding.KeepsALosersBytes, "an object has the bytes of a writer that was told that the name is taken");
        Note(bodies[0].Length == 0 && made.All(static isMade => isMade == false), ProbeFinding.KeepsALosersBytes, "no writer was told that it made an object, and it is there");
        await LookAtPartsAsync(name, first!, cancellationToken);
    }

    private async Task<bool> AppearsAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        for (int read = 0; read < size.Reads; read++)
        {
            if (await Next().GetAsync(name, bytesMax, cancellationToken) is not null)
            {
                return true;
            }
        }

        return false;
    }

    private async Task LookAtPartsAsync(ObjectName name, byte[] content, CancellationToken cancellationToken)
    {
        long? length = await Next().GetLengthAsync(name, cancellationToken);
        Note(length != content.Length, ProbeFinding.WrongLength, $"an object of {content.Length} bytes is said to have {length}");
        foreach (int offset in new[] { 0, content.Length / 3, content.Length - 5, content.Length, content.Length + 10 })
        {
            byte[] part = new byte[100];
            int expected = Math.Clamp(content.Length - offset, 0, part.Length);
            bool isRight = offset < 0;
            try
            {
                isRight |= !isRight && await Next().GetRangeAsync(name, offset, part, cancellationToken) == expected
                    && part.AsSpan(0, expected).SequenceEqual(content.AsSpan(Math.Min(offset, content.Length), expected));
            }
            catch (StoreException answer) when (answer is { IsTransient: false, Kind: StoreErrorKind.Malformed })
            {
                // What the store noticed itself.
            }

            Note(!isRight, ProbeFinding.WrongRange, $"{part.Length} bytes at {offset} of an object of {content.Length} are not those");
        }
    }

    private async Task LookAtDeletionAsync(ObjectName name, byte[] body, CancellationToken cancellationToken)
    {
        if (!await RemoveAsync(Next(), name))
        {
            return;
        }

        Note(await Next().GetAsync(name, body.Length, cancellationToken) is not null, ProbeFinding.StaleReads, "an object that was deleted is still there");
        Note(
            await PutAfterAsync(Task.CompletedTask, Next(), name, body, cancellationToken) == false, ProbeFinding.TakenByNobody, "a name whose object was deleted is still taken");
        byte[]? again = await Next().GetAsync(name, body.Length, cancellationToken);
        Note(again is null || !again.AsSpan().SequenceEqual(body), ProbeFinding.StaleReads, "an object that was deleted and made again is not the new one");
    }

    private async Task LookAtOneAsync(int lengthBytes, CancellationToken cancellationToken)
    {
        byte[] id = NewId();
        ObjectName name = new(Prefix + Convert.ToHexStringLower(id));
        byte[] body = Body(id, 0, lengthBytes);
        try
        {
            bool? made = await PutAfterAsync(Task.CompletedTask, Next(), name, body, cancellationToken);
            await LookAtKeptAsync(name, [body], [made], cancellationToken);
        }
        finally
        {
            await RemoveAsync(stores[0], name);
        }
    }

    private async Task LookAtListingAsync(CancellationToken cancellationToken)
    {
        string below = $"{Prefix}{Convert.ToHexStringLower(NewId())}/";
        Dictionary<string, long> expected = [];
        ObjectName beside = new(below.TrimEnd('/') + "-beside");
        try
        {
            await PutAfterAsync(Task.CompletedTask, Next(), beside, [1], cancellationToken);
            for (int index = 0; index < ListedObjects; index++)
            {
                ObjectName name = new($"{below}{index % 3}/{index}");
                await PutAfterAsync(Task.CompletedTask, Next(), name, new byte[index], cancellationToken);
                expected.Add(name.Value, index);
            }

            Dictionary<string, long> listed = [];
            await foreach (ObjectInfo info in Next().ListAsync(below, cancellationToken))
            {
                Note(!listed.TryAdd(info.Name.Value, info.Length), ProbeFinding.ListsWrongly, $"{info.Name} is listed twice");
            }

            Note(
                listed.Count != expected.Count || expected.Any(one => listed.GetValueOrDefault(one.Key, -1) != one.Value),
                ProbeFinding.ListsWrongly,
                $"of {expected.Count} objects {expected.Count(one => listed.GetValueOrDefault(one.Key, -1) == one.Value)} are listed as they are, and {listed.Keys.Except(expected.Keys).Count()} that are not there");
        }
        finally
        {
            foreach (string name in expected.Keys)
            {
                await RemoveAsync(stores[0], new ObjectName(name));
            }

            await RemoveAsync(stores[0], beside);
        }
    }

    // Null: the store was busy with the name, and it may or may not have been made. After that a "taken" may mean our own bytes.
    private async Task<bool?> PutAfterAsync(Task start, IObjectStore store, ObjectName name, byte[] body, CancellationToken cancellationToken)
    {
        await start;
        bool wasBusy = false;
        for (int attempt = 0; attempt < TriesMax; attempt++)
        {
            try
            {
                bool isMade = await store.PutIfAbsentAsync(name, body, cancellationToken);
                return isMade || !wasBusy ? isMade : null;
            }
            catch (StoreException busy) when (busy.IsTransient && (busy.Kind == StoreErrorKind.Failed || attempt < TriesMax - 1))
            {
                // Also a connection that the server closed as it was used again; one that is away stays away.
                wasBusy = true;
            }
            catch (StoreException answer) when (answer is { IsTransient: false, Kind: StoreErrorKind.Malformed })
            {
                // The store's own word for it, before any look: it replaced what it was told to keep, or has no step at all.
                lock (_found)
                {
                    _found.TryAdd(ProbeFinding.IgnoresTheCondition, answer.Message);
                }

                return null;
            }
        }

        return null;
    }

    private void Note(bool isSo, ProbeFinding finding, string what)
    {
        lock (_found)
        {
            _ = isSo && _found.TryAdd(finding, what);
        }
    }

    private IObjectStore Next() => stores[(int)((uint)Interlocked.Increment(ref _next) % stores.Count)];

    private byte[] NewId()
    {
        byte[] id = new byte[16];
        random.Fill(id);
        return id;
    }

    // From the description, which wrappers pass on.
    /// <summary>Whether a name is kept by more than a put: such a store is class B at best.</summary>
    public static bool GivesNamesByAnotherStep(StoreDescription store) =>
        store.Url.StartsWith(DavPlace.Scheme, StringComparison.Ordinal) && StorePlace.Parse(store.Url) is DavPlace { Slot: DavSlot.Folder or DavSlot.Move };

    // Each byte differs between writers, so that a mixture is nobody's.
    private static byte[] Body(byte[] id, int writer, int length)
    {
        byte[] body = new byte[length];
        for (int at = 0; at < length; at++)
        {
            body[at] = (byte)(id[at % id.Length] + writer + (at >> 8));
        }

        return body;
    }
}
