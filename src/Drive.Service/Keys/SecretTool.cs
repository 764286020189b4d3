using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Drive.Service.Keys;

/// <summary>
/// The desktop's keyring by way of libsecret's <c>secret-tool</c>. Secrets go through its standard input and output only. A keyring that
/// is locked, or asks somebody who is not there, runs into the time limit and counts as none.
/// </summary>
internal sealed class SecretTool(TimeProvider time)
{
    // Long enough to type a password into the desktop's unlock dialog is the desktop's business; here it is a machine's answer.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    /// <summary>Whether a session bus and the tool are there.</summary>
    public static bool IsPresent(Func<string, string?> environment)
    {
        bool hasBus = environment("DBUS_SESSION_BUS_ADDRESS") is { Length: > 0 }
            || (environment("XDG_RUNTIME_DIR") is { Length: > 0 } run && File.Exists(Path.Combine(run, "bus")));
        return hasBus && (environment("PATH") ?? "").Split(':').Any(directory => directory.Length > 0 && File.Exists(Path.Combine(directory, "secret-tool")));
    }

    /// <summary>Keeps a secret under an id of a kind (an attribute's name); false when the keyring did not take it.</summary>
    public async Task<bool> StoreAsync(string label, string attribute, string id, byte[] secret, CancellationToken cancellationToken) =>
        await RunAsync(["store", "--label=" + label, "application", "drive", attribute, id], Convert.ToBase64String(secret), cancellationToken) is not null
        && (await LookupAsync(attribute, id, cancellationToken))?.AsSpan().SequenceEqual(secret) is true;

    /// <summary>The secret, or null when the keyring does not give it.</summary>
    public async Task<byte[]?> LookupAsync(string attribute, string id, CancellationToken cancellationToken)
    {
        string? text = await RunAsync(["lookup", "application", "drive", attribute, id], null, cancellationToken);
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        byte[] secret = new byte[text.Length];
        return Convert.TryFromBase64String(text.Trim(), secret, out int length) ? secret[..length] : null;
    }

    /// <summary>Takes a secret away; nothing when it is not there.</summary>
    public async Task ClearAsync(string attribute, string id, CancellationToken cancellationToken) =>
        await RunAsync(["clear", "application", "drive", attribute, id], null, cancellationToken);

    private async Task<string?> RunAsync(string[] arguments, string? input, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new("secret-tool", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        };
        using CancellationTokenSource limit = new(AnswerTime, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using Process process = Process.Start(start)!;
            try
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), either.Token);
                process.StandardInput.Close();
                Task<string> errors = process.StandardError.ReadToEndAsync(either.Token);
                string output = await process.StandardOutput.ReadToEndAsync(either.Token);
                await errors;
                await process.WaitForExitAsync(either.Token);
                return process.ExitCode == 0 ? output : null;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                process.Kill();
                return null;
            }
        }
        catch (Exception exception) when (exception is Win32Exception or IOException)
        {
            return null;
        }
    }
}
