using Drive.Core.Stores;
using Drive.Stores.Http;
using Microsoft.AspNetCore.Http;

namespace Drive.Server.Requests;

/// <summary>What a request to a vault names.</summary>
/// <param name="Vault">The vault.</param>
/// <param name="Name">The object, or null for the vault itself.</param>
/// <param name="Question">What is asked of the vault: "list", "space", "watch", or null for nothing.</param>
/// <param name="Prefix">The prefix of a list or a watch.</param>
/// <param name="After">The name that a list goes on after; empty for its beginning.</param>
internal sealed record StoreRequest(string Vault, ObjectName? Name, string? Question, string Prefix, string After)
{
    public const string List = "list";
    public const string Space = "space";
    public const string Watch = "watch";
    private const string AfterKey = "after";

    /// <summary>
    /// From the target as it came, before anybody made something else of it: names here need no escapes, so whatever has one is refused, and so is what climbs or is empty.
    /// Null, and why.
    /// </summary>
    public static StoreRequest? Parse(string target, IQueryCollection query, out string problem)
    {
        int question = target.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? target : target[..question];
        if (!path.StartsWith(ServerWire.Root, StringComparison.Ordinal))
        {
            problem = $"paths here begin with {ServerWire.Root}";
            return null;
        }

        string rest = path[ServerWire.Root.Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        string vault = slash < 0 ? rest : rest[..slash];
        if (!ServerWire.IsName(vault))
        {
            problem = $"a vault's name is 1 to {ServerWire.NameMax} of a-z 0-9 - and '.', as it is";
            return null;
        }

        if (slash < 0)
        {
            return ParseQuestion(vault, query, out problem);
        }

        string name = rest[(slash + 1)..];
        problem = query.Count > 0 ? "an object is asked without a query" : $"an object's name is 1 to {ObjectName.CharactersMax} of a-z 0-9 - . and /, as it is";
        return query.Count == 0 && ObjectName.IsValid(name) ? new StoreRequest(vault, new ObjectName(name), null, "", "") : null;
    }

    private static StoreRequest? ParseQuestion(string vault, IQueryCollection query, out string problem)
    {
        string[] asked = [.. query.Keys.Where(static key => key != AfterKey)];
        string prefix = asked.Length == 1 ? query[asked[0]].ToString() : "";
        string after = query[AfterKey].ToString();
        bool isSound = (asked, query.ContainsKey(AfterKey)) switch
        {
            ([], false) => true,
            ([Space], false) => prefix.Length == 0,
            ([Watch], false) => IsPrefix(prefix),
            ([List], _) => IsPrefix(prefix) && (after.Length == 0 || ObjectName.IsValid(after)),
            _ => false,
        };
        problem = "a vault is asked ?list=PREFIX (and &after=NAME), ?space or ?watch=PREFIX, with a prefix of a-z 0-9 - . and /";
        isSound &= query.All(static asked => asked.Value.Count == 1);
        return isSound ? new StoreRequest(vault, null, asked.FirstOrDefault(), prefix, after) : null;
    }

    // The beginning of some name.
    private static bool IsPrefix(string prefix) => prefix.Length switch
    {
        0 => true,
        < ObjectName.CharactersMax => ObjectName.IsValid(prefix + "x"),
        _ => ObjectName.IsValid(prefix),
    };
}
