using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Drive.Core.Platform;

namespace Drive.Testing.Sqlite;

/// <summary>
/// A SQLite VFS over an <see cref="IDisk"/>: the database, its journal and its WAL lie on the same simulated disk as everything else, and take part in
/// crashes and faults. It does what SQLite's own VFS for Linux does (when a directory is synced, what a short read is), so what it proves holds there too.
/// No exception crosses into SQLite: a full disk is SQLITE_FULL, any other failure the SQLITE_IOERR of the call; so is a flush that finds no room, as in SQLite's own layer: what it was to flush may be lost, and a later flush that succeeds says nothing of it.
/// Each instance is a VFS of its own under its own name. Disposing gives it back to be used for another disk: SQLite never loses one that it knows.
/// </summary>
public sealed unsafe class SqliteDisk : IDisposable
{
    private const int PathBytesMax = 1024;
    private const int SectorBytes = 4096;

    /// <summary>2026-01-01 as a Julian day: the product never asks SQLite for the time.</summary>
    private const double JulianDay = 2461041.5;

    private static readonly Native Library = new();
    private static readonly MethodsLayout* Methods = MakeMethods();
    private static int _count;

    private static readonly ConcurrentBag<SqliteDisk> Idle = [];

    private readonly VfsLayout* _vfs;
    private IDisk? _disk;

    private SqliteDisk()
    {
        Name = $"disk-{Interlocked.Increment(ref _count)}";
        _vfs = (VfsLayout*)NativeMemory.AllocZeroed((nuint)sizeof(VfsLayout));
        byte[] name = Encoding.UTF8.GetBytes(Name + '\0');
        byte* copy = (byte*)NativeMemory.Alloc((nuint)name.Length);
        name.CopyTo(new Span<byte>(copy, name.Length));
        *_vfs = new VfsLayout
        {
            Version = 1,
            FileBytes = sizeof(FileLayout),
            PathnameMax = PathBytesMax,
            Name = copy,
            Data = (void*)GCHandle.ToIntPtr(GCHandle.Alloc(this)),
            Open = &Open,
            Delete = &Delete,
            Access = &Access,
            FullPathname = &FullPathname,
            Randomness = &Randomness,
            Sleep = &Sleep,
            CurrentTime = &CurrentTime,
            LastError = &LastError,
        };
        if (Library.Register(_vfs, 0) is var code && code != SqliteCode.Ok)
        {
            throw new InvalidOperationException($"SQLite refused the VFS: {code}");
        }
    }

    /// <summary>What a connection names when it is opened.</summary>
    public string Name { get; }

    /// <summary>A VFS that keeps its files on <paramref name="disk"/>, until it is disposed.</summary>
    public static SqliteDisk Over(IDisk disk)
    {
        SqliteDisk vfs = Idle.TryTake(out SqliteDisk? idle) ? idle : new SqliteDisk();
        vfs._disk = disk;
        return vfs;
    }

    /// <summary>After the last connection was closed.</summary>
    public void Dispose()
    {
        if (_disk is not null)
        {
            _disk = null;
            Idle.Add(this);
        }
    }

    private static MethodsLayout* MakeMethods()
    {
        MethodsLayout* methods = (MethodsLayout*)RuntimeHelpers.AllocateTypeAssociatedMemory(typeof(SqliteDisk), sizeof(MethodsLayout));
        *methods = new MethodsLayout
        {
            Version = 1,
            Close = &Close,
            Read = &Read,
            Write = &Write,
            Truncate = &Truncate,
            Sync = &Sync,
            FileSize = &FileSize,
            Lock = &Lock,
            Unlock = &Lock,
            CheckReservedLock = &CheckReservedLock,
            FileControl = &FileControl,
            SectorSize = &SectorSize,
            DeviceCharacteristics = &DeviceCharacteristics,
        };
        return methods;
    }

    private static IDisk DiskOf(VfsLayout* vfs) => ((SqliteDisk)GCHandle.FromIntPtr((nint)vfs->Data).Target!)._disk ?? throw new IOException("The disk is gone");

    private static OpenFile FileOf(FileLayout* file) => (OpenFile)GCHandle.FromIntPtr(file->File).Target!;

    private static string Text(byte* utf8) => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(utf8));

    private static string Parent(string path) => Path.GetDirectoryName(path) ?? "/";

    /// <summary>Does a call and turns whatever it throws into a code.</summary>
    private static int Guard(int failure, Func<int> call)
    {
        try
        {
            return call();
        }
        catch (DiskFullException) when (failure != SqliteCode.SyncError)
        {
            return SqliteCode.Full;
        }
        catch (Exception)
        {
            return failure;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(VfsLayout* vfs, byte* name, FileLayout* file, int flags, int* flagsGiven) => Guard(
        SqliteCode.CannotOpen,
        () =>
        {
            file->Methods = null;
            if (name is null)
            {
                // A temporary file: the product keeps those in memory.
                return SqliteCode.CannotOpen;
            }

            string path = Text(name);
            bool creates = (flags & SqliteCode.OpenCreate) != 0;
            DiskOpenMode mode = (flags & SqliteCode.OpenReadOnly) != 0 ? DiskOpenMode.Read : creates ? DiskOpenMode.OpenOrCreate : DiskOpenMode.ReadWrite;
            if (DiskOf(vfs).Open(path, mode) is not { } opened)
            {
                return SqliteCode.CannotOpen;
            }

            OpenFile held = new(DiskOf(vfs), opened, path)
            {
                SyncsDirectory = creates && (flags & (SqliteCode.OpenMainJournal | SqliteCode.OpenWal)) != 0,
                GoesOnClose = (flags & SqliteCode.OpenDeleteOnClose) != 0,
            };
            file->File = GCHandle.ToIntPtr(GCHandle.Alloc(held));
            file->Methods = Methods;
            if (flagsGiven is not null)
            {
                *flagsGiven = flags;
            }

            return SqliteCode.Ok;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Delete(VfsLayout* vfs, byte* name, int syncsDirectory) => Guard(
        SqliteCode.DeleteError,
        () =>
        {
            string path = Text(name);
            DiskOf(vfs).Delete(path);
            if ((syncsDirectory & 1) != 0)
            {
                DiskOf(vfs).SyncDirectory(Parent(path));
            }

            return SqliteCode.Ok;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Access(VfsLayout* vfs, byte* name, int flags, int* answer) => Guard(
        SqliteCode.AccessError,
        () =>
        {
            // Asked of journals; as in SQLite's own VFS an empty file counts as none.
            using IDiskFile? file = DiskOf(vfs).Open(Text(name), DiskOpenMode.Read);
            *answer = file is { Length: > 0 } ? 1 : 0;
            return SqliteCode.Ok;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FullPathname(VfsLayout* vfs, byte* name, int length, byte* full)
    {
        ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        if (text.Length >= length)
        {
            return SqliteCode.CannotOpen;
        }

        text.CopyTo(new Span<byte>(full, length));
        full[text.Length] = 0;
        return SqliteCode.Ok;
    }

    /// <summary>Seeds SQLite's generator, which is one for the process: the salts of a WAL come from it, and no decision.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Randomness(VfsLayout* vfs, int length, byte* bytes)
    {
        new Span<byte>(bytes, length).Fill(0x5A);
        return length;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sleep(VfsLayout* vfs, int microseconds) => microseconds;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CurrentTime(VfsLayout* vfs, double* time)
    {
        *time = JulianDay;
        return SqliteCode.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int LastError(VfsLayout* vfs, int length, byte* text) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(FileLayout* file)
    {
        OpenFile open = FileOf(file);
        GCHandle.FromIntPtr(file->File).Free();
        return Guard(SqliteCode.Ok, () => open.Close());
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(FileLayout* file, byte* bytes, int length, long offset) => Guard(
        SqliteCode.ReadError,
        () =>
        {
            Span<byte> destination = new(bytes, length);
            int count = FileOf(file).File.Read(offset, destination);
            destination[count..].Clear();
            return count == length ? SqliteCode.Ok : SqliteCode.ShortRead;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(FileLayout* file, byte* bytes, int length, long offset) => Guard(
        SqliteCode.WriteError,
        () =>
        {
            FileOf(file).File.Write(offset, new ReadOnlySpan<byte>(bytes, length));
            return SqliteCode.Ok;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Truncate(FileLayout* file, long length) => Guard(
        SqliteCode.TruncateError,
        () =>
        {
            FileOf(file).File.SetLength(length);
            return SqliteCode.Ok;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(FileLayout* file, int flags) => Guard(SqliteCode.SyncError, () => FileOf(file).Sync());

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FileSize(FileLayout* file, long* length) => Guard(
        SqliteCode.SizeError,
        () =>
        {
            *length = FileOf(file).File.Length;
            return SqliteCode.Ok;
        });

    /// <summary>One connection in one process: the product's own lock file keeps others out.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Lock(FileLayout* file, int level) => SqliteCode.Ok;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CheckReservedLock(FileLayout* file, int* answer)
    {
        *answer = 0;
        return SqliteCode.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FileControl(FileLayout* file, int operation, void* argument) => SqliteCode.NotFound;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SectorSize(FileLayout* file) => SectorBytes;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int DeviceCharacteristics(FileLayout* file) => SqliteCode.PowersafeOverwrite;

    private sealed class OpenFile(IDisk disk, IDiskFile file, string path)
    {
        public IDiskFile File => file;

        /// <summary>The first sync of a journal or WAL also makes its name durable, and with it the database's, which lies in the same directory.</summary>
        public bool SyncsDirectory { get; set; }

        public bool GoesOnClose { get; init; }

        public int Sync()
        {
            file.Sync();
            if (SyncsDirectory)
            {
                SyncsDirectory = false;
                try
                {
                    disk.SyncDirectory(Parent(path));
                }
                catch (IOException)
                {
                    // SQLite's own VFS for Unix does not look at the answer either: whoever needs the name must sync the directory as well.
                }
            }

            return SqliteCode.Ok;
        }

        public int Close()
        {
            file.Dispose();
            if (GoesOnClose)
            {
                disk.Delete(path);
            }

            return SqliteCode.Ok;
        }
    }

    /// <summary>The library that SQLitePCLRaw loads: the process has one copy of it.</summary>
    private sealed class Native
    {
        private readonly delegate* unmanaged[Cdecl]<VfsLayout*, int, int> _register;

        public Native()
        {
            SQLitePCL.Batteries_V2.Init();
            nint library = NativeLibrary.Load("e_sqlite3", typeof(SqliteDisk).Assembly, null);
            var initialize = (delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(library, "sqlite3_initialize");
            _ = initialize();
            _register = (delegate* unmanaged[Cdecl]<VfsLayout*, int, int>)NativeLibrary.GetExport(library, "sqlite3_vfs_register");
        }

        public int Register(VfsLayout* vfs, int isDefault) => _register(vfs, isDefault);
    }
}
