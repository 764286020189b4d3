using System.Text;
using System.Text.Json;
using Drive.Core.Platform;
using Drive.Stores.Http;

namespace Drive.Server.Accounts;

/// <summary>
/// The users of a server and their tokens, in one small file of mode 0600 that commands replace whole, one at a time, while the server runs.
/// </summary>
public sealed class AccountBook(IDisk disk, string directory)
{
    // Of the file: "{", the revision.
    private const int HeadBytes = 48;

    private readonly string _path = Path.Combine(directory, "accounts.json");
    private readonly Lock _gate = new();

    // Guarded by _gate: what was read last.
    private (byte[] Head, long Length, AccountFile File)? _last;

    /// <summary>All users, by name. Read anew only when the file has changed.</summary>
    public IReadOnlyList<Account> All() => Read()?.Users ?? [];

    /// <summary>Whether there is a file of users at all: without it the directory is no server's, or its disk is not mounted.</summary>
    public bool IsThere() => Read() is not null;

    /// <summary>A new user.</summary>
    public void AddUser(string name, long quotaBytes) => Change(users => users.Exists(user => user.Name == name)
        ? throw new ServerException(ServerError.InUse, $"There is a user '{name}' already.")
        : ServerWire.IsName(name)
            ? [.. users, new Account(name, quotaBytes, [])]
            : throw new ServerException(ServerError.Usage, $"'{name}' cannot name a user: use 1 to {ServerWire.NameMax} of a-z 0-9 - and '.', and no dot at the start."));

    /// <summary>More or less room. Less than is taken only keeps new objects out.</summary>
    public void SetQuota(string name, long quotaBytes) => Change(users =>
    {
        int index = IndexOf(users, name);
        users[index] = users[index] with { QuotaBytes = quotaBytes };
        return users;
    });

    /// <summary>A new token, which is nowhere afterwards but with the caller.</summary>
    public string AddToken(string user, string? name, bool isAppendOnly, TimeProvider time, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(time);
        string token = Token.Make(random);
        Change(users =>
        {
            if (users.Exists(other => other.Tokens.Any(known => known.Id == Token.IdOf(token))))
            {
                throw new ServerException(ServerError.InUse, "That id was drawn before: run it again.");
            }

            int index = IndexOf(users, user);
            TokenRecord record = new(Token.IdOf(token)!, name, isAppendOnly, Token.HashOf(token), time.GetUtcNow());
            users[index] = users[index] with { Tokens = [.. users[index].Tokens, record] };
            return users;
        });
        return token;
    }

    /// <summary>Ends a token. A running server sees it with its next request.</summary>
    public void Revoke(string id) => Change(users =>
    {
        int index = users.FindIndex(user => user.Tokens.Any(token => token.Id == id));
        if (index < 0)
        {
            throw new ServerException(ServerError.NotFound, $"There is no token '{id}': 'drive serve token list' shows them.");
        }

        users[index] = users[index] with { Tokens = [.. users[index].Tokens.Where(token => token.Id != id)] };
        return users;
    });

    /// <summary>Who it is that shows this token, as the file is now; null for nobody.</summary>
    internal Caller? Find(string token)
    {
        string id = Token.IdOf(token) ?? "";
        string hash = Token.HashOf(token);
        foreach (Account user in RequireFile().Users)
        {
            foreach (TokenRecord record in user.Tokens)
            {
                if (record.Id == id && Token.AreEqual(record.Hash, hash))
                {
                    return new Caller(user.Name, record.Id, record.Hash, record.IsAppendOnly, user.QuotaBytes);
                }
            }
        }

        return null;
    }

    /// <summary>Whether a caller's token is still what it was.</summary>
    internal bool IsStill(Caller caller) => RequireFile().Users.Any(
        user => user.Name == caller.User && user.Tokens.Any(token => token.Id == caller.TokenId && token.Hash == caller.TokenHash));

    private static int IndexOf(List<Account> users, string name) => users.FindIndex(user => user.Name == name) is >= 0 and int index
        ? index
        : throw new ServerException(ServerError.NotFound, $"There is no user '{name}': 'drive serve user add' makes one.");

    private AccountFile RequireFile() => Read() ?? throw new IOException($"'{_path}' is gone. Is its disk still mounted?");

    private AccountFile? Read()
    {
        lock (_gate)
        {
            using (IDiskFile? file = disk.Open(_path, DiskOpenMode.Read))
            {
                if (file is null)
                {
                    return null;
                }

                Span<byte> head = stackalloc byte[HeadBytes];
                if (_last is { } last && file.Length == last.Length && head[..file.Read(0, head)].SequenceEqual(last.Head))
                {
                    return last.File;
                }
            }

            if (DurableFile.Read(disk, _path) is not { } content)
            {
                return null;
            }

            try
            {
                AccountFile read = JsonSerializer.Deserialize(content, AccountJson.Default.AccountFile) ?? throw new JsonException("It is empty.");
                _last = (content[..Math.Min(HeadBytes, content.Length)], content.Length, read);
                return read;
            }
            catch (JsonException exception)
            {
                throw new IOException($"'{_path}' is not what Drive wrote: put it back from a copy. ({exception.Message})", exception);
            }
        }
    }

    private void Change(Func<List<Account>, List<Account>> change)
    {
        DurableDirectory.Create(disk, directory);
        using IDisposable held = disk.TryLock(Path.Combine(directory, "accounts.lock"), "", out _)
            ?? throw new ServerException(ServerError.InUse, "Another command is changing the users: try again.");
        AccountFile? now = Read();
        AccountFile next = new((now?.Revision ?? 0) + 1, [.. change([.. now?.Users ?? []]).OrderBy(static user => user.Name, StringComparer.Ordinal)]);
        DurableFile.Replace(disk, _path, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(next, AccountJson.Default.AccountFile) + "\n"));
    }
}

/// <summary>Who makes a request.</summary>
internal sealed record Caller(string User, string TokenId, string TokenHash, bool IsAppendOnly, long QuotaBytes);
