namespace Drive.Cli;

internal static class Program
{
    private static Task<int> Main(string[] arguments) => CommandLine.RunAsync(MountHelper.Arguments(arguments));
}
