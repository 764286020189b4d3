using Drive.Control;
using Drive.Disk;

namespace Drive.Service.Tests;

/// <summary>A DRIVE_HOME of one test.</summary>
internal sealed class TemporaryHome : IDisposable
{
    public TemporaryHome()
    {
        Root = Directory.CreateTempSubdirectory("drive-service-").FullName;
        Paths = DrivePaths.Resolve(name => name == "DRIVE_HOME" ? Path.Combine(Root, "home") : null, Root);
    }

    public string Root { get; }

    public DrivePaths Paths { get; }

    public LocalDisk Disk { get; } = new();

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
