using System.Security.Cryptography;
using Drive.Core.Platform;
using Drive.Core.Stores;

namespace Drive.Server.Storage;

/// <summary>
/// Reads every object of every vault and holds it against the sum that was recorded when it was put. The server cannot open objects, so that is all it can know of them.
/// Runs beside a running server: what looks wrong is looked at again with the newest lines of the record before it is called damaged.
/// </summary>
public sealed class Scrub
{
    private const int ReadBytes = 1 << 20;

    private readonly IDisk _disk;
    private readonly Action<string> _say;
    private readonly byte[] _buffer = new byte[ReadBytes];
    private int _objects;
    private long _bytes;
    private int _damaged;

    private Scrub(IDisk disk, Action<string> say)
    {
        _disk = disk;
        _say = say;
    }

    /// <summary>Checks all that lies under a server's directory, and says a line for each damage and one for each vault. True: nothing is damaged.</summary>
    public static bool Run(IDisk disk, string directory, Action<string> say, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(say);
        Scrub scrub = new(disk, say);
        int vaults = 0;
        foreach ((string user, string vault, string folder) in VaultCollection.Find(disk, directory))
        {
            scrub.CheckVault($"{user}/{vault}", folder, cancellationToken);
            vaults++;
        }

        say($"{vaults} vaults, {scrub._objects} objects, {scrub._bytes} bytes read, {scrub._damaged} damaged.");
        return scrub._damaged == 0;
    }

    private void CheckVault(string vault, string folder, CancellationToken cancellationToken)
    {
        int before = _damaged;
        Dictionary<string, SumRecord> records = [];
        long read = 0;
        int bad = Refresh();
        List<string> found = [];
        Walk(folder, "", found, vault, cancellationToken);
        int unrecorded = 0;
        foreach (string name in found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string? problem = Check(name);
            if (problem is not null)
            {
                // It may have been put, or removed and put anew, since the record was read.
                bad += Refresh();
                problem = Check(name);
            }

            if (problem is not null)
            {
                Report(vault, name, problem);
            }
            else if (!records.ContainsKey(name))
            {
                unrecorded++;
            }

            _objects++;
        }

        string[] missing = [.. records.Keys.Except(found)];
        if (missing.Length > 0)
        {
            bad += Refresh();
            foreach (string name in missing.Where(name => records.ContainsKey(name) && !IsThere(name)))
            {
                Report(vault, name, "is missing");
            }
        }

        _say($"{vault}: {found.Count} objects, {_damaged - before} damaged, {unrecorded} without a record, {bad} damaged lines in the record.");

        int Refresh()
        {
            using IDiskFile? file = _disk.Open(Path.Combine(folder, SumJournal.FileName), DiskOpenMode.Read);
            if (file is null)
            {
                return 0;
            }

            SumJournal.Reading reading = SumJournal.Read(file, read, record =>
            {
                if (record.Sum is null)
                {
                    records.Remove(record.Name.Value);
                }
                else
                {
                    records[record.Name.Value] = record;
                }
            });
            read = reading.SoundEnd;
            return reading.Bad;
        }

        bool IsThere(string name)
        {
            using IDiskFile? file = _disk.Open(Path.Combine(folder, name), DiskOpenMode.Read);
            return file is not null;
        }

        string? Check(string name)
        {
            try
            {
                using IDiskFile? file = _disk.Open(Path.Combine(folder, name), DiskOpenMode.Read);
                if (file is null)
                {
                    return records.ContainsKey(name) ? "is missing" : null;
                }

                (long length, string sum) = Read(file, cancellationToken);
                return !records.TryGetValue(name, out SumRecord record) ? null
                    : length != record.Length ? $"has {length} bytes, {record.Length} were put"
                    : sum != record.Sum ? "has other bytes than were put"
                    : null;
            }
            catch (IOException exception)
            {
                return $"cannot be read: {exception.Message}";
            }
        }
    }

    private (long Length, string Sum) Read(IDiskFile file, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long offset = 0;
        for (int length = file.Read(offset, _buffer); length > 0; length = file.Read(offset, _buffer))
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(_buffer, 0, length);
            offset += length;
        }

        _bytes += offset;
        return (offset, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>Every file below, by the name that an object in it has. What cannot be an object's is reported.</summary>
    private void Walk(string folder, string prefix, List<string> found, string vault, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        foreach (string part in _disk.List(Path.Combine(folder, prefix)).Order(StringComparer.Ordinal))
        {
            string name = prefix + part;
            if (prefix.Length == 0 && part.StartsWith('.'))
            {
                // The store's own.
                continue;
            }

            if (_disk.DirectoryExists(Path.Combine(folder, name)))
            {
                Walk(folder, name + "/", found, vault, cancellationToken);
            }
            else if (ObjectName.IsValid(name))
            {
                found.Add(name);
            }
            else
            {
                Report(vault, string.Concat(name.Select(static letter => char.IsControl(letter) ? '?' : letter)), "is no name of an object");
            }
        }
    }

    private void Report(string vault, string name, string problem)
    {
        _damaged++;
        _say($"{vault}: {name} {problem}");
    }
}
