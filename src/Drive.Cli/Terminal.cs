using System.Text;
using Drive.Control;

namespace Drive.Cli;

/// <summary>
/// What the command reads from and says to people. Facts go to standard output; everything that explains goes to standard error, so that
/// output can be piped.
/// </summary>
internal sealed class Terminal
{
    private bool _hasBar;

    /// <summary>One fact.</summary>
    public static void Print(string line) => Console.Out.WriteLine(line);

    /// <summary>One explanation.</summary>
    public void Say(string line)
    {
        ClearBar();
        Console.Error.WriteLine(line);
    }

    /// <summary>A line from a prompt, or of standard input where that is no terminal; empty when there is none.</summary>
    public static string Ask(string prompt)
    {
        if (!Console.IsInputRedirected)
        {
            Console.Error.Write(prompt + ": ");
        }

        return Console.In.ReadLine()?.Trim() ?? "";
    }

    /// <summary>A secret from a prompt without echo, or one line of standard input where that is no terminal.</summary>
    public string AskSecret(string prompt)
    {
        if (Console.IsInputRedirected)
        {
            return Console.In.ReadLine() is { Length: > 0 } line
                ? line
                : throw new DriveException(DriveError.WrongSecret, $"{prompt}: nothing came from standard input; give one line there, or run it on a terminal.");
        }

        Console.Error.Write(prompt + ": ");
        StringBuilder typed = new();
        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter || (key.Key == ConsoleKey.D && key.Modifiers == ConsoleModifiers.Control))
            {
                Console.Error.WriteLine();
                return typed.ToString();
            }

            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }
    }

    /// <summary>A new passphrase, typed twice on a terminal.</summary>
    public string AskNewPassphrase()
    {
        string passphrase = AskSecret("New passphrase");
        if (passphrase.Length == 0)
        {
            throw new DriveException(DriveError.WrongSecret, "That passphrase is empty: run it again, or leave --passphrase out for keys without one.");
        }

        if (!Console.IsInputRedirected && AskSecret("The same again") != passphrase)
        {
            throw new DriveException(DriveError.WrongSecret, "The two passphrases differ: run it again.");
        }

        return passphrase;
    }

    /// <summary>The first line of a file.</summary>
    public static string ReadPassphraseFile(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault() is { Length: > 0 } line
                ? line
                : throw new DriveException(DriveError.WrongSecret, $"'{path}' has no passphrase in its first line.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DriveException(DriveError.WrongSecret, $"'{path}' can't be read: {exception.Message}", exception);
        }
    }

    /// <summary>A bar that grows, on a terminal only.</summary>
    public void ShowBar(FileAmount left, FileAmount most)
    {
        if (Console.IsErrorRedirected)
        {
            return;
        }

        const int Width = 30;
        double share = most.Bytes > 0 ? 1 - ((double)left.Bytes / most.Bytes) : most.Files > 0 ? 1 - ((double)left.Files / most.Files) : 0;
        int full = (int)(Width * Math.Clamp(share, 0, 1));
        Console.Error.Write($"\r[{new string('#', full)}{new string('.', Width - full)}] {Quantity.Files(left)} left\e[K");
        _hasBar = true;
    }

    /// <summary>A line in the bar's place that says how far something is, on a terminal only.</summary>
    public void ShowLine(string line)
    {
        if (!Console.IsErrorRedirected)
        {
            int width = Math.Max(20, Console.BufferWidth - 1);
            string shown = string.Concat(line.Select(static character => char.IsControl(character) ? '?' : character));
            Console.Error.Write($"\r{(shown.Length > width ? shown[..(width - 1)] + "…" : shown)}\e[K");
            _hasBar = true;
        }
    }

    /// <summary>Takes the bar away.</summary>
    public void ClearBar()
    {
        if (_hasBar)
        {
            Console.Error.Write("\r\e[K");
            _hasBar = false;
        }
    }
}
