using System.Collections;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Drive.Benchmarks.Platform;

/// <summary>What a program, and the programs that it ran and waited for, used.</summary>
/// <param name="Seconds">On the clock.</param>
/// <param name="CpuSeconds">Of all of them together.</param>
/// <param name="PeakMiB">Of the largest of them.</param>
internal readonly record struct ChildUsage(double Seconds, double CpuSeconds, double PeakMiB);

/// <summary>Runs a program as a child whose use the kernel tells at its end (wait4(2)); <see cref="Process"/> waits by itself, and then nobody can ask any more.</summary>
internal static unsafe partial class Child
{
    private const int ActionsBytes = 512;
    private const int UsageBytes = 512;
    private const int ReadOnly = 0;
    private const int CreateAndTruncate = 1 | 0x40 | 0x200;

    /// <summary>Runs it to its end; an exception with what it said when it failed.</summary>
    public static ChildUsage Run(string program, string[] arguments, IReadOnlyDictionary<string, string> variables, string directory)
    {
        string said = Path.GetTempFileName();
        try
        {
            long start = Stopwatch.GetTimestamp();
            int pid = Start(program, arguments, variables, directory, said);
            byte* usage = stackalloc byte[UsageBytes];
            if (Wait(pid, out int status, 0, usage) != pid)
            {
                throw new IOException("wait4", new Win32Exception(Marshal.GetLastPInvokeError()));
            }

            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (status != 0)
            {
                throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with status {status}: {File.ReadAllText(said)}");
            }

            // struct rusage: two times of seconds and microseconds, and the peak in KiB.
            long* numbers = (long*)usage;
            return new ChildUsage(seconds, numbers[0] + numbers[2] + ((numbers[1] + numbers[3]) / 1e6), numbers[4] / 1024.0);
        }
        finally
        {
            File.Delete(said);
        }
    }

    private static int Start(string program, string[] arguments, IReadOnlyDictionary<string, string> variables, string directory, string output)
    {
        Dictionary<string, string> environment = [];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        foreach ((string name, string value) in variables)
        {
            environment[name] = value;
        }

        using Texts words = new([program, .. arguments]);
        using Texts settings = new([.. environment.Select(static variable => $"{variable.Key}={variable.Value}")]);
        byte* actions = stackalloc byte[ActionsBytes];
        Check(InitActions(actions), program);
        Check(OpenFor(actions, 0, "/dev/null", ReadOnly, 0), program);
        Check(OpenFor(actions, 1, output, CreateAndTruncate, 0x180), program);
        Check(CopyFor(actions, 1, 2), program);
        Check(EnterFor(actions, directory), directory);
        int result = Spawn(out int pid, program, actions, null, words.List, settings.List);
        _ = DestroyActions(actions);
        Check(result, program);
        return pid;
    }

    private static void Check(int error, string what)
    {
        if (error != 0)
        {
            throw new IOException(what, new Win32Exception(error));
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawnp", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Spawn(out int pid, string program, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFor(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int CopyFor(byte* actions, int descriptor, int other);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int EnterFor(byte* actions, string directory);

    [LibraryImport("libc", EntryPoint = "wait4", SetLastError = true)]
    private static partial int Wait(int pid, out int status, int options, byte* usage);

    /// <summary>Texts as C wants them: ended by NUL, the list by a null.</summary>
    private sealed class Texts : IDisposable
    {
        private readonly int _count;

        public Texts(string[] texts)
        {
            _count = texts.Length;
            List = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
            for (int i = 0; i < _count; i++)
            {
                byte[] bytes = Encoding.UTF8.GetBytes(texts[i] + '\0');
                List[i] = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
                bytes.CopyTo(new Span<byte>(List[i], bytes.Length));
            }
        }

        public byte** List { get; }

        public void Dispose()
        {
            for (int i = 0; i < _count; i++)
            {
                NativeMemory.Free(List[i]);
            }

            NativeMemory.Free(List);
        }
    }
}
