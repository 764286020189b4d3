using System.Buffers.Binary;
using System.Security.Cryptography;
using Drive.Core.Platform;

namespace Drive.Backup.Remembering;

/// <summary>
/// A file of sealed parts that is only written on: AES-256-GCM under a key of its own (HKDF over a random id in its head), the part's number and whether it is the last in the nonce. What was cut off shows as a
/// file without a last part; what was changed ends it there.
/// </summary>
internal static class SealedParts
{
    public const int IdBytes = 32;
    public const int TagBytes = 16;
    public const int LengthBytes = 4;

    /// <summary>Plain bytes of a part at most: what is held in memory of a file.</summary>
    public const int PartBytesMax = 256 * 1024;

    private const int KeyBytes = 32;
    private const int NonceBytes = 12;

    public static AesGcm Cipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> id)
    {
        Span<byte> own = stackalloc byte[KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, own, id, "drive backup index 1"u8);
        try
        {
            return new AesGcm(own, TagBytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(own);
        }
    }

    public static void Nonce(long number, bool isLast, Span<byte> nonce)
    {
        BinaryPrimitives.WriteInt64LittleEndian(nonce, number);
        BinaryPrimitives.WriteInt32LittleEndian(nonce[8..], isLast ? 1 : 0);
    }

    /// <summary>Writes such a file. For one thread.</summary>
    public sealed class Writer : IDisposable
    {
        private readonly IDiskFile _file;
        private readonly AesGcm _cipher;
        private readonly byte[] _sealed = new byte[LengthBytes + PartBytesMax + TagBytes];
        private long _length;
        private long _parts;

        public Writer(IDisk disk, string path, ReadOnlySpan<byte> key, IRandomSource random)
        {
            Span<byte> id = stackalloc byte[IdBytes];
            random.Fill(id);
            _file = disk.Open(path, DiskOpenMode.CreateNew) ?? throw new IOException($"'{path}' is there already.");
            _cipher = Cipher(key, id);
            _file.Write(0, id);
            _length = IdBytes;
        }

        public void Write(ReadOnlySpan<byte> plain, bool isLast)
        {
            Span<byte> nonce = stackalloc byte[NonceBytes];
            Nonce(_parts++, isLast, nonce);
            BinaryPrimitives.WriteInt32LittleEndian(_sealed, plain.Length);
            _cipher.Encrypt(nonce, plain, _sealed.AsSpan(LengthBytes, plain.Length), _sealed.AsSpan(LengthBytes + plain.Length, TagBytes), _sealed.AsSpan(0, LengthBytes));
            _file.Write(_length, _sealed.AsSpan(0, LengthBytes + plain.Length + TagBytes));
            _length += LengthBytes + plain.Length + TagBytes;
        }

        public void Sync() => _file.Sync();

        public void Dispose()
        {
            _cipher.Dispose();
            _file.Dispose();
        }
    }

    /// <summary>Reads such a file as far as it is whole. For one thread.</summary>
    public sealed class Reader : IDisposable
    {
        private readonly IDiskFile _file;
        private readonly AesGcm? _cipher;
        private readonly byte[] _sealed = new byte[LengthBytes + PartBytesMax + TagBytes];
        private readonly byte[] _plain = new byte[PartBytesMax];
        private long _position = IdBytes;
        private long _parts;

        public Reader(IDiskFile file, ReadOnlySpan<byte> key)
        {
            _file = file;
            Span<byte> id = stackalloc byte[IdBytes];
            _cipher = file.Read(0, id) == IdBytes ? Cipher(key, id) : null;
        }

        /// <summary>Whether the last part was read: the file is all that it was to be.</summary>
        public bool IsComplete { get; private set; }

        /// <summary>The next part, valid until the next call; empty when there is none that can be read.</summary>
        public ReadOnlySpan<byte> Next()
        {
            while (_cipher is not null && !IsComplete)
            {
                int read = _file.Read(_position, _sealed);
                int length = read < LengthBytes + TagBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(_sealed);
                if (length is < 0 or > PartBytesMax || LengthBytes + length + TagBytes > read || !(TryOpen(length, isLast: false) || (IsComplete = TryOpen(length, isLast: true))))
                {
                    return default;
                }

                _position += LengthBytes + length + TagBytes;
                _parts++;
                if (length > 0)
                {
                    return _plain.AsSpan(0, length);
                }
            }

            return default;
        }

        public void Dispose()
        {
            _cipher?.Dispose();
            _file.Dispose();
        }

        private bool TryOpen(int length, bool isLast)
        {
            Span<byte> nonce = stackalloc byte[NonceBytes];
            Nonce(_parts, isLast, nonce);
            try
            {
                _cipher!.Decrypt(nonce, _sealed.AsSpan(LengthBytes, length), _sealed.AsSpan(LengthBytes + length, TagBytes), _plain.AsSpan(0, length), _sealed.AsSpan(0, LengthBytes));
                return true;
            }
            catch (AuthenticationTagMismatchException)
            {
                return false;
            }
        }
    }
}
