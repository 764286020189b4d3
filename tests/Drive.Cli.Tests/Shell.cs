namespace Drive.Cli.Tests;

/// <summary>Other programs, as a user at a shell has them.</summary>
internal static class Shell
{
    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(120);

    /// <summary>Runs a program to its end.</summary>
    public static Ran Run(string program, params string[] arguments) => Run(program, arguments, new Dictionary<string, string>());

    /// <summary>Runs a program with some variables set, and nothing on its standard input.</summary>
    public static Ran Run(string program, string[] arguments, IReadOnlyDictionary<string, string> environment) => Ran.Of(program, arguments, RunTime, environment: environment);

    /// <summary>Runs what must succeed.</summary>
    public static Ran Do(string program, params string[] arguments)
    {
        Ran ran = Run(program, arguments);
        Assert.True(ran.Code == 0, $"{program} {string.Join(' ', arguments)}: {ran}");
        return ran;
    }

    /// <summary>Where a program lies, or null.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin")
        .Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);
}
