using Drive.Core.Volumes;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Serving;

/// <summary>The requests about the connection: terms, references, interrupts.</summary>
internal sealed partial class Dispatcher
{
    private volatile bool _isInitialized;

    public bool IsInitialized => _isInitialized;

    /// <summary>The minor version that both sides speak.</summary>
    public uint Minor { get; private set; }

    public InitFlags Agreed { get; private set; }

    /// <summary>Makes rings ready when the kernel offers them; false when the requests are to come over the device after all.</summary>
    public Func<bool, bool> PrepareRings { get; init; } = static _ => false;

    /// <summary>Why the kernel's terms were refused.</summary>
    public string? Refusal { get; private set; }

    private void Init(Request request, RequestReader body)
    {
        if (!body.TryTake(out InitIn input) || IsInitialized)
        {
            request.ReplyErrno(Errno.EINVAL);
            return;
        }

        if (input.Major > Terms.Major)
        {
            // The kernel asks again with our major version.
            request.Reply(new InitOut { Major = Terms.Major, Minor = Terms.Minor });
            return;
        }

        InitFlags offered = (InitFlags)input.Flags;
        if ((offered & InitFlags.InitExtended) != 0 && body.TryTake(out uint upper))
        {
            offered |= (InitFlags)((ulong)upper << 32);
        }

        InitFlags agreed = offered & Terms.Wanted;
        if (input.Major < Terms.Major || input.Minor < Terms.OldestMinor || (agreed & Terms.Needed) != Terms.Needed || (offered & Terms.MustOffer) != Terms.MustOffer)
        {
            Refusal = $"The kernel speaks FUSE {input.Major}.{input.Minor} with flags 0x{(ulong)offered:x}: Linux 5.4 or newer is needed.";
            request.ReplyErrno(Errno.EPROTO);
            return;
        }

        // The kernel waits for rings that were agreed on: they must be there before.
        if (PrepareRings((offered & InitFlags.OverIoUring) != 0))
        {
            agreed |= InitFlags.OverIoUring;
        }

        Minor = Math.Min(input.Minor, Terms.Minor);
        Agreed = agreed;
        _isInitialized = true;
        request.Reply(new InitOut
        {
            Major = Terms.Major,
            Minor = Minor,
            MaxReadahead = input.MaxReadahead,
            Flags = (uint)agreed,
            Flags2 = (uint)((ulong)agreed >> 32),
            MaxBackground = Terms.BackgroundMax,
            CongestionThreshold = Terms.CongestionThreshold,
            MaxWrite = Terms.IoBytesMax,
            TimeGranularity = 1,
            MaxPages = Terms.PagesMax,
        });
    }

    private void Forget(Request request, RequestReader body)
    {
        request.SettleWithoutReply();
        if (body.TryTake(out ForgetIn input))
        {
            nodes.Release(request.Header.NodeId, input.LookupCount);
        }
    }

    private void BatchForget(Request request, RequestReader body)
    {
        request.SettleWithoutReply();
        if (!body.TryTake(out BatchForgetIn input))
        {
            return;
        }

        for (uint i = 0; i < input.Count && body.TryTake(out ForgetOne one); i++)
        {
            nodes.Release(one.NodeId, one.LookupCount);
        }
    }

    private void Interrupt(Request request, RequestReader body)
    {
        request.SettleWithoutReply();
        if (body.TryTake(out InterruptIn input))
        {
            pending.Interrupt(input.Unique);
        }
    }

    private void StatFs(Request request)
    {
        FsStatus status = volume.GetSpace(out VolumeSpace space);
        if (status != FsStatus.Ok)
        {
            request.Reply(status);
            return;
        }

        ulong free = Blocks(space.FreeBytes);
        request.Reply(new StatFsOut
        {
            Blocks = Blocks(space.TotalBytes),
            BlocksFree = free,
            BlocksAvailable = free,
            Files = (ulong)Math.Max(0, space.Nodes) + (ulong)Math.Max(0, space.NodesFree),
            FilesFree = (ulong)Math.Max(0, space.NodesFree),
            BlockSize = AttributeFormat.BlockSize,
            FragmentSize = AttributeFormat.BlockSize,
            NameLength = FileName.BytesMax,
        });
    }

    private static ulong Blocks(long bytes) => (ulong)Math.Max(0, bytes) / AttributeFormat.BlockSize;
}
