using Drive.Cli.Commands;

namespace Drive.Cli;

/// <summary>mount(8) calls its helper by name only, so the program looks at the name that it was called by.</summary>
internal static class MountHelper
{
    /// <summary>The arguments, with the hidden command's name in front when the program was called as the mount helper.</summary>
    public static IReadOnlyList<string> Arguments(string[] arguments) =>
        arguments is [MountHelperCommand.Name, ..] || !IsCalledAsHelper() ? arguments : [MountHelperCommand.Name, .. arguments];

    private static bool IsCalledAsHelper()
    {
        try
        {
            // The runtime does not tell argv[0]; the kernel does.
            string first = File.ReadAllText("/proc/self/cmdline").Split('\0')[0];
            return Path.GetFileName(first) == MountHelperCommand.Name;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
