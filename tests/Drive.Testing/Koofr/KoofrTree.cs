using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Drive.Testing.Koofr;

/// <summary>A refusal of the fake server: status, code and message, as <c>{"error": {"code", "message"}, "requestId"}</c>.</summary>
public sealed class KoofrRefusalException(HttpStatusCode status, string code, string message) : Exception(message)
{
    public HttpStatusCode Status => status;

    public string Code => code;
}

/// <summary>A file or folder of the fake server.</summary>
/// <param name="Name">With the case that it was made with.</param>
/// <param name="Content">Null for a folder.</param>
/// <param name="Hash">The MD5 in hex; null for a folder.</param>
public sealed record KoofrNode(string Name, byte[]? Content, string? Hash)
{
    public JsonObject ToJson()
    {
        JsonObject json = new()
        {
            ["name"] = Name,
            ["type"] = Content is null ? "dir" : "file",
            ["modified"] = 1_700_000_000_000,
            ["size"] = Content?.Length ?? 0,
            ["contentType"] = Content is null ? "" : "application/octet-stream",
            ["tags"] = new JsonObject(),
        };
        if (Hash is not null)
        {
            json["hash"] = Hash;
        }

        return json;
    }
}

/// <summary>The files of the fake server's one mount. Names keep their case and do not know it. A put's condition is looked at before the body and again with the change.</summary>
public sealed class KoofrTree
{
    private readonly Lock _gate = new();

    // By path in lower case; the root is "/".
    private readonly SortedDictionary<string, KoofrNode> _nodes = new(StringComparer.Ordinal) { ["/"] = new KoofrNode("", null, null) };

    /// <summary>A server that does not do as it is told: puts replace.</summary>
    public bool IgnoresConditions { get; set; }

    /// <summary>What is kept of what was sent.</summary>
    public Func<string, byte[], byte[]> Keep { get; set; } = static (_, content) => content;

    public KoofrNode Get(string path)
    {
        lock (_gate)
        {
            return _nodes.GetValueOrDefault(Fold(path)) ?? throw new KoofrRefusalException(HttpStatusCode.NotFound, "NotFound", "File not found");
        }
    }

    public IReadOnlyList<KoofrNode> Children(string path)
    {
        lock (_gate)
        {
            return [.. Below(path).Where(found => found.Path.LastIndexOf('/') == (path == "/" ? 0 : path.Length)).Select(static found => found.Node)];
        }
    }

    /// <summary>All below a folder, itself first, as paths below it.</summary>
    public IReadOnlyList<(string Path, KoofrNode Node)> List(string path)
    {
        lock (_gate)
        {
            KoofrNode self = Get(path);
            return self.Content is not null
                ? throw new KoofrRefusalException(HttpStatusCode.BadRequest, "NotDir", "Directory expected")
                : [("/", self), .. Below(path).Select(found => (found.Path[(path == "/" ? 0 : path.Length)..], found.Node))];
        }
    }

    public void MakeFolder(string parent, string name)
    {
        lock (_gate)
        {
            string path = Join(parent, name);
            if (_nodes.ContainsKey(Fold(path)))
            {
                throw new KoofrRefusalException(HttpStatusCode.Conflict, "AlreadyExists", "File already exists");
            }

            RequireFolder(parent);
            _nodes.Add(Fold(path), new KoofrNode(name, null, null));
        }
    }

    /// <summary>Whether a put may go on; thrown when not. Twice for each: before its body and with its change.</summary>
    public void CheckPut(string parent, string name, bool overwrite, bool autorename, string? ifHash)
    {
        lock (_gate)
        {
            KoofrNode? there = _nodes.GetValueOrDefault(Fold(Join(parent, name)));
            if (!autorename && !IgnoresConditions)
            {
                if (ifHash is not null && there?.Hash != ifHash)
                {
                    throw new KoofrRefusalException(HttpStatusCode.Conflict, "Conflict", "Overwrite if hash does not match");
                }

                if (there is not null && !overwrite)
                {
                    throw new KoofrRefusalException(HttpStatusCode.Conflict, "Conflict", "File already exists");
                }
            }

            RequireFolder(parent);
        }
    }

    [SuppressMessage("Security", "CA5351", Justification = "What the API has.")]
    public KoofrNode Put(string parent, string name, bool overwrite, bool autorename, string? ifHash, byte[] content)
    {
        lock (_gate)
        {
            CheckPut(parent, name, overwrite, autorename, ifHash);
            for (int copy = 1; autorename && _nodes.ContainsKey(Fold(Join(parent, name))); copy++)
            {
                name = $"{name} ({copy})";
            }

            byte[] kept = Keep(Join(parent, name), content);
            KoofrNode made = new(name, kept, Convert.ToHexStringLower(MD5.HashData(kept)));
            _nodes[Fold(Join(parent, name))] = made;
            return made;
        }
    }

    public KoofrNode Remove(string path, string? ifHash)
    {
        lock (_gate)
        {
            KoofrNode node = Get(path);
            if (ifHash is not null && node.Hash != ifHash)
            {
                throw new KoofrRefusalException(HttpStatusCode.Conflict, "Conflict", "Remove if hash does not match");
            }

            foreach ((string below, _) in Below(path).ToList())
            {
                _nodes.Remove(Fold(below));
            }

            _nodes.Remove(Fold(path));
            return node;
        }
    }

    /// <summary>As a user does in the web page.</summary>
    public void Move(string path, string to)
    {
        lock (_gate)
        {
            foreach ((string from, KoofrNode node) in Below(path).Prepend((path, Get(path))).ToList())
            {
                _nodes.Remove(Fold(from));
                _nodes.Add(Fold(to + from[path.Length..]), from == path ? node with { Name = to[(to.LastIndexOf('/') + 1)..] } : node);
            }
        }
    }

    public static string Join(string parent, string name) => (parent == "/" ? "" : parent) + "/" + name;

    private static string Fold(string path) => path.ToLowerInvariant();

    private IEnumerable<(string Path, KoofrNode Node)> Below(string path)
    {
        string prefix = path == "/" ? "/" : Fold(path) + "/";
        return _nodes.Where(pair => pair.Key.Length > prefix.Length && pair.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(static pair => (pair.Key, pair.Value));
    }

    private void RequireFolder(string path)
    {
        if (Get(path).Content is not null)
        {
            throw new KoofrRefusalException(HttpStatusCode.BadRequest, "NotDir", "Directory expected");
        }
    }
}
