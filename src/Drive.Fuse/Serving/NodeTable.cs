using System.Diagnostics;
using System.Runtime.CompilerServices;
using Drive.Core.Volumes;

namespace Drive.Fuse.Serving;

/// <summary>
/// The kernel's numbers for nodes ("nodeid") and how many references the kernel holds to each. A node has one number as long as the kernel
/// holds it, and a number is never given twice. 1 is the root and is not counted.
/// </summary>
/// <remarks>
/// A number is: generation (32 bits) | place in its stripe (28) | stripe (4). Finding the node of a number takes no lock: the kernel asks only
/// for numbers that it holds. All counting happens under the lock of the node's stripe, and so does the volume's Forget: a node cannot get a
/// new number before the volume has forgotten the old one.
/// </remarks>
internal sealed class NodeTable(IVolume volume)
{
    public const ulong Root = 1;

    private const int StripeBits = 4;
    private const int PlaceBits = 28;
    private const int ChunkBits = 10;
    private const int ChunkSize = 1 << ChunkBits;

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, 1 << StripeBits).Select(static _ => new Stripe())];

    /// <summary>How many nodes the kernel holds, without the root.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (Stripe stripe in _stripes)
            {
                lock (stripe.Lock)
                {
                    count += stripe.Places.Count;
                }
            }

            return count;
        }
    }

    public bool TryResolve(ulong number, out NodeId node)
    {
        if (number == Root)
        {
            node = NodeId.Root;
            return true;
        }

        ref Slot slot = ref Find(number);
        if (Unsafe.IsNullRef(ref slot) || Volatile.Read(ref slot.Generation) != (uint)(number >> 32) || slot.References == 0)
        {
            node = default;
            return false;
        }

        node = new(slot.Node);
        return true;
    }

    /// <summary>The number of a node that the kernel holds.</summary>
    public bool TryFind(NodeId node, out ulong number)
    {
        if (node == NodeId.Root)
        {
            number = Root;
            return true;
        }

        int stripeIndex = StripeOf(node);
        Stripe stripe = _stripes[stripeIndex];
        lock (stripe.Lock)
        {
            if (stripe.Places.TryGetValue(node.Value, out int place))
            {
                number = Compose(stripe.At(place).Generation, place, stripeIndex);
                return true;
            }
        }

        number = 0;
        return false;
    }

    /// <summary>Counts one more reference, which the reply under way gives to the kernel.</summary>
    public ulong Acquire(NodeId node)
    {
        if (node == NodeId.Root)
        {
            return Root;
        }

        int stripeIndex = StripeOf(node);
        Stripe stripe = _stripes[stripeIndex];
        lock (stripe.Lock)
        {
            if (!stripe.Places.TryGetValue(node.Value, out int place))
            {
                place = stripe.Take();
                ref Slot fresh = ref stripe.At(place);
                fresh.Node = node.Value;
                fresh.References = 0;
                Volatile.Write(ref fresh.Generation, fresh.Generation + 1);
                stripe.Places.Add(node.Value, place);
            }

            ref Slot slot = ref stripe.At(place);
            slot.References++;
            return Compose(slot.Generation, place, stripeIndex);
        }
    }

    /// <summary>Takes references back; with the last one the volume is told to forget the node. Numbers that are not held are ignored.</summary>
    public void Release(ulong number, ulong references)
    {
        int stripeIndex = (int)(number & ((1 << StripeBits) - 1));
        Stripe stripe = _stripes[stripeIndex];
        lock (stripe.Lock)
        {
            ref Slot slot = ref Find(number);
            if (number == Root || Unsafe.IsNullRef(ref slot)
                || slot.Generation != (uint)(number >> 32) || slot.References == 0)
            {
                return;
            }

            slot.References -= Math.Min(references, slot.References);
            if (slot.References == 0)
            {
                ulong node = slot.Node;
                stripe.Places.Remove(node);
                stripe.Free.Push((int)((number >> StripeBits) & ((1 << PlaceBits) - 1)));
                volume.Forget(new(node));
            }
        }
    }

    /// <summary>All numbers that are held, without the root.</summary>
    public IReadOnlyList<ulong> Held()
    {
        List<ulong> numbers = [];
        for (int index = 0; index < _stripes.Length; index++)
        {
            Stripe stripe = _stripes[index];
            lock (stripe.Lock)
            {
                foreach (int place in stripe.Places.Values)
                {
                    numbers.Add(Compose(stripe.At(place).Generation, place, index));
                }
            }
        }

        return numbers;
    }

    private static int StripeOf(NodeId node) => (int)((node.Value * 0x9E3779B97F4A7C15UL) >> (64 - StripeBits));

    private static ulong Compose(uint generation, int place, int stripe) =>
        ((ulong)generation << 32) | ((ulong)(uint)place << StripeBits) | (uint)stripe;

    private ref Slot Find(ulong number)
    {
        int place = (int)((number >> StripeBits) & ((1 << PlaceBits) - 1));
        Slot[]?[] chunks = Volatile.Read(ref _stripes[(int)(number & ((1 << StripeBits) - 1))].Chunks);
        int chunk = place >> ChunkBits;
        if (chunk >= chunks.Length || chunks[chunk] is not Slot[] slots)
        {
            return ref Unsafe.NullRef<Slot>();
        }

        return ref slots[place & (ChunkSize - 1)];
    }

    private struct Slot
    {
        public ulong Node;
        public ulong References;

        /// <summary>Grows each time the slot is taken: 0 was never taken, so no number of it exists. Written last.</summary>
        public uint Generation;
    }

    private sealed class Stripe
    {
        /// <summary>Guards all below; <see cref="Chunks"/> and its slots are also read without it.</summary>
        public readonly Lock Lock = new();
        public readonly Dictionary<ulong, int> Places = [];
        public readonly Stack<int> Free = [];
        public Slot[]?[] Chunks = new Slot[]?[1];
        private int _used;

        public ref Slot At(int place) => ref Chunks[place >> ChunkBits]![place & (ChunkSize - 1)];

        public int Take()
        {
            while (Free.TryPop(out int place))
            {
                // A slot whose generations are used up is left alone: its numbers would come again.
                if (At(place).Generation != uint.MaxValue)
                {
                    return place;
                }
            }

            if (_used == 1 << PlaceBits)
            {
                throw new UnreachableException("Four thousand million nodes are held.");
            }

            int chunk = _used >> ChunkBits;
            if (chunk == Chunks.Length)
            {
                Slot[]?[] larger = new Slot[]?[Chunks.Length * 2];
                Chunks.CopyTo(larger, 0);
                Volatile.Write(ref Chunks, larger);
            }

            Chunks[chunk] ??= new Slot[ChunkSize];
            return _used++;
        }
    }
}
