using System.Text;
using Drive.Control;
using Drive.Core.Stores;
using Drive.Service.Hosting;

namespace Drive.Cli;

/// <summary>
/// What a command and the daemon that it starts say to each other: one message each way, fields in order, both ends of one build.
/// Not JSON: its code would be compiled at run time in both processes, while people wait for the mount.
/// </summary>
internal static class DaemonPipe
{
    /// <summary>Tells the daemon what to mount.</summary>
    public static void Send(Stream pipe, DaemonStart start)
    {
        using BinaryWriter writer = new(pipe, Encoding.UTF8, leaveOpen: true);
        MountRequest request = start.Request;
        writer.Write(request.Name);
        writer.Write(request.Mountpoint);
        writer.Write(request.ReadOnly);
        Write(writer, request.At);
        writer.Write(request.ShowSnapshots);
        writer.Write(request.AllowOther);
        writer.Write(request.CacheLimitBytes ?? -1);
        Write(writer, request.LimitUp?.ToString());
        Write(writer, request.LimitDown?.ToString());
        writer.Write(request.Poll?.Ticks ?? -1);
        Write(writer, request.FsName);
        writer.Write(request.KernelOptions.Count);
        foreach (string option in request.KernelOptions)
        {
            writer.Write(option);
        }

        Write(writer, start.Passphrase);
    }

    /// <summary>What to mount; null when the command ended without saying it.</summary>
    public static DaemonStart? ReceiveStart(Stream pipe)
    {
        using BinaryReader reader = new(pipe, Encoding.UTF8, leaveOpen: true);
        try
        {
            string name = reader.ReadString();
            string mountpoint = reader.ReadString();
            bool readOnly = reader.ReadBoolean();
            string? at = Read(reader);
            bool showSnapshots = reader.ReadBoolean();
            bool allowOther = reader.ReadBoolean();
            long limit = reader.ReadInt64();
            RateSchedule? limitUp = Read(reader) is { } up ? RateSchedule.ParseWritten(up) : null;
            RateSchedule? limitDown = Read(reader) is { } down ? RateSchedule.ParseWritten(down) : null;
            long poll = reader.ReadInt64();
            string? fsName = Read(reader);
            string[] options = new string[reader.ReadInt32()];
            for (int i = 0; i < options.Length; i++)
            {
                options[i] = reader.ReadString();
            }

            MountRequest request = new()
            {
                Name = name,
                Mountpoint = mountpoint,
                ReadOnly = readOnly,
                At = at,
                ShowSnapshots = showSnapshots,
                AllowOther = allowOther,
                CacheLimitBytes = limit < 0 ? null : limit,
                LimitUp = limitUp,
                LimitDown = limitDown,
                Poll = poll < 0 ? null : TimeSpan.FromTicks(poll),
                FsName = fsName,
                KernelOptions = options,
            };
            return new DaemonStart(request, Read(reader));
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    /// <summary>Tells the command how it went.</summary>
    public static void Send(Stream pipe, StartLine said)
    {
        using BinaryWriter writer = new(pipe, Encoding.UTF8, leaveOpen: true);
        Write(writer, said.Mountpoint);
        writer.Write(said.Error is null ? -1 : (int)said.Error.Error);
        writer.Write(said.Error?.Message ?? "");
        Write(writer, said.Notice);
    }

    /// <summary>How it went; null when the daemon ended without saying it.</summary>
    public static StartLine? ReceiveStartLine(Stream pipe)
    {
        using BinaryReader reader = new(pipe, Encoding.UTF8, leaveOpen: true);
        try
        {
            string? mountpoint = Read(reader);
            int error = reader.ReadInt32();
            string message = reader.ReadString();
            return new StartLine(mountpoint, error < 0 ? null : new ErrorReply((DriveError)error, message), Read(reader));
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    private static void Write(BinaryWriter writer, string? text)
    {
        writer.Write(text is not null);
        if (text is not null)
        {
            writer.Write(text);
        }
    }

    private static string? Read(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadString() : null;
}
