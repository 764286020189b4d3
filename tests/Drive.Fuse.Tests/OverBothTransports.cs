using System.Text;
using Drive.Fuse.Mounting;
using Drive.Fuse.Native;
using Drive.Fuse.Transport.Uring;

namespace Drive.Fuse.Tests;

/// <summary>Tests on mounts whose requests take one way.</summary>
public abstract class MountTests
{
    protected MountTests(FuseTransport transport) => MountFixture.Transport = transport;
}

[Collection(MountTestsDefinition.Name)]
public sealed class SessionOverDeviceTests() : SessionTests(FuseTransport.Device);

[Collection(MountTestsDefinition.Name)]
public sealed class KernelBehaviourOverDeviceTests() : KernelBehaviourTests(FuseTransport.Device);

[Collection(MountTestsDefinition.Name)]
public sealed class ProgramsOverDeviceTests() : ProgramsOnMountTests(FuseTransport.Device);

[Collection(MountTestsDefinition.Name)]
public sealed class CallsOverDeviceTests() : CallsOnMountTests(FuseTransport.Device);

[OverUring]
[Collection(UringTestsDefinition.Name)]
public sealed class SessionOverUringTests() : SessionTests(FuseTransport.Uring);

[OverUring]
[Collection(UringTestsDefinition.Name)]
public sealed class KernelBehaviourOverUringTests() : KernelBehaviourTests(FuseTransport.Uring);

[OverUring]
[Collection(UringTestsDefinition.Name)]
public sealed class ProgramsOverUringTests() : ProgramsOnMountTests(FuseTransport.Uring);

[OverUring]
[Collection(UringTestsDefinition.Name)]
public sealed class CallsOverUringTests() : CallsOnMountTests(FuseTransport.Uring);

/// <summary>Marks classes whose mounts need the kernel to offer io_uring.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OverUringAttribute : Attribute;

/// <summary>Whether this machine can be made to offer it.</summary>
internal static class UringMachine
{
    private static readonly Lazy<string?> Found = new(Find);

    /// <summary>What is in the way; null when nothing is.</summary>
    public static string? Obstacle => Found.Value;

    private static string? Find()
    {
        if (UringParameter.IsAllowed() is not bool isAllowed)
        {
            return "This kernel has no FUSE over io_uring (Linux 6.14 has).";
        }

        if (!isAllowed && Libc.EffectiveUserId() != 0)
        {
            return $"{UringParameter.Path} is N, and only root may set it.";
        }

        try
        {
            File.OpenHandle(UringParameter.Path, access: FileAccess.Write).Dispose();
            using IoRing ring = new(4, 8);
            return null;
        }
        catch (Exception exception) when (exception is FuseException or IOException or UnauthorizedAccessException)
        {
            return $"io_uring cannot be used here: {exception.Message}";
        }
    }
}

/// <summary>
/// Sets the machine's parameter for a while. Only one process at a time does (a lock), and it puts back what was before, also what one that was killed left:
/// that stands in the locked file.
/// </summary>
public sealed class UringAllowed : IDisposable
{
    private const int Exclusive = 2;

    private readonly FileStream? _lock;
    private readonly string _before = "";

    public UringAllowed()
    {
        if (UringMachine.Obstacle is not null)
        {
            return;
        }

        _lock = new(Path.Combine(Path.GetTempPath(), "drive-uring-tests.lock"), System.IO.FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        Sys.Check(Sys.Flock((int)_lock.SafeFileHandle.DangerousGetHandle(), Exclusive), "locking");
        using StreamReader reader = new(_lock, leaveOpen: true);
        _before = reader.ReadToEnd().Trim() is { Length: > 0 } left ? left : File.ReadAllText(UringParameter.Path).Trim();
        Note(_before);
        Set("Y");
    }

    public static void Set(string value) => File.WriteAllText(UringParameter.Path, value);

    public void Dispose()
    {
        if (_lock is not null)
        {
            Set(_before);
            Note("");
            _lock.Dispose();
        }
    }

    private void Note(string text)
    {
        _lock!.SetLength(0);
        _lock.Write(Encoding.UTF8.GetBytes(text));
        _lock.Flush(flushToDisk: true);
    }
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class UringTestsDefinition : ICollectionFixture<UringAllowed>
{
    public const string Name = "mounts over io_uring";
}
