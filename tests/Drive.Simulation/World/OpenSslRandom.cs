using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Drive.Simulation.World;

/// <summary>
/// Signatures and signing keys come from the platform's library, which draws from a generator of its own: no parameter of the product reaches it. So in this
/// process that generator is ours: on a thread that runs a world it is the world's seed, elsewhere the system's. Without OpenSSL 3 the runs work as well, and only
/// their traces may differ.
/// </summary>
internal static unsafe class OpenSslRandom
{
    private static readonly bool IsInstalled = TryInstall();

    [ThreadStatic]
    private static Random? _current;

    /// <summary>Draws of this thread come from <paramref name="random"/> until the next call; returns where they came from.</summary>
    public static Random? Use(Random? random)
    {
        Random? before = _current;
        _current = IsInstalled ? random : null;
        return before;
    }

    private static bool TryInstall()
    {
        if (!NativeLibrary.TryLoad("libcrypto.so.3", out nint library) || !NativeLibrary.TryGetExport(library, "RAND_set_rand_method", out nint install))
        {
            return false;
        }

        Method* method = (Method*)RuntimeHelpers.AllocateTypeAssociatedMemory(typeof(OpenSslRandom), sizeof(Method));
        *method = new Method { Bytes = &Fill, PseudoBytes = &Fill, Status = &Status };
        return ((delegate* unmanaged[Cdecl]<Method*, int>)install)(method) == 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Fill(byte* bytes, int count)
    {
        try
        {
            Span<byte> destination = new(bytes, count);
            if (_current is { } random)
            {
                random.NextBytes(destination);
                return 1;
            }

            using FileStream system = File.OpenRead("/dev/urandom");
            system.ReadExactly(destination);
            return 1;
        }
        catch (Exception)
        {
            return 0;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Status() => 1;

    /// <summary>rand_meth_st (openssl/rand.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Method
    {
        public void* Seed;
        public delegate* unmanaged[Cdecl]<byte*, int, int> Bytes;
        public void* Cleanup;
        public void* Add;
        public delegate* unmanaged[Cdecl]<byte*, int, int> PseudoBytes;
        public delegate* unmanaged[Cdecl]<int> Status;
    }
}
