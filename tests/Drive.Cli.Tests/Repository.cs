namespace Drive.Cli.Tests;

/// <summary>Where the sources are, for tests that hold documents and program together.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string directory) => File.Exists(Path.Combine(directory, "Drive.sln"))
        ? directory
        : Find(Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException("Drive.sln is above none of the test's directories"));
}
