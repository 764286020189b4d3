using System.ComponentModel;
using System.Diagnostics;

namespace Drive.Service.Backups;

/// <summary>Runs a program of the system for a bounded time. Its standard input is empty; what it prints beyond a little is thrown away.</summary>
internal static class OutsideProgram
{
    private const int OutputCharactersMax = 64 << 10;

    /// <summary>How it ended: its exit code and what it printed; null when it is not there, or took too long and was ended with all that it started.</summary>
    public static async Task<(int Code, string Output)?> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> variables, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach ((string name, string value) in variables)
        {
            // What is no text for the environment would end it early.
            start.Environment[name] = value.Replace('\0', ' ');
        }

        using CancellationTokenSource timer = new(limit, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            using Process process = Process.Start(start)!;
            try
            {
                process.StandardInput.Close();
                Task<string> errors = ReadAsync(process.StandardError, either.Token);
                string output = await ReadAsync(process.StandardOutput, either.Token);
                await errors;
                await process.WaitForExitAsync(either.Token);
                return (process.ExitCode, output);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellationToken.ThrowIfCancellationRequested();
                return null;
            }
        }
        catch (Exception exception) when (exception is Win32Exception or IOException)
        {
            return null;
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        char[] buffer = new char[OutputCharactersMax];
        int length = 0;
        char[] rest = new char[4096];
        while (true)
        {
            int read = length < buffer.Length ? await reader.ReadAsync(buffer.AsMemory(length), cancellationToken) : 0;
            length += read;
            if (read == 0 && (length < buffer.Length || await reader.ReadAsync(rest, cancellationToken) == 0))
            {
                return new string(buffer, 0, length);
            }
        }
    }
}
