using System.Diagnostics;

namespace Drive.Testing;

/// <summary>What a run of a program came to.</summary>
public sealed record ProgramRun(int Code, string Output, string Error)
{
    /// <summary>The drive command that tests start: the one that <c>DRIVE_PROGRAM</c> names, as CI publishes it; else what was built beside the tests.</summary>
    public static string Drive { get; } = Environment.GetEnvironmentVariable("DRIVE_PROGRAM") is { Length: > 0 } published
        ? Path.GetFullPath(published) : Path.Combine(AppContext.BaseDirectory, "drive");

    public override string ToString() => $"exit code {Code}\n{Output}\n{Error}";

    /// <summary>Runs a program to its end: its standard input is what is given and then ends, and some variables are set besides those of this process. Beyond the limit it is killed.</summary>
    public static ProgramRun Of(string program, IEnumerable<string> arguments, TimeSpan limit, string input = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!Task.WaitAll([output, error, process.WaitForExitAsync()], limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'{program} {string.Join(' ', start.ArgumentList)}' did not end within {limit}.");
        }

        return new ProgramRun(process.ExitCode, output.Result, error.Result);
    }
}
