using System.Globalization;
using Drive.Core.Stores;

namespace Drive.Testing.Stores;

/// <summary>What a malicious store does to what it keeps and says.</summary>
public enum EvilOperator
{
    Flip,
    Cut,
    Extend,
    Swap,
    Replay,
    RollBack,
    Delete,
    Reorder,
    Freeze,
    Inject,
    Downgrade,
    LieOnPut,
    LieOnRead,
}

/// <summary>One act of a malicious store, drawn from a seed and the objects that there are. It says itself in words that can be done again.</summary>
/// <param name="Operator">What.</param>
/// <param name="Name">To which object; of a lie, to the calls on it; empty for an act on the whole store.</param>
/// <param name="Other">The other object, or null.</param>
/// <param name="Position">Bit, length, offset, moment or seed, as the operator has it; of a lie, which call meets it first.</param>
/// <param name="Lie">The lie, for those.</param>
/// <param name="Times">How many calls meet the lie.</param>
public sealed record EvilMutation(EvilOperator Operator, string Name, string? Other, long Position, EvilLie Lie, int Times)
{
    /// <summary>A lie that never ends.</summary>
    public const int Always = int.MaxValue;

    /// <summary>Draws one. Every operator comes equally often, and every kind of object.</summary>
    public static EvilMutation Draw(Random random, IReadOnlyList<KeyValuePair<string, byte[]>> objects, int moments)
    {
        EvilOperator what = (EvilOperator)random.Next((int)EvilOperator.LieOnRead + 1);
        (string name, byte[] content) = DrawObject(random, objects);
        string folder = FolderOf(name);
        List<string> others = [.. objects.Select(static pair => pair.Key).Where(other => other != name && FolderOf(other) == folder)];
        string? other = others.Count > 0 ? others[random.Next(others.Count)] : null;
        if (other is null && what is EvilOperator.Swap or EvilOperator.Replay)
        {
            what = EvilOperator.Flip;
        }

        return what switch
        {
            EvilOperator.Flip => new(what, name, null, random.NextInt64(content.Length * 8L), EvilLie.None, 0),
            EvilOperator.Cut => new(what, name, null, DrawLength(random, content.Length), EvilLie.None, 0),
            EvilOperator.Extend or EvilOperator.Inject => new(what, name, null, random.Next(1, 5000), EvilLie.None, 0),
            EvilOperator.Swap or EvilOperator.Replay => new(what, name, other, 0, EvilLie.None, 0),
            EvilOperator.Delete => new(what, name, null, 0, EvilLie.None, 0),
            EvilOperator.Downgrade => new(what, name, null, random.Next(Math.Min(content.Length, 120)), EvilLie.None, random.Next(256)),
            EvilOperator.LieOnPut => new(what, "", null, random.Next(4), EvilLies.OfPuts[random.Next(EvilLies.OfPuts.Count)], DrawTimes(random)),
            EvilOperator.LieOnRead => new(what, name, null, random.Next(3), EvilLies.OfReads[random.Next(EvilLies.OfReads.Count)], DrawTimes(random)),
            EvilOperator.RollBack => new(what, "", null, random.Next(moments), EvilLie.None, 0),
            _ => new(what, "", null, random.Next(), EvilLie.None, 0),
        };
    }

    public async Task ApplyAsync(EvilStore store)
    {
        switch (Operator)
        {
            case EvilOperator.RollBack:
                store.RollBackTo((int)Position);
                return;
            case EvilOperator.Freeze:
                await store.FreezeAsync();
                return;
            case EvilOperator.Reorder:
                store.DisorderListings((int)Position, new ObjectInfo(new ObjectName("slots/" + new string('0', 32)), 300), new ObjectInfo(new ObjectName("packs/readme.txt"), 1));
                return;
            case EvilOperator.LieOnPut or EvilOperator.LieOnRead:
                AddLie(store);
                return;
        }

        var name = new ObjectName(Name);
        int length = (await store.ShownAsync(name))?.Length ?? 0;
        switch (Operator)
        {
            case EvilOperator.Inject:
                store.Show(name, Garbage((int)Position, (int)Position));
                break;
            case EvilOperator.Delete:
                store.Remove(name);
                break;
            case var _ when length == 0:
                // An act before this one took the object away, or left nothing of it.
                break;
            case EvilOperator.Flip:
                await store.FlipAsync(name, Position % (length * 8L));
                break;
            case EvilOperator.Cut:
                await store.CutAsync(name, (int)Math.Min(Position, length - 1));
                break;
            case EvilOperator.Extend:
                await store.ExtendAsync(name, Garbage((int)Position, (int)Position));
                break;
            case EvilOperator.Downgrade:
                await store.DowngradeAsync(name, (int)Math.Min(Position, length - 1), [(byte)Times]);
                break;
            case EvilOperator.Swap or EvilOperator.Replay when await store.ShownAsync(new ObjectName(Other!)) is { } other:
                if (Operator == EvilOperator.Swap)
                {
                    await store.SwapAsync(name, new ObjectName(Other!));
                }
                else
                {
                    store.Show(name, other);
                }

                break;
            default:
                break;
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Operator} {Name}{(Other is null ? "" : " / " + Other)} at {Position}{(Lie == EvilLie.None ? "" : $" {Lie}")} x {Times}");

    private void AddLie(EvilStore store)
    {
        Func<StoreCall, EvilLie> before = store.Lie;
        int met = 0;
        store.Lie = call =>
        {
            bool isMine = Operator == EvilOperator.LieOnPut ? call.Kind == StoreCallKind.Put : call.Kind != StoreCallKind.Put && call.Name == Name;
            if (!isMine)
            {
                return before(call);
            }

            long number = Interlocked.Increment(ref met) - 1 - Position;
            return number >= 0 && number < Times ? Lie : before(call);
        };
    }

    private static (string Name, byte[] Content) DrawObject(Random random, IReadOnlyList<KeyValuePair<string, byte[]>> objects)
    {
        string[] folders = [.. objects.Select(static pair => FolderOf(pair.Key)).Distinct()];
        string folder = folders[random.Next(folders.Length)];
        KeyValuePair<string, byte[]>[] inside = [.. objects.Where(pair => FolderOf(pair.Key) == folder)];
        KeyValuePair<string, byte[]> drawn = inside[random.Next(inside.Length)];
        return (drawn.Key, drawn.Value);
    }

    /// <summary>Half of the cuts fall where formats have their seams: at the start, at the end, at a whole number of segments.</summary>
    private static int DrawLength(Random random, int length) => random.Next(4) switch
    {
        0 => Math.Max(0, length - 1 - random.Next(80)),
        1 => Math.Min(length - 1, random.Next(120)),
        _ => random.Next(length),
    };

    private static int DrawTimes(Random random) => random.Next(3) == 0 ? Always : random.Next(1, 3);

    private static string FolderOf(string name) => name[..(name.IndexOf('/', StringComparison.Ordinal) + 1)];

    private static byte[] Garbage(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
