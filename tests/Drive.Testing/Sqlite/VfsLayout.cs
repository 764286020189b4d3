using System.Runtime.InteropServices;

namespace Drive.Testing.Sqlite;

/// <summary>sqlite3_vfs, version 1 (sqlite3.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct VfsLayout
{
    public int Version;
    public int FileBytes;
    public int PathnameMax;
    public VfsLayout* Next;
    public byte* Name;
    public void* Data;
    public delegate* unmanaged[Cdecl]<VfsLayout*, byte*, FileLayout*, int, int*, int> Open;
    public delegate* unmanaged[Cdecl]<VfsLayout*, byte*, int, int> Delete;
    public delegate* unmanaged[Cdecl]<VfsLayout*, byte*, int, int*, int> Access;
    public delegate* unmanaged[Cdecl]<VfsLayout*, byte*, int, byte*, int> FullPathname;
    public void* LibraryOpen;
    public void* LibraryError;
    public void* LibrarySymbol;
    public void* LibraryClose;
    public delegate* unmanaged[Cdecl]<VfsLayout*, int, byte*, int> Randomness;
    public delegate* unmanaged[Cdecl]<VfsLayout*, int, int> Sleep;
    public delegate* unmanaged[Cdecl]<VfsLayout*, double*, int> CurrentTime;
    public delegate* unmanaged[Cdecl]<VfsLayout*, int, byte*, int> LastError;
}

/// <summary>sqlite3_file with what is ours behind it: SQLite gives room for <see cref="VfsLayout.FileBytes"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FileLayout
{
    public MethodsLayout* Methods;
    public nint File;
}

/// <summary>sqlite3_io_methods, version 1: no shared memory, so a WAL needs locking_mode EXCLUSIVE, which the product has.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MethodsLayout
{
    public int Version;
    public delegate* unmanaged[Cdecl]<FileLayout*, int> Close;
    public delegate* unmanaged[Cdecl]<FileLayout*, byte*, int, long, int> Read;
    public delegate* unmanaged[Cdecl]<FileLayout*, byte*, int, long, int> Write;
    public delegate* unmanaged[Cdecl]<FileLayout*, long, int> Truncate;
    public delegate* unmanaged[Cdecl]<FileLayout*, int, int> Sync;
    public delegate* unmanaged[Cdecl]<FileLayout*, long*, int> FileSize;
    public delegate* unmanaged[Cdecl]<FileLayout*, int, int> Lock;
    public delegate* unmanaged[Cdecl]<FileLayout*, int, int> Unlock;
    public delegate* unmanaged[Cdecl]<FileLayout*, int*, int> CheckReservedLock;
    public delegate* unmanaged[Cdecl]<FileLayout*, int, void*, int> FileControl;
    public delegate* unmanaged[Cdecl]<FileLayout*, int> SectorSize;
    public delegate* unmanaged[Cdecl]<FileLayout*, int> DeviceCharacteristics;
}

/// <summary>Result codes and flags of sqlite3.h that a VFS needs.</summary>
internal static class SqliteCode
{
    public const int Ok = 0;
    public const int NotFound = 12;
    public const int Full = 13;
    public const int CannotOpen = 14;
    public const int ReadError = 10 | (1 << 8);
    public const int ShortRead = 10 | (2 << 8);
    public const int WriteError = 10 | (3 << 8);
    public const int SyncError = 10 | (4 << 8);
    public const int TruncateError = 10 | (6 << 8);
    public const int SizeError = 10 | (7 << 8);
    public const int DeleteError = 10 | (10 << 8);
    public const int AccessError = 10 | (13 << 8);

    public const int OpenReadOnly = 0x1;
    public const int OpenCreate = 0x4;
    public const int OpenDeleteOnClose = 0x8;
    public const int OpenMainJournal = 0x800;
    public const int OpenWal = 0x80000;

    /// <summary>As SQLite's own VFS says of a modern disk: a write that loses power does no harm to bytes beside it.</summary>
    public const int PowersafeOverwrite = 0x1000;
}
