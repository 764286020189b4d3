using Drive.Testing;

namespace Drive.Mount.Tests;

/// <summary>A directory that the contract of mounts is run in, made once for a test class. Modes in it are subject to a umask of 022.</summary>
public abstract class MountFixture : IAsyncLifetime
{
    /// <summary>Where the tests work.</summary>
    public string Root { get; protected set; } = "";

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();

    protected static string MakeTemporary(string name) => Directory.CreateTempSubdirectory($"drive-{name}-").FullName;
}

/// <summary>A plain directory of the machine's own file system: what holds here is what the contract may ask.</summary>
public sealed class NativeDirectoryFixture : MountFixture
{
    public override Task InitializeAsync()
    {
        Root = MakeTemporary("native");
        Assert.Equal(0, Posix.ChangeMode(Root, 0x1ED));
        return Task.CompletedTask;
    }

    public override Task DisposeAsync()
    {
        Directory.Delete(Root, recursive: true);
        return Task.CompletedTask;
    }
}
