using System.Globalization;
using System.Text;
using Drive.Control;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Logs;

/// <summary>
/// The daemon's log: one line an event, in a file of mode 0600 that is set aside once when it has grown to its limit, so two limits is all
/// the room it takes. A full disk costs log lines, never the drive.
/// </summary>
public sealed class LogFile : ILoggerProvider
{
    // Arbitrary: some weeks of a quiet drive.
    private const long BytesMax = 4 << 20;

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly bool _alsoErrors;
    private FileStream? _file;

    /// <summary>Opens the file for appending; <paramref name="alsoErrors"/> repeats warnings and errors on standard error.</summary>
    public LogFile(string path, TimeProvider time, bool alsoErrors)
    {
        _path = path;
        _time = time;
        _alsoErrors = alsoErrors;
        OwnerOnly.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = Open();
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new CategoryLogger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private FileStream Open() => OwnerOnly.Open(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    private void Write(LogLevel level, string category, EventId eventId, string message, Exception? exception)
    {
        StringBuilder line = new(160);
        line.Append(_time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))
            .Append(' ').Append(Word(level)).Append(' ').Append(category).Append('[').Append(eventId.Id).Append("] ").Append(message);
        if (exception is not null)
        {
            line.Append(" | ").Append(exception);
        }

        string text = line.Replace("\r", "").Replace("\n", "\n    ").Append('\n').ToString();
        lock (_gate)
        {
            try
            {
                Append(Encoding.UTF8.GetBytes(text));
            }
            catch (IOException)
            {
            }
        }

        if (_alsoErrors && level >= LogLevel.Warning)
        {
            Console.Error.WriteLine("drive: " + message);
        }
    }

    private void Append(byte[] line)
    {
        if (_file is null)
        {
            return;
        }

        if (_file.Length + line.Length > BytesMax)
        {
            _file.Dispose();
            File.Move(_path, _path + ".1", overwrite: true);
            _file = Open();
        }

        _file.Write(line);
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        _ => "error",
    };

    private sealed class CategoryLogger(LogFile file, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            file.Write(logLevel, category, eventId, formatter(state, exception), exception);
    }
}
