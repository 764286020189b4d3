using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Drive.Testing;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Fuse.Tests;

public sealed class AllocationTests
{
    [Fact]
    public void The_common_requests_allocate_nothing()
    {
        using Harness harness = new(new FixedVolume());
        byte[][] requests =
        [
            Make(Opcode.GetAttr, 1, new byte[16]),
            Make(Opcode.Lookup, 1, Harness.Name("name")),
            Make(Opcode.Read, 1, Harness.Bytes(new ReadIn { Handle = 5, Size = 4096 })),
            Make(Opcode.Write, 1, [.. Harness.Bytes(new WriteIn { Handle = 5, Size = 4096 }), .. new byte[4096]]),
            Make(Opcode.ReadDirPlus, 1, Harness.Bytes(new ReadIn { Handle = 5, Size = 4096 })),
        ];
        harness.Channel.Discard = true;
        foreach (byte[] request in requests)
        {
            Serve(harness, request, 100);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Serve(harness, request, 1000);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 1000, $"{(Opcode)request[4]} allocated {allocated} bytes in 1000 requests");
        }
    }

    private static void Serve(Harness harness, byte[] request, int times)
    {
        for (int i = 0; i < times; i++)
        {
            request.CopyTo(harness.Request.Input);
            harness.Dispatcher.Handle(harness.Request, request.Length);
        }
    }

    private static byte[] Make(Opcode opcode, ulong node, byte[] body) =>
        [.. Harness.Bytes(new InHeader { Length = (uint)(InHeader.Size + body.Length), Opcode = opcode, Unique = 2, NodeId = node }), .. body];

    private sealed class FixedVolume() : VolumeWrapper(new ReferenceVolume(TimeProvider.System))
    {
        private static readonly NodeAttributes File = new() { Node = new(9), Mode = FileMode.Regular };

        public override FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes) => GetAttributes(parent, out attributes);

        public override FsStatus GetAttributes(NodeId node, out NodeAttributes attributes)
        {
            attributes = File;
            return FsStatus.Ok;
        }

        public override ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            destination.Span.Clear();
            return new(IoResult.Done(destination.Length));
        }

        public override FsStatus Write(HandleId handle, long offset, ReadOnlySpan<byte> data, WriteOptions options) => FsStatus.Ok;

        public override FsStatus Flush(HandleId handle) => FsStatus.Ok;

        public override FsStatus Open(NodeId node, OpenOptions options, out HandleId handle)
        {
            handle = new(5);
            return FsStatus.Ok;
        }

        public override void Close(HandleId handle)
        {
        }

        public override FsStatus ReadDirectory(HandleId handle, long cookie, IDirectoryWriter writer)
        {
            while (writer.TryAdd("name"u8, File, ++cookie))
            {
            }

            return FsStatus.Ok;
        }
    }
}
