using System.Diagnostics;
using SharpFuzz;

namespace Drive.Fuzzing;

/// <summary>A copy of this program whose product assemblies count their branches, in a directory of its own that goes with it.</summary>
internal static class Instrumented
{
    /// <summary>Set in the copy's environment.</summary>
    public const string Mark = "DRIVE_FUZZING_INSTRUMENTED";

    private static readonly string[] Assemblies =
        ["Drive.Core", "Drive.Vault", "Drive.Metadata", "Drive.Cache", "Drive.Engine", "Drive.Fuse", "Drive.Control", "Drive.Service"];

    public static int RunCopy(string[] args)
    {
        string directory = Directory.CreateTempSubdirectory("drive-fuzzing-").FullName;
        try
        {
            CopyTree(AppContext.BaseDirectory, directory);
            foreach (string assembly in Assemblies)
            {
                _ = Fuzzer.Instrument(Path.Combine(directory, assembly + ".dll"), static _ => true, SharpFuzz.Options.Value).Count();
            }

            ProcessStartInfo start = new(Environment.ProcessPath!);
            start.ArgumentList.Add(Path.Combine(directory, "Drive.Fuzzing.dll"));
            if (!Path.GetFileNameWithoutExtension(Environment.ProcessPath!).Equals("dotnet", StringComparison.Ordinal))
            {
                start = new ProcessStartInfo(Path.Combine(directory, Path.GetFileName(Environment.ProcessPath!)));
            }

            foreach (string argument in args)
            {
                start.ArgumentList.Add(argument);
            }

            start.Environment[Mark] = "1";
            using Process copy = Process.Start(start)!;
            copy.WaitForExit();
            return copy.ExitCode;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void CopyTree(string from, string to)
    {
        foreach (string path in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }
    }
}
