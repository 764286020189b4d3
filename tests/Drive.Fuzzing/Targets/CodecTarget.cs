using System.Text;
using Drive.Control;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Upload;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Fuzzing.Targets;

/// <summary>Names, ids and small encodings: of files, objects, vaults, recovery keys, and what the database keeps as bytes.</summary>
internal sealed class CodecTarget : FuzzTarget
{
    private readonly SealedVault _vault = new();

    public CodecTarget()
    {
        Attempt attempt = _vault.Log.Prepare(_vault.State, new CommitDraft { Time = 5, Writer = WriterChange.Open });
        Seeds =
        [
            [0, .. "a name of a file"u8], [1, .. "packs/ab/0123"u8], [2, .. "work"u8], [3, .. Encoding.ASCII.GetBytes(_vault.Created.RecoveryKey)],
            [4, .. _vault.State.Encode()], [5, .. attempt.Encode()], [6, .. new byte[77]],
        ];
    }

    public override string Name => "codec";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override IReadOnlyList<byte[]> Dictionary { get; } = ["/"u8.ToArray(), [0], "."u8.ToArray(), ".."u8.ToArray(), "-"u8.ToArray(), [0xFF], [0xC0, 0x80], "I"u8.ToArray(), "O"u8.ToArray(), new byte[32]];

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        byte[] rest = input[1..];
        string text = Encoding.UTF8.GetString(rest);
        switch (input[0] % 7)
        {
            case 0:
                if (FileName.Validate(rest) == FsStatus.Ok && (rest.Length is 0 or > 255 || rest.Contains((byte)'/') || rest.Contains((byte)0)))
                {
                    throw new InvalidOperationException("a name that is none");
                }

                break;
            case 1:
                if (ObjectName.IsValid(text) && (text.Split('/').Any(static part => part is "" or "." or "..") || new ObjectName(text).Value != text))
                {
                    throw new InvalidOperationException("a name that leads elsewhere");
                }

                break;
            case 2:
                if (VaultName.IsValid(text) && text.AsSpan().ContainsAny('/', '\0', '\n'))
                {
                    throw new InvalidOperationException("a vault's name that is no file name");
                }

                break;
            case 3:
                if (SecretText.Recovery.IsWellFormed(text))
                {
                    using SecretKey key = new(text);
                    if (!key.Again)
                    {
                        throw new InvalidOperationException("a recovery key that is not read as it was written");
                    }
                }

                break;
            case 4:
                Expect(() =>
                {
                    VaultState state = VaultState.Decode(rest);

                    // Version 1 is read and not written any more.
                    byte[] encoded = state.Encode();
                    if (!encoded.AsSpan().SequenceEqual(rest[0] == 1 ? VaultState.Decode(encoded).Encode() : rest))
                    {
                        throw new InvalidOperationException("a state with two encodings");
                    }
                });
                break;
            case 5:
                Expect(() => Attempt.Decode(rest));
                break;
            default:
                CaptureCodec.Decode(rest);
                break;
        }
    }

    protected override void Close() => _vault.Dispose();

    private static void Expect(Action parse)
    {
        try
        {
            parse();
        }
        catch (Exception error) when (error is VaultIntegrityException or VaultException)
        {
        }
    }

    /// <summary>A recovery key as text, there and back.</summary>
    private sealed class SecretKey(string text) : IDisposable
    {
        private readonly Vault.Sealing.SecretBytes _key = SecretText.Recovery.Parse(text);

        public bool Again
        {
            get
            {
                using Vault.Sealing.SecretBytes same = SecretText.Recovery.Parse(SecretText.Recovery.Format(_key.Span));
                return same.Span.SequenceEqual(_key.Span);
            }
        }

        public void Dispose() => _key.Dispose();
    }
}
