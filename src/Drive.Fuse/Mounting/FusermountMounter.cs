using System.ComponentModel;
using System.Diagnostics;
using Drive.Fuse.Native;

namespace Drive.Fuse.Mounting;

/// <summary>
/// Mounts as an ordinary user: fusermount3 opens the device, mounts, and sends the descriptor back over a socket whose number it finds in its
/// environment.
/// </summary>
internal sealed class FusermountMounter(string program = FusermountMounter.Program) : IMounter
{
    private const string Program = "fusermount3";
    private const string SocketVariable = "_FUSE_COMMFD";

    /// <summary>
    /// The child's end of the socket must be inherited, so every child that is started meanwhile would inherit it: one at a time.
    /// </summary>
    private static readonly Lock StartLock = new();

    public async Task<int> MountAsync(string path, FuseMountOptions options, MountFlags flags, CancellationToken cancellationToken)
    {
        (int ours, int theirs) = CreateSockets();
        try
        {
            using Process process = Start(theirs, ["-o", flags.ToFusermountOptions(options.FsName, options.Subtype), "--", path]);
            _ = Libc.Close(theirs);
            theirs = -1;
            string error = await process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            int descriptor = process.ExitCode == 0 ? Receive(ours) : -1;
            return descriptor >= 0
                ? descriptor
                : throw new FuseException($"fusermount3 could not mount at {path}: {OneLine(error)}");
        }
        finally
        {
            _ = Libc.Close(ours);
            if (theirs >= 0)
            {
                _ = Libc.Close(theirs);
            }
        }
    }

    public async Task<UnmountOutcome> UnmountAsync(string path, bool lazy)
    {
        using Process process = Start(-1, lazy ? ["-u", "-q", "-z", "--", path] : ["-u", "--", path]);
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode == 0 || MountTable.Find(path) is null)
        {
            return UnmountOutcome.Done;
        }

        return error.Contains("busy", StringComparison.OrdinalIgnoreCase)
            ? UnmountOutcome.Busy
            : throw new FuseException($"fusermount3 could not unmount {path}: {OneLine(error)}");
    }

    private static unsafe (int Ours, int Theirs) CreateSockets()
    {
        int* pair = stackalloc int[2];
        if (Libc.SocketPair(Libc.SocketUnix, Libc.SocketStream | Libc.SocketCloseOnExec, 0, pair) != 0)
        {
            throw new FuseException($"No socket for talking to fusermount3 (errno {Libc.LastError}).");
        }

        return (pair[0], pair[1]);
    }

    private Process Start(int inherited, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program) { RedirectStandardError = true };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // Its messages are matched for "busy".
        start.Environment["LC_ALL"] = "C";
        try
        {
            lock (StartLock)
            {
                if (inherited < 0)
                {
                    return Process.Start(start)!;
                }

                start.Environment[SocketVariable] = inherited.ToString(System.Globalization.CultureInfo.InvariantCulture);
                _ = Libc.Fcntl(inherited, Libc.SetDescriptorFlags, 0);
                try
                {
                    return Process.Start(start)!;
                }
                finally
                {
                    _ = Libc.Fcntl(inherited, Libc.SetDescriptorFlags, Libc.CloseOnExec);
                }
            }
        }
        catch (Win32Exception exception)
        {
            throw new FuseException("fusermount3 is missing: install package fuse3.", exception);
        }
    }

    /// <summary>The descriptor that came with one byte, or -1.</summary>
    private static unsafe int Receive(int socket)
    {
        byte data;
        Libc.ControlHeader control = default;
        Libc.Vector vector = new() { Base = &data, Length = 1 };
        Libc.MessageHeader message = new()
        {
            Vectors = &vector,
            VectorCount = 1,
            Control = &control,
            ControlLength = (nuint)sizeof(Libc.ControlHeader),
        };
        nint received;
        do
        {
            received = Libc.ReceiveMessage(socket, &message, Libc.MessageCloseOnExec);
        }
        while (received < 0 && Libc.LastError == Errno.EINTR);
        return received == 1 && message.ControlLength >= Libc.ControlHeader.LengthMin
            && control.Level == Libc.SocketLevel && control.Type == Libc.ControlRights
            ? control.Descriptor
            : -1;
    }

    private static string OneLine(string text) => text.Trim().ReplaceLineEndings(" ") is { Length: > 0 } line ? line : "it gave no reason.";
}
