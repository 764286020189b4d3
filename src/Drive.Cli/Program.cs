namespace Drive.Cli;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        int code = arguments is [BackgroundDaemon.Argument, _]
            ? (int)await BackgroundDaemon.RunAsync()
            : await CommandLine.RunAsync(MountHelper.Arguments(arguments));

        // A mount that was busy when it was detached may still have threads that serve its last users: they must not keep the process.
        Environment.Exit(code);
        return code;
    }
}
