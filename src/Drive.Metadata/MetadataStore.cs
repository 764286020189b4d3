using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Metadata.Migrations;
using Drive.Metadata.Sqlite;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>
/// The local database: nodes, entries, extents and xattrs in all their versions, dirty ranges, blocks and settings.
/// It owns one SQLite connection and its files (path, path-wal). Calls may come from any thread; a lock lets in one at a time, so a look-up waits
/// at most for one batch. Each changing call is one transaction: durable when it returns, without effect when it throws.
/// After an I/O error no change is accepted any more (a failed fsync is not tried again): reopen to see what the disk holds.
/// Invariant: the intervals [from_seq, to_seq) of one key never overlap.
/// </summary>
public sealed partial class MetadataStore : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Database _database;
    private readonly RowSeal _seal;
    private readonly Counters _counters;
    private readonly NodeTable _nodes;
    private readonly EntryTable _entries;
    private readonly ChildTable _children;
    private readonly ExtentTable _extents;
    private readonly XattrTable _xattrs;
    private readonly DirtyTable _dirty;
    private readonly BlockTable _blocks;
    private readonly SettingTable _settings;
    private readonly PinTable _pins;
    private readonly MomentTable _moments;
    private readonly PackTable _packs;
    private readonly SpanTable[] _spans;
    private readonly Versions[] _versions;
    private readonly Statement _setClean;
    private bool _isFlushed = true;
    private Exception? _failure;
    private bool _isDisposed;

    private MetadataStore(Database database, RowSeal seal, bool wasClean)
    {
        _database = database;
        _seal = seal;
        WasCleanlyClosed = wasClean;
        _counters = new Counters(database);
        _nodes = new NodeTable(database, seal, _counters);
        _entries = new EntryTable(database, seal, _counters);
        _children = new ChildTable(database, seal, _entries, _nodes);
        _extents = new ExtentTable(database);
        _xattrs = new XattrTable(database, seal);
        _dirty = new DirtyTable(database);
        _blocks = new BlockTable(database);
        _settings = new SettingTable(database, seal);
        _pins = new PinTable(database);
        _moments = new MomentTable(database);
        _packs = new PackTable(database);
        _spans =
        [
            new(database, "node", "node", "to_seq"), new(database, "entry", "parent", "name_hash", "to_seq"),
            new(database, "extent", "node", "to_seq", "start"), new(database, "xattr", "node", "to_seq", "name_hash"),
        ];
        _versions = [new(database, "node"), new(database, "entry"), new(database, "xattr")];
        _setClean = database.Prepare("UPDATE state SET is_clean = ?1");
        _counters.Load();
        _condemnedPacks = _packs.ReadCondemned();
    }

    /// <summary>SQLite's version as loaded.</summary>
    public static string SqliteVersion => Database.Version;

    /// <summary>Whether the last owner of the file disposed its store. True for a new file.</summary>
    public bool WasCleanlyClosed { get; }

    /// <summary>The id that the next entry gets: above all that were ever put here.</summary>
    public long NextEntryId
    {
        get
        {
            lock (_gate)
            {
                return _counters.NextEntryId;
            }
        }
    }

    /// <summary>The seq of the last <see cref="Land"/> or <see cref="ApplyCommit"/>; 0 before the first.</summary>
    public long LastSeq
    {
        get
        {
            lock (_gate)
            {
                return _counters.LastSeq;
            }
        }
    }

    /// <summary>Current regular files and the sum of their sizes, orphans included. Kept, not counted.</summary>
    public (long Nodes, long Bytes) CountFiles()
    {
        lock (_gate)
        {
            return (_counters.FileCount, _counters.FileBytes);
        }
    }

    /// <summary>
    /// Opens or makes the database and brings its schema up to date. The directory must exist.
    /// <see cref="MetadataKeyException"/>, <see cref="MetadataVersionException"/>, <see cref="MetadataCorruptException"/>, <see cref="IOException"/>.
    /// </summary>
    public static MetadataStore Open(string path, ReadOnlySpan<byte> key, MetadataOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Vfs is null)
        {
            CreateFile(path);
        }

        var seal = new RowSeal(key);
        Database? database = null;
        try
        {
            database = Database.Open(path, options);
            Schema.Migrate(database);
            bool wasClean = Unlock(database, seal);
            if (database.LengthBytes() <= options.QuickCheckBytesMax && database.QuickCheck() is { } finding)
            {
                throw new MetadataCorruptException($"The local database is damaged: {finding}.");
            }

            return new MetadataStore(database, seal, wasClean);
        }
        catch (InvalidOperationException error)
        {
            // Every statement fits the schema: one that SQLite refuses met another one.
            database?.Dispose();
            seal.Dispose();
            throw new MetadataCorruptException($"The local database is damaged: {error.Message}", error);
        }
        catch
        {
            database?.Dispose();
            seal.Dispose();
            throw;
        }
    }

    /// <summary>Marks the stop as clean and closes the file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            try
            {
                if (_failure is null)
                {
                    _setClean.Bind(1, 1).Run();
                }
            }
            catch (Exception e) when (e is IOException or MetadataCorruptException)
            {
                // All that was promised is durable already; without the mark the next open checks more.
            }
            finally
            {
                _database.Dispose();
                _seal.Dispose();
            }
        }
    }

    /// <summary>SQLite would make the file readable for others; it gives the WAL the same mode.</summary>
    private static void CreateFile(string path)
    {
        var options = new FileStreamOptions { Mode = System.IO.FileMode.OpenOrCreate, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        new FileStream(path, options).Dispose();
    }

    /// <summary>Proves the key against the check value, or leaves one in a new database; marks it as in use. Returns whether the last stop was clean.</summary>
    private static bool Unlock(Database database, RowSeal seal)
    {
        Statement read = database.Prepare("SELECT key_check, is_clean FROM state");
        bool isNew = !read.Step();
        byte[]? check = isNew ? null : seal.TryOpen(SealKind.KeyCheck, NodeId.None, read.Blob(0));
        bool wasClean = isNew || read.Int(1) == 1;
        read.Reset();
        if (isNew)
        {
            database.Prepare("INSERT INTO state(id, key_check, is_clean, last_seq, next_entry_id, file_count, file_bytes) VALUES (1, ?1, 0, 0, 1, 0, 0)")
                .Bind(1, seal.Seal(SealKind.KeyCheck, NodeId.None, "drive metadata"u8)).Run();
        }
        else if (check is null)
        {
            throw new MetadataKeyException("The key does not open the local database. It belongs to another vault or device.");
        }
        else
        {
            // What a killed process wrote last may be in the system's memory only. Each unclean start writes the other of two values: a change, so its commit syncs
            // all that was found before anything is done about it, such as sending it to the store.
            database.Execute("UPDATE state SET is_clean = CASE is_clean WHEN 0 THEN 2 ELSE 0 END");
        }

        return wasClean;
    }

    private T Read<T>(Func<T> read)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return read();
        }
    }

    /// <summary>Runs changes as one transaction.</summary>
    /// <param name="change">The changes.</param>
    /// <param name="flush">Whether it is durable on return, and with it all before it.</param>
    private void Change(Action change, bool flush = true)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_failure is not null)
            {
                throw new IOException("The local database takes no changes after an I/O error. Restart Drive when the disk is well again.", _failure);
            }

            try
            {
                _database.FlushCommits(flush);
                _database.Begin();
                change();
                _counters.Save();
                _database.Commit();
                _isFlushed = flush;
            }
            catch (Exception e)
            {
                // A full disk may get room again; any other I/O error leaves unknown what lies on the disk.
                if (e is IOException and not DiskFullException or MetadataCorruptException)
                {
                    _failure = e;
                }

                UndoChange();
                throw;
            }
        }
    }

    private void UndoChange()
    {
        try
        {
            _database.Rollback();
            _counters.Load();
        }
        catch (Exception e) when (e is IOException or MetadataCorruptException)
        {
            _failure ??= e;
        }
    }
}
