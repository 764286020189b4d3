using System.Runtime.InteropServices;

namespace Drive.Disk.Trees;

/// <summary>A new regular file of this machine, for its owner only until it is settled. For one thread.</summary>
public sealed class TargetFile : IDisposable
{
    private readonly byte[] _path;
    private int _file;

    private TargetFile(int file, byte[] path) => (_file, _path) = (file, path);

    /// <exception cref="TreeException">It can't be made, or something is there.</exception>
    public static TargetFile Create(byte[] path)
    {
        int flags = Native.WriteOnly | Native.Create | Native.Exclusive | Native.CloseOnExec;
        return new TargetFile((int)TreeException.Require(Native.Open(SourcePath.Terminated(path), flags, Native.FileMode), path), path);
    }

    /// <exception cref="TreeException">Not all could be written.</exception>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            nint count = Native.WriteAt(_file, ref MemoryMarshal.GetReference(bytes), bytes.Length, offset);
            if (count >= 0 || Marshal.GetLastPInvokeError() != Errno.Interrupted)
            {
                offset += TreeException.Require(count, _path);
                bytes = bytes[(int)count..];
            }
        }
    }

    public void SetLength(long length) => TreeException.Require(Native.Truncate(_file, length), _path);

    /// <summary>Ends it. Some file systems say only now that what was written has no room.</summary>
    /// <exception cref="TreeException">They said so.</exception>
    public void Close()
    {
        int file = _file;
        _file = -1;
        TreeException.Require(Native.Close(file), _path);
    }

    public void Dispose()
    {
        if (_file >= 0)
        {
            _ = Native.Close(_file);
        }
    }
}
