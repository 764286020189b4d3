using Drive.Core.Rows;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Packs;

/// <summary>
/// Idle ciphers of the packs that were read last. A cipher serves one thread at a time, so it is rented and returned; two readers of one pack
/// at once make a second, and at most a few idle ones are kept for each. Guarded by one lock that is held for look-ups only.
/// </summary>
internal sealed class PackCipherCache(VaultKeys keys, int packsMax) : IDisposable
{
    /// <summary>More readers of one pack at the same instant are rare; a further cipher costs some 40 µs.</summary>
    private const int IdleMax = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<PackId, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _recent = new();
    private bool _disposed;

    /// <summary>A cipher for a pack that was opened before, under the epoch that opened it; else null.</summary>
    public ObjectCipher? Rent(PackId pack)
    {
        int epoch;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_entries.TryGetValue(pack, out LinkedListNode<Entry>? node))
            {
                return null;
            }

            _recent.Remove(node);
            _recent.AddFirst(node);
            if (node.Value.Idle.TryPop(out ObjectCipher? idle))
            {
                return idle;
            }

            epoch = node.Value.Epoch;
        }

        return new ObjectCipher(keys, new ObjectHeader(ObjectClass.Pack, keys.VaultId, epoch, pack.Value));
    }

    /// <summary>Gives a cipher back; one that opened nothing makes no pack known.</summary>
    public void Return(ObjectCipher cipher, bool opened)
    {
        lock (_lock)
        {
            if (!_disposed && TryKeep(cipher, opened))
            {
                return;
            }
        }

        cipher.Dispose();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (Entry entry in _recent)
            {
                entry.Dispose();
            }

            _recent.Clear();
            _entries.Clear();
        }
    }

    private bool TryKeep(ObjectCipher cipher, bool opened)
    {
        var pack = new PackId(cipher.Header.ObjectId);
        int epoch = cipher.Header.Epoch;
        if (!_entries.TryGetValue(pack, out LinkedListNode<Entry>? node))
        {
            if (!opened)
            {
                return false;
            }

            node = _recent.AddFirst(new Entry(pack, epoch));
            _entries.Add(pack, node);
            if (_entries.Count > packsMax)
            {
                LinkedListNode<Entry> oldest = _recent.Last!;
                _recent.RemoveLast();
                _entries.Remove(oldest.Value.Pack);
                oldest.Value.Dispose();
            }
        }

        if (node.Value.Epoch != epoch || node.Value.Idle.Count >= IdleMax)
        {
            return false;
        }

        node.Value.Idle.Push(cipher);
        return true;
    }

    private sealed record Entry(PackId Pack, int Epoch) : IDisposable
    {
        public Stack<ObjectCipher> Idle { get; } = new();

        public void Dispose()
        {
            while (Idle.TryPop(out ObjectCipher? cipher))
            {
                cipher.Dispose();
            }
        }
    }
}
