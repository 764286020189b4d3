using System.Diagnostics;

namespace Drive.Mount.Tests;

/// <summary>Runs real programs and gives what they printed; a failure shows all of it.</summary>
internal static class Programs
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    public static string Run(string program, string[] arguments, string directory, int exitCode = 0) =>
        Finish(Start(program, arguments, directory), exitCode);

    public static string Shell(string script, string directory) => Run("sh", ["-exc", script], directory);

    public static Process Start(string program, string[] arguments, string directory)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    public static string Finish(Process process, int exitCode = 0)
    {
        using (process)
        {
            Task<string> errors = process.StandardError.ReadToEndAsync();
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(Patience))
            {
                process.Kill(entireProcessTree: true);
                throw new TimeoutException($"{process.StartInfo.FileName} did not end.");
            }

            Task.WaitAll(errors, output);
            Assert.True(process.ExitCode == exitCode, $"{process.StartInfo.FileName} ended with {process.ExitCode}:\n{output.Result}\n{errors.Result}");
            return output.Result;
        }
    }
}

/// <summary>A test that needs programs; skipped by name where one is not installed.</summary>
public sealed class NeedsAttribute : FactAttribute
{
    public NeedsAttribute(params string[] programs)
    {
        string[] missing = [.. programs.Where(program => Programs.Find(program) is null)];
        Skip = missing.Length == 0 ? null! : $"not installed: {string.Join(", ", missing)}";
    }
}
